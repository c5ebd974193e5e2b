/** After the delivery: the customer is asked how it was, and a bad answer is a person's. */
import { OmnisagaError } from '../../domain/errors.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { closeTasks, openTask } from '../../store/tasks.ts'
import type { Runtime } from '../runtime.ts'

const BAD = 2
const BATCH = 200

/** @throws Rejected: nothing of it was delivered. */
export async function giveFeedback(
  runtime: Runtime,
  orderId: string,
  { score, text }: { score: number; text: string | null },
  by: string,
): Promise<void> {
  await changeOrder(runtime.pool, orderId, 'world', async (record, tx) => {
    if (!record.lines.some(({ delivered }) => delivered > 0))
      throw new OmnisagaError('Rejected', 'nothing of it was delivered yet', {
        code: 'notDelivered',
        remedy: 'Send it after the delivery.',
      })
    await tx.query(
      `insert into feedback (order_id, score, text, by) values ($1, $2, $3, $4)
       on conflict (order_id) do update set score = excluded.score, text = excluded.text, by = excluded.by, at = now()`,
      [orderId, score, text, by],
    )
    if (score > BAD)
      return await closeTasks(tx, { key: `feedback:${orderId}` }, 'the customer is content now').then(() => undefined)
    await openTask(tx, {
      kind: 'order.feedback',
      key: `feedback:${orderId}`,
      orderId,
      connection: record.connection,
      subject: record.doc.externalId,
      title: `The customer is not content: ${score} of 5`,
      detail: `Order ${record.doc.externalId}: ${text ?? 'no words'}`,
      remedy: 'Talk to the customer; a return or a refund goes by POST /api/v1/orders/ID/returns.',
      field: 'score',
      value: String(score),
      actions: ['skip'],
    })
  })
}

/** Each delivered order is asked once, so long after its delivery as the policy says. */
export async function askFeedback(runtime: Runtime): Promise<void> {
  const { feedbackAfterMs } = await runtime.policy()
  if (feedbackAfterMs === null) return
  const rows = await runtime.pool.query<{ orderId: string }>(
    `select distinct p.order_id as "orderId" from parcels p join orders o on o.id = p.order_id
     where p.state = 'delivered' and o.phase = 'delivered' and p.delivered_at < now() - $1 * interval '1 millisecond'
       and p.delivered_at > now() - $1 * interval '1 millisecond' - interval '7 days'
       and not exists (select from notices n where n.key = p.order_id || ':feedback') limit $2`,
    [feedbackAfterMs, BATCH],
  )
  for (const { orderId } of rows.rows)
    await changeOrder(runtime.pool, orderId, 'world', (record) =>
      record.tellCustomer({ key: `${orderId}:feedback`, template: 'feedback' }),
    )
}
