/** What the sweep does about backorders: claims of nobody end, a promise that was not kept becomes a task, and buyers are asked. */
import { tidyClaims } from '../../store/backorders.ts'
import { transaction } from '../../store/db.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'
import { askBuyers } from './purchases.ts'

export async function tidyBackorders(runtime: Runtime): Promise<void> {
  await tidyClaims(runtime.pool, (work) => transaction(runtime.pool, work))
  const late = await runtime.pool.query<{
    orderId: string
    externalId: string
    connection: string
    skus: string
    promised: string
  }>(
    `select b.order_id as "orderId", o.external_id as "externalId", o.connection, string_agg(b.quantity || ' × ' || b.sku, ', ' order by b.id) as skus,
       to_char(min(b.promised_at), 'YYYY-MM-DD') as promised
     from backorders b join orders o on o.id = b.order_id where b.state = 'open' and b.promised_at < now()
       and not exists (select from tasks t where t.key = 'order:' || b.order_id || ':backorder')
     group by 1, 2, 3 limit 200`,
  )
  for (const { orderId, externalId, connection, skus, promised } of late.rows)
    await openTask(runtime.pool, {
      kind: 'backorder.overdue',
      key: `order:${orderId}:backorder`,
      orderId,
      connection,
      subject: externalId,
      title: 'A backorder was not there when it was promised',
      detail: `Order ${externalId} still waits for ${skus}, promised for ${promised}.`,
      remedy: 'Tell the customer when it comes, change the lines, or cancel the order. What arrives is kept for it.',
      field: 'lines',
      value: skus,
      actions: ['change', 'cancel', 'skip'],
    })
  const over = await runtime.pool.query<{ key: string }>(
    `select t.key from tasks t where t.kind = 'backorder.overdue' and t.state = 'open'
       and not exists (select from backorders b where b.order_id = t.order_id and b.state = 'open')`,
  )
  for (const { key } of over.rows) await closeTasks(runtime.pool, { key }, 'it is served')
  await askBuyers(runtime)
}
