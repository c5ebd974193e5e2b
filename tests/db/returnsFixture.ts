/** What the tests of returns say of them: bought and delivered, asked back, what lies where, what is owed. */
import { applyConnections } from '../../store/configuration.ts'
import { audit } from '../../store/audit.ts'
import { listTasks } from '../../store/tasks.ts'
import { askReturn, type WantedReturn } from '../../activities/returns/ask.ts'
import type { Participants } from './participantsFixture.ts'

export const line = (lineId: string, quantity: number, disposition: 'restock' | 'outlet' | 'refurbish' | 'scrap') => ({
  lineId,
  quantity,
  disposition,
  location: null,
  note: null,
})

/** @param at started by the test */
export function returnsOf(at: () => Participants) {
  let keys = 0
  const want = (change: Partial<WantedReturn> = {}): WantedReturn => {
    keys += 1
    return {
      key: `k${keys}`,
      lines: [{ lineId: '1', quantity: 2 }],
      reason: 'does not fit',
      way: 'store',
      location: null,
      pickup: null,
      exchange: null,
      ...change,
    }
  }
  const delivered = async (change: Parameters<Participants['place']>[0] = {}) => {
    const id = await at().place(change)
    const { reference } = await at().booked(id)
    await at().news(reference, 'delivered')
    await at().tell()
    return id
  }
  const approved = async (orderId: string, change: Partial<WantedReturn> = {}) =>
    (await askReturn(at().runtime, orderId, want(change), 'person:test')).row
  const onHand = async (sku: string, location: string) =>
    (
      await at().runtime.pool.query<{ n: number }>('select on_hand as n from stock where sku = $1 and location = $2', [
        sku,
        location,
      ])
    ).rows[0]?.n ?? 0
  const policy = (returns: Record<string, unknown>, more: Record<string, unknown> = {}) =>
    applyConnections(
      at().runtime.pool,
      at().runtime.secretKey,
      { policy: { returns, ...more } } as never,
      at().runtime.connectors,
    )
  const refundsOf = async (orderId: string) =>
    (
      await at().runtime.pool.query<{ key: string; amount: number }>(
        `select key, (payload->>'amountMinor')::bigint as amount from outbox where order_id = $1 and kind = 'refund' order by id`,
        [orderId],
      )
    ).rows
  const openKinds = async (orderId: string) =>
    (await listTasks(at().runtime.pool, { orderId, state: 'open' })).map(({ kind }) => kind)
  const violations = async () => (await audit(at().runtime.pool)).violations
  return { want, delivered, approved, onHand, policy, refundsOf, openKinds, violations }
}
