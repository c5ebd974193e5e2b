/** Goods that waiting orders need from elsewhere: one purchase request a SKU, one transfer task a SKU and road, each while it is needed. */
import type { Tx } from '../../store/db.ts'
import { setNeeds, writePurchase, type Need } from '../../store/backorders.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'

/** Two orders that need one SKU at once write its requests one after the other. */
const LOCK = 7_401_931

/** @param needs what this order still needs; empty when it needs nothing any more. */
export async function needs(tx: Tx, orderId: string, wanted: Need[]): Promise<void> {
  const { rows } = await tx.query('select from supply_needs where order_id = $1 limit 1', [orderId])
  if (wanted.length === 0 && rows.length === 0) return
  const skus = await setNeeds(tx, orderId, wanted)
  for (const sku of skus) {
    await tx.query('select pg_advisory_xact_lock($1, hashtext($2))', [LOCK, sku])
    await writePurchase(tx, sku)
    await writeTransfers(tx, sku)
  }
}

async function writeTransfers(tx: Tx, sku: string): Promise<void> {
  const roads = await tx.query<{ from: string; to: string; quantity: number; orders: string[] }>(
    `select n.from_location as "from", n.to_location as "to", sum(n.quantity)::integer as quantity, array_agg(o.external_id order by n.at) as orders
     from supply_needs n join orders o on o.id = n.order_id where n.sku = $1 and n.way = 'transfer' group by 1, 2 order by 1, 2`,
    [sku],
  )
  const keyOf = ({ from, to }: { from: string; to: string }) => `stock:transfer:${sku}:${from}:${to}`
  const open = await tx.query<{ key: string }>(`select key from tasks where state = 'open' and starts_with(key, $1)`, [
    `stock:transfer:${sku}:`,
  ])
  const wanted = new Set(roads.rows.map(keyOf))
  for (const { key } of open.rows) if (!wanted.has(key)) await closeTasks(tx, { key }, 'no order needs it any more')
  for (const road of roads.rows)
    await openTask(tx, {
      kind: 'stock.transfer',
      key: keyOf(road),
      subject: sku,
      title: `Move ${road.quantity} × ${sku} from ${road.from} to ${road.to}`,
      detail: `Orders wait for them: ${road.orders.join(', ')}.`,
      remedy: `Move them, and say what is there (omnisaga stock set): the orders go on by themselves, and the task closes.`,
      field: 'sku',
      value: sku,
      actions: ['skip'],
    })
}
