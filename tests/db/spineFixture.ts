/** Orders driven step by step on a real database, without an engine: what a race looks like is written down call by call. */
import { type OrderRecord, readOrder, changeOrder } from '../../store/orderRecord.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { obey } from '../../activities/order/obey.ts'
import { createOrderSteps, type OrderSteps } from '../../activities/order/steps.ts'
import { connectors } from '../../connectors/registry.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import type { ShipmentAdvice } from '../../connectors/kit/types.ts'
import { createRuntime } from '../../runtime.ts'
import { giveCommand, type Verb } from '../../store/commands.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { receiveOrder } from '../../store/orders.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { listTasks } from '../../store/tasks.ts'
import { removeTestFolder, testFolder } from '../harness/testFolders.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

export type Change = Partial<Omit<IncomingOrder, 'delivery' | 'payment'>> & {
  delivery?: Partial<IncomingOrder['delivery']>
  payment?: Partial<IncomingOrder['payment']>
}

export interface Spine {
  db: FreshDatabase
  runtime: Runtime
  steps: OrderSteps
  /** Takes an order in and returns its id. */
  place(change?: Change): Promise<string>
  /** The steps up to a routed order: check, reserve, confirm, route. */
  untilRouted(orderId: string): Promise<void>
  /** All units handed over to the warehouse as one wave. */
  handOver(orderId: string): Promise<void>
  command(
    orderId: string,
    verb: Verb,
    detail?: Record<string, unknown>,
    more?: { who?: string; taskId?: number },
  ): Promise<{ state: string; answer: string }>
  order(orderId: string): Promise<OrderRecord>
  tasks(orderId: string): Promise<{ id: number; kind: string; value: string | null }[]>
  held(orderId: string): Promise<number>
  stop(): Promise<void>
}

let serial = 0

const line = (
  lineId: string,
  sku: string,
  quantity: number,
  unitPriceMinor: number | null = 10_000,
): IncomingOrder['lines'][number] => ({
  lineId,
  sku,
  externalSku: null,
  name: sku,
  variant: null,
  quantity,
  unitPriceMinor,
  gift: false,
})
export const lines = (...all: [sku: string, quantity: number, unitPriceMinor?: number][]) =>
  all.map(([sku, quantity, price], index) => line(String(index + 1), sku, quantity, price))

export function incoming({ delivery, payment, ...change }: Change): IncomingOrder {
  serial += 1
  const theLines = change.lines ?? lines(['TEE-S', 2])
  const itemsMinor = theLines.reduce((sum, each) => sum + each.quantity * (each.unitPriceMinor ?? 0), 0)
  // What cash is due beyond the goods is shipping.
  const shippingMinor = payment?.method === 'cod' ? Math.max(0, (payment.amountDueMinor ?? 0) - itemsMinor) : 0
  return {
    channel: 'store',
    shop: 'taipei',
    connection: 'store-taipei',
    externalId: `R-${serial}`,
    externalVersion: null,
    placedAt: '2026-11-22T10:00:00+08:00',
    kind: 'online',
    buyer: { name: '測試', phone: '+886912345678', email: null, memberId: null },
    recipient: {
      name: '測試',
      phone: '+886912345678',
      address: {
        postalCode: '110',
        city: '臺北市',
        district: '信義區',
        line: '市府路45號',
        raw: '台北市信義區市府路45號',
        country: 'TW',
      },
    },
    delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null, ...delivery },
    payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD', ...payment },
    totals: { itemsMinor, shippingMinor, discountMinor: 0, totalMinor: itemsMinor + shippingMinor },
    notes: null,
    priority: 0,
    ...change,
    lines: theLines,
  } as IncomingOrder
}

export async function startSpine(): Promise<Spine> {
  const db = await freshDatabase()
  const folder = testFolder()
  const runtime = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: '127.0.0.1:9' }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: 'silent' },
  )
  await applyConnections(
    runtime.pool,
    runtime.secretKey,
    {
      connections: [
        {
          name: 'ecpay',
          connector: 'ecpay',
          config: {
            merchantId: '2000132',
            hashKey: '5294y06JbISpM5x9',
            hashIv: 'v77hoKGq4kWxNNIS',
            baseUrl: 'http://127.0.0.1:9',
            serverReplyUrl: 'http://127.0.0.1:8/webhooks/ecpay',
            homeCollection: true,
          },
        },
        { name: 'warehouse', connector: 'wms-dropfolder', config: { outFolder: folder, inFolder: folder } },
        { name: 'warehouse-south', connector: 'wms-dropfolder', config: { outFolder: folder, inFolder: folder } },
        { name: 'store-taipei', connector: 'store', config: { shop: 'taipei', location: 'shop' } },
      ],
      locations: [
        {
          id: 'north',
          name: '北倉',
          kind: 'warehouse',
          priority: 0,
          warehouseConnection: 'warehouse',
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
        },
        { id: 'south', name: '南倉', kind: 'warehouse', priority: 1, courierHome: 'ecpay', courierCvs: 'ecpay' },
        { id: 'shop', name: '信義店', kind: 'store', ships: false, priority: 9 },
      ],
      products: ['TEE-S', 'TEE-M', 'CAP', 'RARE'].map((sku) => ({ sku, name: sku })),
    },
    connectors,
  )
  const stock: [string, string, number][] = [
    ['north', 'TEE-S', 50],
    ['north', 'TEE-M', 50],
    ['south', 'CAP', 50],
    ['south', 'TEE-M', 50],
    ['shop', 'TEE-S', 10],
    ['shop', 'TEE-M', 10],
  ]
  for (const [location, sku, onHand] of stock)
    await transaction(runtime.pool, (tx) =>
      setOnHand(tx, { key: `count:${location}:${sku}`, sku, location, onHand, reason: 'count' }),
    )
  const steps = createOrderSteps(runtime)

  const spine: Spine = {
    db,
    runtime,
    steps,
    async place(change = {}) {
      return (await receiveOrder(runtime.pool, incoming(change), { connectionVersion: 1 })).orderId
    },
    async untilRouted(orderId) {
      await steps.check(orderId)
      await steps.reserve(orderId)
      await steps.askConfirmation(orderId)
      if (!(await readOrder(runtime.pool, orderId)).is('confirmed')) await spine.command(orderId, 'confirm')
      await steps.route(orderId)
      for (const unit of (await readOrder(runtime.pool, orderId)).units) await steps.queueForWave(orderId, unit.id)
    },
    async handOver(orderId) {
      await changeOrder(runtime.pool, orderId, 'world', (record) => {
        for (const unit of record.units.filter(({ state }) => state === 'ready')) unit.state = 'handedOver'
        record.record('handedToWarehouse')
      })
    },
    async command(orderId, verb, detail = {}, { who = 'person:test', taskId } = {}) {
      const { id } = await giveCommand(runtime.pool, { orderId, verb, detail, who, ...(taskId === undefined ? {} : { taskId }) })
      const { state, answer } = await obey(runtime, orderId, id)
      return { state, answer }
    },
    order: (orderId) => readOrder(runtime.pool, orderId),
    tasks: async (orderId) =>
      (await listTasks(runtime.pool, { orderId, state: 'open' })).map(({ id, kind, value }) => ({ id, kind, value })),
    async held(orderId) {
      const rows = await runtime.pool.query<{ n: number }>(
        `select coalesce(sum(quantity), 0)::int as n from holds where order_id = $1 and state = 'active'`,
        [orderId],
      )
      return rows.rows[0]?.n ?? 0
    },
    async stop() {
      await runtime.close()
      await db.drop()
      removeTestFolder(folder)
    },
  }
  return spine
}

let advices = 0
export function advice(
  unitId: string,
  status: ShipmentAdvice['status'],
  told: [lineId: string, picked: number, short: number][] = [],
): ShipmentAdvice {
  advices += 1
  return {
    unitId,
    status,
    lines: told.map(([lineId, picked, short]) => ({ lineId, picked, short })),
    weightGrams: null,
    eventAt: new Date(Date.UTC(2026, 10, 22, 3, 0, advices)).toISOString(),
    reason: null,
  }
}
