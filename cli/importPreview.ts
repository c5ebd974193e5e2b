/** What an import would do with orders that are known or that the check would hold; nothing is written. */
import { atWarehouse, shipped } from '../activities/order/refusal.ts'
import type { Runtime } from '../activities/runtime.ts'
import { checkOrder } from '../domain/check.ts'
import { contentHash } from '../domain/ids.ts'
import { mergeOrder } from '../domain/merge.ts'
import type { IncomingOrder } from '../domain/order.ts'
import type { DryRunLookup } from '../mappings/files/index.ts'
import { incomingOf, readOrder, type OrderRecord } from '../store/orderRecord.ts'

/** What the counts are made of, for people; complete once the lookup has been asked. */
export interface Seen {
  new: number
  /** Known, and past the point where goods or recipient can change: the warehouse has it, or it has left. */
  picking: number
  /** New, but the check would hold it. */
  waiting: number
}

export function lookupOf({ pool }: Runtime): DryRunLookup & { seen: Seen } {
  const seen: Seen = { new: 0, picking: 0, waiting: 0 }
  const lookup: DryRunLookup = async (orders) => {
    const known = new Map(
      (
        await pool.query<{ id: string; content_hash: string }>('select id, content_hash from orders where id = any($1)', [
          orders.map(({ id }) => id),
        ])
      ).rows.map((row) => [row.id, row.content_hash]),
    )
    const skus = await knownSkus(
      { pool },
      orders.map(({ order }) => order),
    )
    const counts = { duplicates: 0, changed: 0 }
    for (const { id, order } of orders) {
      const hash = known.get(id)
      if (hash === undefined) {
        // Goods that had left before we heard of them are nothing to be done.
        if (order.fulfilled === true) continue
        seen.new++
        if (!order.cancelled && checkOrder(withSkus(order, skus), { skus: skus.products }).length > 0) seen.waiting++
      } else if (hash === contentHash(order)) counts.duplicates++
      else {
        const record = await readOrder(pool, id)
        const { changes } = mergeOrder(incomingOf(record), order)
        if (changes.length === 0) counts.duplicates++
        else if (isTooLate(record) && changes.some(({ kind }) => WORK.has(kind))) seen.picking++
        else counts.changed++
      }
    }
    return { ...counts, blocked: seen.picking + seen.waiting }
  }
  return Object.assign(lookup, { seen })
}

/** Changes that somebody in the warehouse would have to know of. */
const WORK: ReadonlySet<string> = new Set(['lines', 'recipient', 'delivery', 'notes'])
/** As the verb `change` judges it. */
const isTooLate = (record: OrderRecord): boolean =>
  record.closed || record.is('cancelled') || record.is('cancelRequested') || shipped(record) || atWarehouse(record)

interface Skus {
  products: Set<string>
  aliases: Map<string, string>
}

async function knownSkus({ pool }: Pick<Runtime, 'pool'>, orders: IncomingOrder[]): Promise<Skus> {
  const asked = [
    ...new Set(
      orders.flatMap(({ lines }) => lines.flatMap(({ sku, externalSku }) => [sku, externalSku])).filter((sku) => sku !== null),
    ),
  ]
  const aliases = await pool.query<{ channel: string; external_sku: string; sku: string }>(
    'select channel, external_sku, sku from sku_aliases where external_sku = any($1)',
    [asked],
  )
  const products = await pool.query<{ sku: string }>('select sku from products where sku = any($1)', [
    [...asked, ...aliases.rows.map((row) => row.sku)],
  ])
  return {
    products: new Set(products.rows.map((row) => row.sku)),
    aliases: new Map(aliases.rows.map((row) => [`${row.channel}\u0000${row.external_sku}`, row.sku])),
  }
}

/** As the check sees it: articles that the channel calls otherwise by the names they have here. */
const withSkus = (order: IncomingOrder, { aliases }: Skus): IncomingOrder => ({
  ...order,
  lines: order.lines.map((line) => ({
    ...line,
    sku: aliases.get(`${order.channel}\u0000${line.sku}`) ?? aliases.get(`${order.channel}\u0000${line.externalSku}`) ?? line.sku,
  })),
})
