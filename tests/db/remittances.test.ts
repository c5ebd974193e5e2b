/** Cash on delivery until it is ours: matched by parcel, once, and what does not fit is a task. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pullRemittances, remittanceRound } from '../../activities/remittances.ts'
import { connectors } from '../../connectors/registry.ts'
import { audit } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { getOrder } from '../../store/orders.ts'
import { recordRemittance, type RemittanceLine } from '../../store/remittances.ts'
import { closeTasks, listTasks } from '../../store/tasks.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
let sim: EcpaySimulator
beforeEach(async () => {
  ;[spine, sim] = await Promise.all([startSpine(), startEcpaySimulator({ callbackAttempts: 1 })])
})
afterEach(() => Promise.all([spine.stop(), sim.stop()]))

const remitted = async () =>
  (await audit(spine.db.pool)).violations.filter(({ invariant }) => invariant.startsWith('remitted money'))
const kinds = async () => (await listTasks(spine.db.pool, { state: 'open' })).map(({ kind }) => kind)
const record = (line: RemittanceLine) => transaction(spine.db.pool, (tx) => recordRemittance(tx, 'ecpay', line))
const line = (over: Partial<RemittanceLine> = {}): RemittanceLine => ({
  reference: null,
  courierBookingId: '10001',
  collectedMinor: 65_000,
  feeMinor: 1_000,
  paidOutOn: '2026-11-20',
  ...over,
})

/** An order whose parcel was delivered against NT$ 650. */
async function delivered(bookingId: string, reference: string, daysAgo = 1): Promise<string> {
  const orderId = await spine.place({ payment: { method: 'cod', state: 'due', amountDueMinor: 65_000 } })
  const unit = `${orderId}-u1`
  await spine.db.pool.query(
    `insert into units (id, order_id, serial, location, state) values ($1, $2, 1, 'north', 'delivered')`,
    [unit, orderId],
  )
  await spine.db.pool.query(
    `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, state, waybill, courier_booking_id, amount_due_minor,
       label_amount_minor, delivered_at)
     values ($1, $2, $3, 1, 'ecpay', 'UNIMART', $4, 'delivered', $5, $6, 65000, 65000, now() - $7 * interval '1 day')`,
    [`${unit}-p1`, orderId, unit, reference, `W${bookingId}`, bookingId, daysAgo],
  )
  return orderId
}

test('a line is matched once, and the order shows that its cash is paid out', async () => {
  const orderId = await delivered('10001', 'OSREMIT1')
  expect(await record(line())).toBe('matched')
  expect(await record(line())).toBe('known')
  const parcels = (await getOrder(spine.db.pool, orderId))?.parcels
  expect(parcels).toMatchObject([{ collectedMinor: 65_000, feeMinor: 1_000, remittedOn: '2026-11-20' }])
  expect(await kinds()).toEqual([])
  expect(await remitted()).toEqual([])
})

test('too little is a task that closes when the rest comes, and is not asked again once a person settled it', async () => {
  await delivered('10001', 'OSREMIT1')
  expect(await record(line({ collectedMinor: 60_000 }))).toBe('differs')
  expect(await kinds()).toEqual(['remittance.difference'])
  expect(await remitted()).toEqual([])
  expect(await record(line({ collectedMinor: 5_000, paidOutOn: '2026-11-27' }))).toBe('matched')
  expect(await kinds()).toEqual([])

  await delivered('10002', 'OSREMIT2')
  await record(line({ courierBookingId: '10002', collectedMinor: 60_000 }))
  await closeTasks(spine.db.pool, { prefix: 'parcel:' }, 'settled', 'person:chen')
  expect(await record(line({ courierBookingId: '10002', collectedMinor: 60_000 }))).toBe('known')
  expect(await kinds()).toEqual([])
  expect(await remitted()).toEqual([])
  await record(line({ courierBookingId: '10002', collectedMinor: 61_000 }))
  expect(await kinds()).toEqual(['remittance.difference'])
})

test('money for a parcel that nobody knows is a task, until its parcel is known', async () => {
  expect(await record(line({ courierBookingId: '77' }))).toBe('unknown')
  expect(await kinds()).toEqual(['remittance.unknown'])
  expect(await remitted()).toEqual([])
  await delivered('77', 'OSREMIT7')
  expect(await record(line({ courierBookingId: '77' }))).toBe('matched')
  expect(await kinds()).toEqual([])
})

test('a parcel is found by our reference too, but not at another courier', async () => {
  await delivered('10001', 'OSREMIT1')
  expect(await record(line({ courierBookingId: 'changed', reference: 'OSREMIT1' }))).toBe('matched')
  const elsewhere = await transaction(spine.db.pool, (tx) =>
    recordRemittance(tx, 'store-taipei', line({ courierBookingId: '10001' })),
  )
  expect(elsewhere).toBe('unknown')
})

test('the audit finds amounts that somebody changed by hand', async () => {
  const orderId = await delivered('10001', 'OSREMIT1')
  await record(line())
  await spine.db.pool.query('update parcels set collected_minor = 1 where order_id = $1', [orderId])
  expect((await remitted()).map(({ subject }) => subject)).toEqual([`${orderId}-u1-p1`, `${orderId}-u1-p1`])
})

test('the daily round asks the courier, opens a task for what is overdue, and closes it when it is paid', async () => {
  const { runtime } = spine
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
            baseUrl: sim.url,
            serverReplyUrl: 'http://127.0.0.1:8/webhooks/ecpay',
          },
        },
      ],
    },
    connectors,
  )
  const { courier } = connectors.ecpay ?? {}
  const { context } = await runtime.connection('ecpay')
  const request = {
    reference: 'OSREMIT1',
    service: 'UNIMART',
    method: 'cvs' as const,
    cvs: { chain: 'UNIMART' as const, storeId: '131386' },
    sender: { name: '台北倉庫', phone: '02-2655-0115', postalCode: '115', address: '臺北市南港區三重路19-2號' },
    recipient: { name: '王小明', phone: '+886912345678', postalCode: null, city: null, district: null, address: null },
    goodsName: '上衣',
    goodsAmountMinor: 65_000,
    amountDueMinor: 65_000,
    weightGrams: null,
    temperature: 'ambient' as const,
    askedTime: null,
    notes: null,
    channelOrder: null,
  }
  const booking = await courier?.book(context, request)
  const orderId = await delivered(booking?.courierBookingId ?? '', 'OSREMIT1', 15)
  const day = new Date()
  await remittanceRound(runtime, day)
  expect(await kinds()).toEqual(['remittance.overdue'])

  const paidOn = new Date(day.getTime() + 24 * 3_600_000 + 8 * 3_600_000).toISOString().slice(0, 10)
  sim.payOut('OSREMIT1', { date: paidOn.replaceAll('-', '/'), amount: 650, fee: 10 })
  await remittanceRound(runtime, day) // asked today already
  expect(await kinds()).toEqual(['remittance.overdue'])
  await remittanceRound(runtime, new Date(day.getTime() + 24 * 3_600_000))
  expect(await kinds()).toEqual([])
  expect((await getOrder(runtime.pool, orderId))?.parcels).toMatchObject([{ collectedMinor: 65_000, remittedOn: paidOn }])
  // Paid out: nothing is open, so the courier is not asked about it again.
  expect(await pullRemittances(runtime, 'ecpay', { from: '2026-01-01', to: '2027-12-31' })).toMatchObject({ lines: 0 })
  expect(await remitted()).toEqual([])
  await expect(pullRemittances(runtime, 'store-taipei', { from: '2026-01-01', to: '2026-01-02' })).rejects.toMatchObject({
    code: 'no-remittances',
  })
})
