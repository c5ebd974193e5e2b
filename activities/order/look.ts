/** The first and the last step, and the look that a doorbell asks for. */
import type { SagaPolicy } from '../../domain/policy.ts'
import type { OrderView } from '../../domain/view.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import type { Runtime } from '../runtime.ts'
import { obeyWaiting } from './obey.ts'

export async function begin(runtime: Runtime, orderId: string): Promise<{ view: OrderView; policy: SagaPolicy }> {
  const { view, record } = await changeOrder(runtime.pool, orderId, 'saga', (r, tx) => obeyWaiting(r, tx))
  const { tryOnDecisionMs, confirmTimeoutMs, bookingRetryMs, courierRetryMs } = await runtime.policy(record.settingsVersion)
  return { view, policy: { tryOnDecisionMs, confirmTimeoutMs, bookingRetryMs, courierRetryMs } }
}

export async function look(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (await changeOrder(runtime.pool, orderId, 'saga', (record, tx) => obeyWaiting(record, tx))).view
}

/** Everything is delivered, returned or cancelled: nothing more will be done by itself. */
export async function close(runtime: Runtime, orderId: string): Promise<OrderView> {
  return (
    await changeOrder(runtime.pool, orderId, 'saga', async (record, tx) => {
      record.record('closed')
      record.closed = true
      // What could not be undone and what came back stays a task, whatever became of the order.
      await record.closeTasks(tx, { prefix: `order:${record.id}:` }, 'the order is finished')
    })
  ).view
}
