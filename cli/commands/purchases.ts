/** purchases: what is to be bought for orders that wait. */
import { writeFile } from 'node:fs/promises'
import { purchasesCsv } from '../../activities/shortage/purchases.ts'
import { listPurchaseRequests } from '../../store/backorders.ts'
import type { ExitCode } from '../exit.ts'
import { green, localTime, print, printJson, table } from '../output/text.ts'
import { withRuntime } from '../session.ts'

export interface PurchasesOptions {
  csv?: string
  json?: boolean
}

export async function purchases({ csv, json }: PurchasesOptions): Promise<ExitCode> {
  const wanted = await withRuntime(({ pool }) => listPurchaseRequests(pool, { state: 'open' }))
  if (csv !== undefined) await writeFile(csv, purchasesCsv(wanted))
  if (json) printJson({ purchaseRequests: wanted })
  else if (csv !== undefined) print(`${green('written')}  ${csv} (articles: ${wanted.length})`)
  else
    print(
      wanted.length === 0
        ? 'Nothing is to be bought.'
        : table(wanted, [
            { title: 'SKU', of: (row) => row.sku },
            { title: 'NAME', of: (row) => row.name ?? '', most: 30 },
            { title: 'PIECES', of: (row) => row.quantity, right: true },
            { title: 'ORDERS', of: (row) => row.orders, right: true },
            { title: 'SINCE', of: (row) => localTime(row.openedAt) },
          ]),
    )
  return 0
}
