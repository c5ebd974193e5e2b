/** An order that was paid and is called off: its money goes back once, and by whom it should. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeOrder } from '../../store/orderRecord.ts'
import { releaseAll } from '../../activities/order/undo.ts'
import { applyConnections } from '../../store/configuration.ts'
import { listTasks } from '../../store/tasks.ts'
import { startParticipants, type Participants } from './participantsFixture.ts'
import { returnsOf } from './returnsFixture.ts'
import { lines } from './spineFixture.ts'

let at: Participants
beforeAll(async () => {
  at = await startParticipants()
  const file = (name: string, paysBackItself: boolean) => ({
    name,
    connector: 'file',
    config: { channel: name, shop: 'one', paysBackItself },
  })
  await applyConnections(
    at.runtime.pool,
    at.runtime.secretKey,
    { connections: [file('market', true), file('orders-by-mail', false)] } as never,
    at.runtime.connectors,
  )
})
afterAll(async () => {
  await at?.stop()
})
const { refundsOf, openKinds } = returnsOf(() => at)

/** As a person asks for it, or as the channel tells it; then as the saga carries it out. */
async function callOff(id: string, by = 'person:chen') {
  await changeOrder(at.runtime.pool, id, 'world', (record) => {
    record.record('cancelRequested', { by, reason: 'changed my mind' })
    return Promise.resolve()
  })
  await releaseAll(at.runtime, id)
  await releaseAll(at.runtime, id)
}
const elsewhere = (channel: string) => ({ channel, shop: 'one', connection: channel })

describe('the money of an order that is called off', () => {
  it('is paid back through the channel that can, once, and the customer hears of it', async () => {
    const id = await at.place()
    await callOff(id)
    await at.tell()
    expect(await refundsOf(id)).toEqual([{ key: `refund:${id}:cancelled`, amount: 20_000 }])
    expect(at.heard.refunds.get(`refund:${id}:cancelled`)).toBe(20_000)
    expect(at.heard.channel.filter((what) => what.startsWith('refunded'))).toHaveLength(1)
    expect(await openKinds(id)).toEqual([])
  })

  it('is transferred by a person where nobody else can', async () => {
    const id = await at.place(elsewhere('orders-by-mail'))
    await callOff(id)
    expect(await listTasks(at.runtime.pool, { orderId: id, state: 'open' })).toMatchObject([
      { kind: 'refund.byHand', value: '20000', actions: ['done', 'skip'], detail: expect.stringContaining('changed my mind') },
    ])
  })

  it('is left to a channel that pays its buyers itself, or that called it off itself', async () => {
    const market = await at.place(elsewhere('market'))
    await callOff(market)
    const told = await at.place(elsewhere('orders-by-mail'))
    await callOff(told, 'channel:orders-by-mail')
    for (const id of [market, told]) {
      expect(await refundsOf(id)).toEqual([])
      expect(await openKinds(id)).toEqual([])
    }
  })

  it('is nothing where nothing was paid', async () => {
    const id = await at.place({
      ...elsewhere('orders-by-mail'),
      payment: { method: 'cod', state: 'due', amountDueMinor: 20_000 },
    })
    await callOff(id)
    expect(await openKinds(id)).toEqual([])
  })

  it('is that of the rest where some of it is with the customer', async () => {
    const id = await at.place({ lines: lines(['TEE-S', 2]) })
    await changeOrder(at.runtime.pool, id, 'world', (record) => {
      for (const line of record.lines) Object.assign(line, { picked: 1, packed: 1, shipped: 1, delivered: 1 })
      return Promise.resolve()
    })
    await callOff(id)
    expect((await refundsOf(id)).map(({ amount }) => amount)).toEqual([10_000])
  })

  it('is for a person to settle where it was goods given in exchange, once these are here', async () => {
    const exchange = (onHold: boolean) => ({
      ...elsewhere('orders-by-mail'),
      onHold,
      payment: { method: 'cod' as const, state: 'due' as const, amountDueMinor: 5_000 },
      totals: { itemsMinor: 20_000, shippingMinor: 0, discountMinor: 15_000, totalMinor: 5_000 },
      exchangeOf: { orderId: 'o-1', returnId: 'r-1', until: '2027-01-01T00:00:00Z' },
    })
    const [here, away] = [await at.place(exchange(false)), await at.place(exchange(true))]
    await callOff(here)
    await callOff(away)
    expect(await listTasks(at.runtime.pool, { orderId: here, state: 'open' })).toMatchObject([
      { kind: 'refund.byHand', detail: expect.stringContaining('TWD 150.00'), actions: ['skip'] },
    ])
    expect(await openKinds(away)).toEqual([])
  })
})
