/** Every path an order can take, walked from outside to its end. Each gives back its orders: an exchange is two. */
import { untilShown, withoutWaves } from '../../tests/scenario/marketplaceViews.ts'
import { STORE, show, untilBooked, type People } from './people.ts'

export interface Road {
  name: string
  /** So many Actions it may take: the goal where there is one, else somewhat more than it took, for bells that ring apart or together. */
  actions: number
  walk(people: People): Promise<string[]>
}

const line = (sku: string, quantity = 1) => ({ sku, quantity, unitPriceMinor: 59_000 })
const AT_7_ELEVEN = { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '991182' } }
const COD = { method: 'cod', amountDueMinor: 59_000 }
const pickup = { delivery: { method: 'storePickup', location: STORE } }
const tryOn = (lines: unknown[]) => ({
  kind: 'tryOn',
  delivery: { method: 'home', location: STORE },
  payment: { method: 'cod', amountDueMinor: 59_000 * lines.length },
  lines,
})
const lineOf = async ({ world }: People, orderId: string, sku: string) =>
  (await show(world, orderId)).lines.find((each) => each.sku === sku)?.lineId ?? ''
const voucherOf = async ({ world }: People, orderId: string) => {
  const { rows } = await world.runtime.pool.query<{ code: string }>('select code from vouchers where order_id = $1', [orderId])
  return rows[0]?.code ?? ''
}

async function delivered(people: People, change?: Record<string, unknown>): Promise<string> {
  const orderId = await people.place(change)
  await people.courierBrings(orderId, 'delivered')
  return orderId
}

/** The customer stands in the store, with what was there and what was brought. */
async function triesOn(people: People): Promise<string> {
  const orderId = await people.place(tryOn([line('TEE-S'), line('CAP'), line('MUG')]))
  const appointment = await people.book(orderId)
  await people.carry(orderId, 'order')
  await people.post(`appointments/${appointment}/arrived`)
  return orderId
}

async function groupBuy(people: People, id: string, minimum: number): Promise<string> {
  const { world } = people
  const closesAt = new Date(Date.now() + 3_600_000).toISOString()
  await people.post('campaigns', { id, minimum, closesAt, allotments: [{ sku: 'CAP', location: 'wh-north', quantity: 10 }] })
  const orderId = await people.place({ kind: 'groupBuy', campaign: id, lines: [line('CAP', 2)] })
  await world.until('it waits for its campaign', async () => {
    const { confirmAsked } = (await show(world, orderId)).facts as { confirmAsked?: { for?: string } }
    return confirmAsked?.for === 'campaign'
  })
  await people.post(`campaigns/${id}/close`)
  return orderId
}

export const roads: Road[] = [
  {
    name: 'prepaid, delivered at home',
    actions: 12,
    walk: async (people) => [await delivered(people)],
  },
  {
    name: 'cash at a convenience store, to the remittance',
    actions: 14,
    async walk(people) {
      const orderId = await people.place({ delivery: AT_7_ELEVEN, payment: COD })
      await people.confirm(orderId)
      await people.courierBrings(orderId, 'delivered')
      await people.payOut(orderId, 590)
      return [orderId]
    },
  },
  {
    name: 'try-on with cash on delivery, from the appointment to the remittance',
    actions: 30,
    async walk(people) {
      const orderId = await triesOn(people)
      await people.ask(orderId, 'decide', {
        keep: { [await lineOf(people, orderId, 'CAP')]: 1 },
        exchange: { [await lineOf(people, orderId, 'TEE-S')]: 'TEE-M' },
      })
      await people.carry(orderId, 'back')
      await people.confirm(orderId)
      await people.courierBrings(orderId, 'delivered')
      await people.payOut(orderId, 1_180)
      return [orderId]
    },
  },
  {
    name: 'try-on that keeps nothing',
    actions: 16,
    async walk(people) {
      const orderId = await triesOn(people)
      await people.ask(orderId, 'decide', { keep: {} })
      await people.world.untilPhase(orderId, 'cancelled')
      await people.carry(orderId, 'back')
      return [orderId]
    },
  },
  {
    name: 'cancelled before picking',
    actions: 8,
    walk: async (people) =>
      await withoutWaves(people.world, async () => {
        const orderId = await people.place()
        await untilShown(people.world, 'waits for the wave', orderId, ({ units }) => units[0]?.state === 'ready')
        await people.ask(orderId, 'cancel', { reason: 'changed their mind' })
        // A store's till pays nothing back by a call.
        await people.settle(orderId, 'refund.byHand', 'done')
        return [orderId]
      }),
  },
  {
    name: 'cancelled after packing',
    actions: 16,
    async walk(people) {
      const orderId = await people.place()
      await untilBooked(people.world, orderId)
      await people.ask(orderId, 'cancel', { reason: 'changed their mind' })
      // The warehouse has packed it and ECPay cancels no home delivery: a person fetches the box and tears up the label.
      await people.settle(orderId, 'recall.refused', 'recalled')
      await people.closed(orderId)
      await people.settle(orderId, 'booking.cancel', 'skip')
      await people.settle(orderId, 'refund.byHand', 'done')
      return [orderId]
    },
  },
  {
    name: 'short pick, the rest from another warehouse',
    actions: 18,
    async walk(people) {
      const orderId = await people.place({ lines: [line('TEE-M', 2)] })
      people.world.wms.short(orderId, 1)
      await people.courierBrings(orderId, 'delivered', 2)
      return [orderId]
    },
  },
  {
    name: 'not fetched, sent back and restocked',
    actions: 14,
    async walk(people) {
      const orderId = await people.place({ delivery: AT_7_ELEVEN, payment: COD })
      await people.confirm(orderId)
      await people.courierBrings(orderId, 'returned')
      await people.closed(orderId)
      await people.settle(orderId, 'return.receive', 'restocked')
      return [orderId]
    },
  },
  {
    name: 'split over two warehouses',
    actions: 15,
    async walk(people) {
      const orderId = await people.place({ lines: [line('TEE-S'), line('RARE')] })
      await people.courierBrings(orderId, 'delivered', 2)
      return [orderId]
    },
  },
  {
    name: 'bought on the web, fetched at the store',
    actions: 10,
    async walk(people) {
      const orderId = await people.place({ ...pickup, lines: [line('MUG')] })
      await people.carry(orderId, 'order')
      await people.world.untilPhase(orderId, 'packed')
      await people.post(`vouchers/${await voucherOf(people, orderId)}/collected`)
      return [orderId]
    },
  },
  {
    name: 'never fetched at the store',
    actions: 8,
    async walk(people) {
      const { world } = people
      const orderId = await people.place(pickup)
      await world.untilPhase(orderId, 'packed')
      await world.runtime.pool.query(`update vouchers set expires_at = now() - interval '1 second' where order_id = $1`, [
        orderId,
      ])
      await world.untilPhase(orderId, 'cancelled')
      await people.closed(orderId)
      await people.settle(orderId, 'unit.putBack', 'skip')
      await people.settle(orderId, 'refund.byHand', 'done')
      return [orderId]
    },
  },
  {
    name: 'group-buy that is reached',
    actions: 14,
    async walk(people) {
      const orderId = await groupBuy(people, 'reached', 2)
      await people.courierBrings(orderId, 'delivered')
      return [orderId]
    },
  },
  {
    name: 'group-buy under its minimum',
    actions: 8,
    async walk(people) {
      const orderId = await groupBuy(people, 'missed', 50)
      await people.world.untilPhase(orderId, 'cancelled')
      await people.settle(orderId, 'refund.byHand', 'done')
      return [orderId]
    },
  },
  {
    name: 'returned and paid back',
    actions: 12,
    async walk(people) {
      const orderId = await delivered(people)
      await people.closed(orderId)
      const { id } = await people.post<{ id: string }>(`orders/${orderId}/returns`, {
        reason: '不合身',
        way: 'store',
        lines: [{ lineId: '1', quantity: 1 }],
      })
      await people.post(`returns/${id}/received`, { location: STORE })
      await people.settle(orderId, 'return.inspect', 'restock')
      await people.settle(orderId, 'refund.byHand', 'done')
      return [orderId]
    },
  },
  {
    name: 'exchanged, both orders',
    actions: 24,
    async walk(people) {
      const { world } = people
      const orderId = await delivered(people)
      const asked = await people.post<{ id: string }>(`orders/${orderId}/returns`, {
        reason: '不合身',
        way: 'store',
        lines: [{ lineId: '1', quantity: 1 }],
        exchange: { lines: [line('TEE-M')] },
      })
      const exchange = await world.until('the exchange is held', async () => {
        const { exchangeOrderId } = (await world.get<{ exchangeOrderId: string | null }>(`/api/v1/returns/${asked.id}`)).body
        return exchangeOrderId !== null && (await world.phase(exchangeOrderId)) === 'confirming' && exchangeOrderId
      })
      await people.post(`returns/${asked.id}/received`, { location: STORE })
      await people.courierBrings(exchange, 'delivered')
      await people.settle(orderId, 'return.inspect', 'restock')
      return [orderId, exchange]
    },
  },
  {
    name: 'booking refused, mended by a person',
    actions: 18,
    async walk(people) {
      const { faults } = people.world.ecpay
      faults.add({ kind: 'refuse', path: '/Express/Create', message: '收件人地址不在配送範圍', times: 0 })
      const orderId = await people.place()
      await people.task(orderId, 'booking.refused')
      faults.clear()
      await people.settle(orderId, 'booking.refused', 'retry')
      await people.courierBrings(orderId, 'delivered')
      return [orderId]
    },
  },
]
