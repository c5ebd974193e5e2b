/**
 * Runs whole orders through the product: order taken in, saga, wave written as a file, warehouse's answer applied, parcel booked
 * by ECPay's connector over HTTP, delivered by a report. The stand-ins for warehouse and courier answer at once.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { applyAdvice } from '../../activities/advice.ts'
import { ring } from '../../activities/engine.ts'
import { takeOrder } from '../../activities/intake.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { makeWaves } from '../../activities/waves.ts'
import { connectors } from '../../connectors/registry.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import { orderIdOf, workflowIdOf } from '../../domain/ids.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { applyConnections } from '../../store/configuration.ts'
import { createPool, transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { migrate } from '../../store/migrate.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { startWorker } from '../../worker.ts'
import { startChild } from '../child.ts'
import { each, type Contender } from './round.ts'

const HASH_KEY = 'a-hash-key-of-ours'
const HASH_IV = 'a-hash-iv-of-ours'
const SKUS = Array.from({ length: 200 }, (_, index) => `SKU-${index}`)
const LOCATION = 'warehouse'
const FAR_MS = 365 * 24 * 60 * 60 * 1000

export interface ProductOptions {
  databaseUrl: string
  engine: { address: string; namespace: string }
  folder: string
}
export interface Product extends Contender {
  runtime: Runtime
  workflowIdOf(serial: number): string
}

export async function startProduct({ databaseUrl, engine, folder }: ProductOptions): Promise<Product> {
  const setup = createPool(databaseUrl, { max: 1 })
  await migrate(setup)
  await setup.end()
  const courier = await startChild('./saga/courier.ts', [HASH_KEY, HASH_IV])
  const runtime = await createRuntime(
    {
      databaseUrl,
      temporal: { connection: { address: engine.address }, namespace: engine.namespace },
      secretKey: secretKeyFrom('a passphrase for the benchmark'),
    },
    { logLevel: 'error' },
  )
  await configure(runtime, `http://127.0.0.1:${courier.said}`, folder)
  // Waves and reports come from the round's own turns, so that they are answered as the bare saga is.
  const worker = await startWorker(runtime, { loops: false })
  return {
    runtime,
    workflowIdOf: (serial) => workflowIdOf(orderIdOf('store', 'bench', externalIdOf(serial))),
    begin: async (serial) => {
      const order = orderOf(serial)
      await takeOrder(runtime, order, { ...order })
    },
    answer: async () => {
      await Promise.all([answerOfWarehouse(runtime), reportOfCourier(runtime)])
    },
    finished: async () =>
      (await runtime.pool.query<{ n: number }>('select count(*) as n from orders where closed')).rows[0]?.n ?? 0,
    stop: async () => {
      await worker.stop()
      await runtime.close()
      await courier.end()
    },
  }
}

async function configure(runtime: Runtime, courierUrl: string, folder: string): Promise<void> {
  const [outFolder, inFolder] = [join(folder, 'to-warehouse'), join(folder, 'from-warehouse')]
  await mkdir(outFolder, { recursive: true })
  await mkdir(inFolder, { recursive: true })
  const quota = { perSecond: 10_000, burst: 10_000, concurrency: 64 }
  const ecpay = {
    merchantId: '2000132',
    hashKey: HASH_KEY,
    hashIv: HASH_IV,
    baseUrl: courierUrl,
    serverReplyUrl: 'http://127.0.0.1:1/webhooks/ecpay',
    quota,
  }
  await applyConnections(
    runtime.pool,
    runtime.secretKey,
    {
      connections: [
        { name: 'ecpay', connector: 'ecpay', config: ecpay },
        { name: 'wms', connector: 'wms-dropfolder', config: { outFolder, inFolder } },
        { name: 'shop', connector: 'store', config: { shop: 'bench', location: LOCATION } },
      ],
      locations: [
        {
          id: LOCATION,
          name: LOCATION,
          kind: 'warehouse',
          warehouseConnection: 'wms',
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
          sender: { name: '林小倉', phone: '+886912000111', postalCode: '251', address: '新北市淡水區中正路1號' },
        },
      ],
      products: SKUS.map((sku) => ({ sku, name: `商品 ${sku}` })),
    },
    connectors,
  )
  await each(SKUS, (sku) =>
    transaction(runtime.pool, (tx) => setOnHand(tx, { key: sku, sku, location: LOCATION, onHand: 1_000_000, reason: 'count' })),
  )
}

const externalIdOf = (serial: number) => `B-${serial}`

/** A prepaid home delivery of two lines. */
function orderOf(serial: number): IncomingOrder {
  const line = (lineId: string, sku: string) => ({
    lineId,
    sku,
    externalSku: sku,
    name: `商品 ${sku}`,
    variant: null,
    quantity: 1,
    unitPriceMinor: 59_000,
    gift: false,
  })
  const address = {
    postalCode: '110',
    city: '臺北市',
    district: '信義區',
    line: '市府路45號',
    raw: '110臺北市信義區市府路45號',
    country: 'TW',
  }
  return {
    channel: 'store',
    shop: 'bench',
    connection: 'shop',
    externalId: externalIdOf(serial),
    externalVersion: null,
    placedAt: '2026-01-02T03:04:05Z',
    kind: 'online',
    buyer: { name: '陳測試', phone: '+886912345678', email: null, memberId: null },
    recipient: { name: '陳測試', phone: '+886912345678', address },
    delivery: { method: 'home', service: null, cvs: null, location: null, promisedBy: null, askedTime: null },
    payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
    lines: [line('1', `SKU-${serial % 200}`), line('2', `SKU-${(serial * 7 + 3) % 200}`)],
    totals: { itemsMinor: 118_000, shippingMinor: 0, discountMinor: 0, totalMinor: 118_000 },
    notes: null,
    priority: 0,
  }
}

async function answerOfWarehouse(runtime: Runtime): Promise<void> {
  await makeWaves(runtime)
  const waiting = await runtime.pool.query<{ id: string; lines: { lineId: string; sku: string; quantity: number }[] }>(
    `select u.id, (select jsonb_agg(jsonb_build_object('lineId', l.line_id, 'sku', l.sku, 'quantity', l.quantity)) from unit_lines l
       where l.unit_id = u.id) as lines from units u where u.state = 'handedOver'`,
  )
  await each(waiting.rows, async ({ id, lines }) => {
    const { orderId, wake } = await applyAdvice(runtime.pool, {
      unitId: id,
      status: 'packed',
      eventAt: new Date().toISOString(),
      weightGrams: 800,
      reason: null,
      lines: lines.map((line) => ({ ...line, picked: line.quantity, short: 0 })),
    })
    if (wake) await ring(runtime, orderId)
  })
}

let reports = 0
async function reportOfCourier(runtime: Runtime): Promise<void> {
  const waiting = await runtime.pool.query<{ reference: string }>(`select reference from parcels where state = 'booked'`)
  await each(waiting.rows, async ({ reference }) => {
    const report = {
      reference,
      courierBookingId: null,
      waybill: null,
      code: '3003',
      meaning: 'delivered' as const,
      detail: '',
      eventAt: new Date().toISOString(),
    }
    const applied = await applyParcelReport(runtime.pool, ++reports, report, FAR_MS)
    if (applied !== null && applied !== 'early' && applied.wake) await ring(runtime, applied.orderId)
  })
}
