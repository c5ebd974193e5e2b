import type { RawRecord } from '../../../connectors/kit/types.ts'
import { seedOrder, seedOrders, startVendureSimulator, type SimVariant } from '../../../simulators/vendure/index.ts'
import type { Subject } from '../subject.ts'

const ACCOUNT = { username: 'omnisaga', password: 'acceptance-vendure-password' }
const MINUTE = 60_000

const variant = (id: string, sku: string): SimVariant => ({
  id,
  createdAt: `2026-11-01T00:00:0${id}.000Z`,
  sku,
  name: sku,
  trackInventory: 'TRUE',
  product: { id: '1' },
  stockLevels: [{ stockLocationId: '1', stockOnHand: 20, stockAllocated: 3, updatedAt: '2026-11-01T00:00:00.000Z' }],
})

/** An order with the fields that must be there, and `over`. */
const record = (over: Record<string, unknown>): RawRecord => {
  const { shippingAddress: _address, customer: _customer, ...order } = seedOrder(900, new Date('2026-11-22T02:00:00Z'))
  return {
    kind: 'order',
    externalId: order.code,
    version: `1-${JSON.stringify(over).length}`,
    eventAt: null,
    payload: { ...order, payments: null, fulfillments: null, ...over },
  }
}

export const subject: Subject = {
  name: 'vendure',
  async stage() {
    const sim = await startVendureSimulator({ ...ACCOUNT, variants: [variant('1', 'SHIRT-S'), variant('2', 'SHIRT-M')] })
    const until = Date.now() - 10 * MINUTE
    const orders = seedOrders(20, new Date(until))
    sim.seed(orders)
    const [first, second] = [orders[0]!, orders[1]!]
    const line = { orderLineId: first.lines[0]!.id, quantity: 1 }
    second.fulfillments.push({
      id: 'f1',
      state: 'Shipped',
      method: 'TCAT',
      trackingCode: '9001',
      updatedAt: second.updatedAt,
      lines: [{ orderLineId: second.lines[0]!.id, quantity: 1 }],
    })
    const told = { externalId: first.code, key: 'k1', waybill: '900123456785', courier: 'TCAT', lines: [] }
    const operation = (name: string) => ({ path: '/admin-api', method: 'POST', fields: { operationName: `^${name}$` } })
    return {
      config: { ...ACCOUNT, baseUrl: sim.url, shop: 'acceptance', pageSize: 6 },
      secrets: [ACCOUNT.password],
      personalData: orders.flatMap(({ customer, shippingAddress }) => [
        customer.emailAddress,
        customer.phoneNumber,
        String(shippingAddress.fullName),
        String(shippingAddress.streetLine1),
      ]),
      faults: sim.faults,
      bad: [
        { name: 'a wrong password', config: { password: 'wrong' }, says: /username and password/ },
        { name: 'a stock location that is none', config: { stockLocationId: '99' }, says: /stockLocationId/ },
        { name: 'more a page than there is', config: { pageSize: 101 }, says: /pageSize/ },
      ],
      orders: {
        externalIds: orders.map(({ code }) => code),
        window: { from: new Date(until - MINUTE), to: new Date(until + MINUTE) },
        edit: (code) => sim.edit(code),
        windowAfterEdits: () => ({ from: new Date(until), to: new Date(Date.now() + 1_000) }),
      },
      writes: [
        {
          name: 'writeTracking',
          run: (ctx, { writeTracking }) => writeTracking!(ctx, told),
          effects: () => sim.order(first.code).fulfillments.filter(({ trackingCode }) => trackingCode === told.waybill).length,
          request: operation('addFulfillmentToOrder'),
        },
        {
          name: 'writeTracking of a part',
          run: (ctx, { writeTracking }) =>
            writeTracking!(ctx, { ...told, lines: [{ lineId: line.orderLineId, sku: null, externalSku: null, quantity: 1 }] }),
          effects: () => sim.order(first.code).fulfillments.filter(({ state }) => state === 'Shipped').length,
          request: operation('transitionFulfillmentToState'),
        },
        {
          name: 'writeDelivered',
          run: (ctx, { writeDelivered }) =>
            writeDelivered!(ctx, { externalId: second.code, waybill: '9001', at: '2026-11-22T10:00:00+08:00' }),
          effects: () => sim.order(second.code).fulfillments.filter(({ state }) => state === 'Delivered').length,
          request: operation('transitionFulfillmentToState'),
        },
        {
          name: 'cancelOrder',
          run: (ctx, { cancelOrder }) => cancelOrder!(ctx, { externalId: first.code, reason: 'out of stock' }),
          effects: () => sim.order(first.code).cancellations,
          request: operation('cancelOrder'),
        },
        {
          name: 'refund',
          run: (ctx, { refund }) =>
            refund!(ctx, {
              externalId: first.code,
              key: 'r1',
              amountMinor: 10_000,
              currency: 'TWD',
              lines: [],
              reason: 'damaged',
            }),
          effects: () => sim.order(first.code).payments.flatMap(({ refunds }) => refunds).length,
          request: operation('refundOrder'),
        },
        {
          name: 'stock.push',
          run: async (ctx, { stock }) => {
            const level = { listingId: '1', variantId: '1', externalSku: 'SHIRT-S', title: null, quantity: 41, version: 2 }
            const [outcome] = await stock!.push!(ctx, [level])
            if (outcome?.error) throw new Error(outcome.error.message)
          },
          // What customers can buy: on hand less the three that are allocated.
          effects: () => sim.variants().filter(({ stockLevels: [level] }) => level?.stockOnHand === 44).length,
          request: operation('updateProductVariants'),
        },
      ],
      expireToken: { expire: () => sim.endSessions(), refreshes: true, timesRefreshed: () => sim.logins() },
      lenient: {
        unknownStatus: {
          record: record({ state: 'Teleported' }),
          seen: (mapped) => (mapped as { notes: string | null }).notes?.includes('Teleported') === true,
        },
        masked: record({ shippingAddress: { fullName: '王**', streetLine1: '******', countryCode: 'TW' } }),
        malformed: { ...record({ lines: 'none' }), externalId: 'SIM-MALFORMED' },
      },
      stop: sim.stop,
    }
  },
}
