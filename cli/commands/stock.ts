/** stock, stock set */
import { randomUUID } from 'node:crypto'
import { OmnisagaError } from '../../domain/errors.ts'
import { transaction } from '../../store/db.ts'
import { refuseUnknownProducts } from '../../store/products.ts'
import { levels, setOnHand } from '../../store/ledger/operations.ts'
import type { StockLevel } from '../../store/ledger/types.ts'
import type { ExitCode } from '../exit.ts'
import { print, printJson, red, table, type Column } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface StockOptions {
  sku?: string
  location?: string
  json?: boolean
}

const COLUMNS: Column<StockLevel>[] = [
  { title: 'SKU', of: (level) => level.sku },
  { title: 'LOCATION', of: (level) => level.location },
  { title: 'ON HAND', of: (level) => level.onHand, right: true },
  { title: 'SAFETY', of: (level) => level.safety, right: true },
  { title: 'HELD', of: (level) => level.held, right: true },
  {
    title: 'AVAILABLE',
    of: (level) => level.available,
    right: true,
    paint: (text, level) => (level.available > 0 ? text : red(text)),
  },
]

export async function stock({ sku, location, json }: StockOptions): Promise<ExitCode> {
  const found = await withRuntime(({ pool }) => levels(pool, { ...(sku && { sku }), ...(location && { location }) }))
  if (json) printJson({ stock: found })
  else print(found.length === 0 ? 'No stock is known here.' : table(found, COLUMNS))
  return 0
}

export async function setStock(
  { sku, location, onHand }: { sku: string; location: string; onHand: number },
  { reason, json }: { reason: string; json?: boolean },
): Promise<ExitCode> {
  const level = await withRuntime(async ({ pool }) => {
    const known = await pool.query('select 1 from locations where id = $1', [location])
    if (known.rowCount === 0) {
      throw new OmnisagaError('Invalid', `there is no location ${location}`, {
        code: 'location',
        remedy: 'Correct it, or add it by `omnisaga connections apply FILE`.',
      })
    }
    await refuseUnknownProducts(pool, [sku])
    await transaction(pool, (tx) => setOnHand(tx, { key: `count:${randomUUID()}`, sku, location, onHand, reason }))
    return (await levels(pool, { sku, location }))[0]
  })
  if (json) printJson(level)
  else if (level) print(table([level], COLUMNS))
  return 0
}
