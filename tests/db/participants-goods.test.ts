/** Goods and parcels that others tell us of: sales at tills, couriers that are asked, trackers beside the courier itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { mapInbox } from '../../activities/intake.ts'
import { createPullActivities } from '../../activities/pull.ts'
import { trackParcels } from '../../activities/track.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import type { Connector, ParcelMeaning, RawRecord } from '../../connectors/kit/types.ts'
import { connectors as registry } from '../../connectors/registry.ts'
import { settleTask } from '../../server/settleTask.ts'
import { audit } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { readCursor } from '../../store/cursors.ts'
import { storeRaw } from '../../store/inbox.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { closeTasks, listTasks } from '../../store/tasks.ts'
import { addParcel, saveParcel } from '../../store/units.ts'
import { MockActivityEnvironment } from '@temporalio/testing'
import { applyAdvice } from '../../activities/advice.ts'
import { advice, startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
let runtime: Runtime
/** Reports that the asked courier has, by waybill. */
const known = new Map<string, { code: ParcelMeaning; at: string }>()
const asked: string[][] = []
let tillSales: RawRecord[] = []
const pulled: { from: Date; to: Date }[] = []

const minute = (n: number) => new Date(Date.UTC(2026, 10, 22, 5, n)).toISOString()
const reportOf = ({
  externalId,
  payload,
  eventAt,
}: {
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
}) => ({
  reference: null,
  courierBookingId: null,
  waybill: externalId,
  code: String(payload.code),
  meaning: payload.code as ParcelMeaning,
  detail: '',
  eventAt: eventAt ?? '',
})
const newsRecord = (waybill: string, code: ParcelMeaning, eventAt: string): RawRecord => ({
  kind: 'courierStatus',
  externalId: waybill,
  version: `${code} ${eventAt}`,
  eventAt,
  payload: { code },
})

beforeAll(async () => {
  spine = await startSpine()
  const { ecpay, store } = registry
  if (!ecpay?.courier || !store) throw new Error('no such connector')
  const askedCourier: Connector = {
    ...ecpay,
    name: 'asked-courier',
    configSchema: z.object({ trackEveryMs: z.number().optional() }),
    secretFields: [],
    courier: {
      ...ecpay.courier,
      mapReport: reportOf,
      async track(_ctx, parcels) {
        asked.push(parcels.map(({ waybill }) => waybill ?? ''))
        return parcels.flatMap(({ waybill }) => {
          const news = known.get(waybill ?? '')
          return news ? [newsRecord(waybill ?? '', news.code, news.at)] : []
        })
      },
    },
  }
  const tracker: Connector = {
    ...store,
    name: 'stand-in-tracker',
    kind: 'tracker',
    configSchema: z.object({ follows: z.array(z.string()) }),
    tracker: { register: async () => [], mapReport: reportOf },
  }
  const till: Connector = {
    ...store,
    name: 'till',
    configSchema: z.object({ locations: z.record(z.string(), z.string()) }),
    identity: () => ({ channel: 'till', shop: 'one' }),
    async *pullSales(_ctx, window) {
      pulled.push(window)
      yield tillSales
    },
    mapSale({ config }, { externalId, payload }) {
      const { at, place, lines } = payload as { at: string; place: string; lines: [string, string, number][] }
      return {
        externalId,
        externalLocation: place,
        location: (config as { locations: Record<string, string> }).locations[place] ?? null,
        at,
        lines: lines.map(([lineId, externalSku, quantity]) => ({ lineId, externalSku, quantity })),
      }
    },
  }
  const connectors: Record<string, Connector> = { ...registry, 'asked-courier': askedCourier, 'stand-in-tracker': tracker, till }
  const { pool, secretKey } = spine.runtime
  runtime = {
    ...spine.runtime,
    connectors,
    connection: (name, more = {}) => openConnection(pool, secretKey, name, { connectors, ...more }),
  }
  await applyConnections(
    pool,
    secretKey,
    {
      connections: [
        { name: 'slow', connector: 'asked-courier', config: { trackEveryMs: 60_000 } },
        { name: 'other', connector: 'asked-courier', config: { trackEveryMs: 60_000 }, paused: true },
        { name: 'follow', connector: 'stand-in-tracker', config: { follows: ['slow'] } },
        { name: 'till', connector: 'till', config: { locations: { '1': 'shop' } } },
      ],
      aliases: [{ channel: 'till', externalSku: '4711', sku: 'TEE-M' }],
    },
    connectors,
  )
})
afterAll(() => spine?.stop())

async function onTheWay(courier: string, waybill: string): Promise<{ orderId: string; parcelId: string }> {
  const orderId = await spine.place()
  await spine.untilRouted(orderId)
  await spine.handOver(orderId)
  const record = await spine.order(orderId)
  const unitId = record.units[0]?.id ?? ''
  await applyAdvice(
    spine.db.pool,
    advice(
      unitId,
      'packed',
      record.lines.map((line) => [line.lineId, line.ordered, 0]),
    ),
  )
  const { result } = await changeOrder(spine.db.pool, orderId, 'saga', async (order, tx) => {
    const parcel = await addParcel(tx, order, { unitId, courier, connector: 'asked-courier', service: 'TCAT', amountDueMinor: 0 })
    Object.assign(parcel, { state: 'booked', waybill, courierBookingId: `B-${parcel.id}`, labelAmountMinor: 0 })
    await saveParcel(tx, parcel)
    return parcel.id
  })
  return { orderId, parcelId: result }
}
const stateOf = async (orderId: string) => (await spine.order(orderId)).parcels[0]?.state
const report = async (connection: string, record: RawRecord) => {
  await storeRaw(spine.db.pool, connection, [record])
  await mapInbox(runtime)
}
const hoursAgo = (stream: string) =>
  spine.db.pool.query(`update cursors set value = value - interval '1 hour' where stream = $1`, [stream])

describe('parcels', () => {
  it('two couriers with one waybill: each news goes to the parcel of whoever tells it', async () => {
    const slow = await onTheWay('slow', '900100')
    const other = await onTheWay('other', '900100')
    await report('other', newsRecord('900100', 'delivered', minute(1)))
    expect([await stateOf(slow.orderId), await stateOf(other.orderId)]).toEqual(['booked', 'delivered'])
    // The tracker follows the one courier only.
    await report('follow', newsRecord('900100', 'shipped', minute(2)))
    expect([await stateOf(slow.orderId), await stateOf(other.orderId)]).toEqual(['shipped', 'delivered'])
  })

  it("a tracker's news and the courier's own are merged by when it happened", async () => {
    const { orderId, parcelId } = await onTheWay('slow', '900200')
    await report('follow', newsRecord('900200', 'outForDelivery', minute(9)))
    await report('slow', newsRecord('900200', 'inTransit', minute(3)))
    const seen = async () =>
      (
        await spine.db.pool.query<{ meaning: string; last: string }>(
          `select e.meaning, p.last_status as last from parcel_events e join parcels p on p.id = e.parcel_id where p.id = $1 order by e.event_at`,
          [parcelId],
        )
      ).rows
    expect(await seen()).toEqual([
      { meaning: 'inTransit', last: 'outForDelivery' },
      { meaning: 'outForDelivery', last: 'outForDelivery' },
    ])
    await report('slow', newsRecord('900200', 'delivered', minute(10)))
    await report('follow', newsRecord('900200', 'delivered', minute(11)))
    expect((await spine.order(orderId)).lines[0]).toMatchObject({ delivered: 2, shipped: 2 })
  })

  it('of a courier that does not report are asked for, not more often than its configuration says', async () => {
    const { orderId } = await onTheWay('slow', '900300')
    await onTheWay('other', '900301')
    known.set('900300', { code: 'delivered', at: minute(20) })
    await trackParcels(runtime)
    expect(asked.flat()).toContain('900300')
    expect(asked.flat(), 'a paused connection is not asked').not.toContain('900301')
    await mapInbox(runtime)
    expect(await stateOf(orderId)).toBe('delivered')
    const before = asked.length
    await trackParcels(runtime)
    expect(asked).toHaveLength(before)
    await hoursAgo('parcels')
    await trackParcels(runtime)
    expect(asked.length).toBeGreaterThan(before)
    expect(asked.at(-1), 'what is delivered is not asked for again').not.toContain('900300')
  })
})

describe('a sale at a till', () => {
  let serial = 0
  let id = ''
  beforeEach(() => {
    serial += 1
    id = `T-${serial}`
  })
  const sale = (
    version: number,
    lines: [string, string, number][],
    more: { place?: string; externalId?: string } = {},
  ): RawRecord => ({
    kind: 'sale',
    externalId: more.externalId ?? id,
    version: String(version),
    eventAt: minute(version),
    payload: { at: minute(version), place: more.place ?? '1', lines },
  })
  const onHand = async (sku: string, location = 'shop') =>
    (await spine.db.pool.query<{ n: number }>('select on_hand as n from stock where sku = $1 and location = $2', [sku, location]))
      .rows[0]?.n ?? 0
  const openTask = async () =>
    (await listTasks(spine.db.pool, { state: 'open' })).find(({ key }) => key === `inbox:till:sale:${id}`) ?? null

  it('moves the stock of its location once, by the names that the till uses', async () => {
    const [shirts, others] = [await onHand('TEE-S'), await onHand('TEE-M')]
    await report(
      'till',
      sale(1, [
        ['1', 'TEE-S', 2],
        ['2', '4711', 1],
      ]),
    )
    await report(
      'till',
      sale(1, [
        ['1', 'TEE-S', 2],
        ['2', '4711', 1],
      ]),
    )
    expect([await onHand('TEE-S'), await onHand('TEE-M')]).toEqual([shirts - 2, others - 1])
    const { rows } = await spine.db.pool.query(`select quantity, reason from movements where reference = $1 order by sku`, [
      `till:${id}`,
    ])
    expect(rows).toEqual([
      { quantity: -1, reason: 'sale' },
      { quantity: -2, reason: 'sale' },
    ])
  })

  it('that is edited books the difference, whatever changed; an older version that comes late changes nothing', async () => {
    const [shirts, others] = [await onHand('TEE-S'), await onHand('TEE-M')]
    await report('till', sale(1, [['1', 'TEE-S', 3]]))
    await report(
      'till',
      sale(3, [
        ['1', 'TEE-S', 1],
        ['2', 'TEE-M', 1],
      ]),
    )
    await report('till', sale(2, [['1', 'TEE-S', 2]]))
    expect([await onHand('TEE-S'), await onHand('TEE-M')]).toEqual([shirts - 1, others - 1])
    await report('till', sale(4, [['1', 'TEE-S', -1]]))
    expect([await onHand('TEE-S'), await onHand('TEE-M')]).toEqual([shirts + 1, others])
  })

  it('of an article that nobody knows is a task; the rest is booked, and the whole once it is known', async () => {
    const shirts = await onHand('TEE-S')
    const others = await onHand('TEE-M')
    await report(
      'till',
      sale(1, [
        ['1', 'TEE-S', 1],
        ['2', '0815', 1],
      ]),
    )
    expect(await onHand('TEE-S')).toBe(shirts - 1)
    const task = await openTask()
    expect(task).toMatchObject({ kind: 'inbox.unmappable', actions: ['retry', 'skip'], detail: expect.stringContaining('0815') })
    if (!task) return
    await applyConnections(
      spine.db.pool,
      runtime.secretKey,
      { aliases: [{ channel: 'till', externalSku: '0815', sku: 'TEE-M' }] },
      registry,
    )
    await settleTask(runtime, task, 'retry')
    await closeTasks(spine.db.pool, { id: task.id }, 'retried')
    await mapInbox(runtime)
    expect([await onHand('TEE-S'), await onHand('TEE-M')]).toEqual([shirts - 1, others - 1])
    expect(await openTask()).toBeNull()
  })

  it('at a place that is none of ours, or of more than is there, is a task and moves nothing', async () => {
    const shirts = await onHand('TEE-S')
    await report('till', sale(1, [['1', 'TEE-S', 1]], { place: '9' }))
    expect((await openTask())?.detail).toContain('location 9')
    id += '-more'
    await report('till', sale(1, [['1', 'TEE-S', 1_000]]))
    expect((await openTask())?.detail).toContain('on hand')
    expect(await onHand('TEE-S')).toBe(shirts)
  })

  it('is pulled with a cursor of its own', async () => {
    const shirts = await onHand('TEE-S')
    tillSales = [sale(1, [['1', 'TEE-S', 1]])]
    const { pullSlice } = createPullActivities(runtime)
    const slice = await new MockActivityEnvironment().run(pullSlice, 'till')
    expect(slice).toMatchObject({ stored: 1 })
    await mapInbox(runtime)
    expect(await onHand('TEE-S')).toBe(shirts - 1)
    expect(await readCursor(spine.db.pool, 'till', 'sales')).toEqual(pulled[0]?.to)
    expect(await readCursor(spine.db.pool, 'till', 'orders')).toBeNull()
  })

  it('leaves the ledger as its movements say', async () => {
    expect((await audit(spine.db.pool)).violations).toEqual([])
  })
})
