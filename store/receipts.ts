/** Expected receipts: what is to come, when and where; imported, and shown to who asks for what is out of stock. */
import { z } from 'zod'
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable, Tx } from './db.ts'

export const ExpectedReceipt = z.strictObject({
  sku: z.string().min(1).max(100),
  location: z.string().min(1).max(64),
  quantity: z.number().int().positive().max(10_000_000),
  /** Local date. */
  expectedOn: z.iso.date(),
  /** The purchase order, where one is named. */
  reference: z.string().max(100).default(''),
})
export type ExpectedReceipt = z.infer<typeof ExpectedReceipt>

/**
 * The same receipt told again has its new quantity. @throws Invalid when an article or a location is not known; then nothing is taken.
 */
export async function expectReceipts(tx: Tx, receipts: readonly ExpectedReceipt[]): Promise<number> {
  const unknown = await tx.query<{ what: string }>(
    `select distinct 'location ' || r.location as what from jsonb_to_recordset($1::jsonb) as r(location text)
       where not exists (select from locations l where l.id = r.location)
     union select distinct 'article ' || r.sku from jsonb_to_recordset($1::jsonb) as r(sku text)
       where not exists (select from products p where p.sku = r.sku) limit 10`,
    [JSON.stringify(receipts)],
  )
  if (unknown.rows.length > 0)
    throw new OmnisagaError('Invalid', `nobody knows ${unknown.rows.map((row) => row.what).join(', ')}`, {
      code: 'receipts',
      remedy: 'Add them to the configuration, or correct the rows. Nothing was taken in.',
    })
  const merged = new Map<string, ExpectedReceipt>()
  for (const receipt of receipts)
    merged.set(JSON.stringify([receipt.reference, receipt.sku, receipt.location, receipt.expectedOn]), receipt)
  await tx.query(
    `insert into expected_receipts (reference, sku, location, expected_on, quantity)
     select r.reference, r.sku, r.location, r."expectedOn"::date, r.quantity
     from jsonb_to_recordset($1::jsonb) as r(reference text, sku text, location text, "expectedOn" text, quantity int)
     on conflict (reference, sku, location, expected_on) do update set quantity = excluded.quantity, updated_at = now()`,
    [JSON.stringify([...merged.values()])],
  )
  return merged.size
}

/** From today on, soonest first. */
export async function listReceipts(db: Queryable, filter: { sku?: string; location?: string } = {}): Promise<ExpectedReceipt[]> {
  const { rows } = await db.query<ExpectedReceipt>(
    `select sku, location, quantity, expected_on::text as "expectedOn", reference from expected_receipts
     where expected_on >= current_date - 1 and ($1::text is null or sku = $1) and ($2::text is null or location = $2)
     order by expected_on, sku, location limit 1000`,
    [filter.sku ?? null, filter.location ?? null],
  )
  return rows
}

/**
 * `sku,location,quantity,expected_on[,reference]`, a header first. Quotes and commas inside a field are not expected there.
 * @throws Invalid, naming the row.
 */
export function parseReceipts(csv: string): ExpectedReceipt[] {
  const [header, ...rows] = csv
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((row) => row.split(',').map((cell) => cell.trim()))
    .filter((cells) => cells.some((cell) => cell !== ''))
  const names = ['sku', 'location', 'quantity', 'expected_on']
  const missing = names.filter((name) => !header?.includes(name))
  if (header === undefined || missing.length > 0)
    throw new OmnisagaError('Invalid', `the first row does not name ${missing.join(', ')}`, {
      code: 'receipts',
      remedy: 'Begin with: sku,location,quantity,expected_on',
    })
  const cell = (cells: string[], name: string) => cells[header.indexOf(name)] ?? ''
  return rows.map((cells, index) => {
    const parsed = ExpectedReceipt.safeParse({
      sku: cell(cells, 'sku'),
      location: cell(cells, 'location'),
      quantity: Number(cell(cells, 'quantity')),
      expectedOn: cell(cells, 'expected_on'),
      ...(header.includes('reference') ? { reference: cell(cells, 'reference') } : {}),
    })
    if (parsed.success) return parsed.data
    throw new OmnisagaError('Invalid', `row ${index + 2}: ${z.prettifyError(parsed.error)}`, {
      code: 'receipts',
      remedy: 'Correct the row; nothing was taken in.',
    })
  })
}
