/**
 * The histories of typical orders: what they cost, that no person is in them, and (RECORD_HISTORIES=1) their recording for
 * tests/unit/replay.test.ts; see tests/saga/histories/README.md.
 */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { temporal } from '@temporalio/proto'
import { Worker } from '@temporalio/worker'
import { describe, expect, it } from 'vitest'
import { historyCost, type History } from '../../bench/historyCost.ts'
import { workflowIdOf } from '../../domain/ids.ts'
import { workflowBundlePath } from '../../workflowBundle.ts'
import { minutes, days, useSagaWorld, type SagaOrder } from './sagaWorld.ts'
import { PERSON } from './sagaOrders.ts'

const world = useSagaWorld()

const typical: [name: string, live: () => Promise<SagaOrder>][] = [
  [
    'prepaid-delivered',
    async () => {
      const order = await world.order({
        lines: [
          [await world.sku({ north: 5 }), 2],
          [await world.sku({ north: 5 }), 1],
        ],
      })
      await order.pickAndPack()
      await order.untilBooked()
      await order.news('shipped')
      await order.news('outForDelivery')
      await order.news('delivered')
      await order.untilClosed('delivered')
      return order
    },
  ],
  [
    'cod-confirmed-late',
    async () => {
      const order = await world.order({ lines: [[await world.sku({ north: 5 }), 1]], payment: 'cod' })
      await order.untilPhase('confirming')
      await order.idle()
      await world.skip(days(2) + minutes(1))
      await order.untilTask('order.confirm')
      await order.ask('confirm')
      await order.pickAndPack()
      await order.untilBooked()
      await order.news('delivered')
      await order.untilClosed('delivered')
      return order
    },
  ],
  [
    'try-on-keeps-half',
    async () => {
      const promisedBy = new Date((await world.now()) + days(2)).toISOString()
      const order = await world.order({
        lines: [
          [await world.sku({ store: 2 }), 1],
          [await world.sku({ store: 2 }), 1],
        ],
        kind: 'tryOn',
        payment: 'cod',
        delivery: { method: 'handOver', location: 'store-taipei', promisedBy },
      })
      await order.untilPhase('tryOn')
      await order.ask('arrived')
      await order.ask('decide', { keep: { 1: 1 } })
      await order.untilPhase('confirming')
      await order.ask('confirm')
      await order.untilClosed('delivered')
      return order
    },
  ],
  [
    'cancelled-after-packing',
    async () => {
      const order = await world.order({ lines: [[await world.sku({ north: 5 }), 1]] })
      await order.pickAndPack()
      await order.untilBooked()
      await order.ask('cancel')
      await world.until('it is recalled', async () => (await order.units())[0]?.state === 'recalling')
      await order.advise('cancelled')
      await order.untilClosed('cancelled')
      return order
    },
  ],
  [
    'short-pick-two-units',
    async () => {
      const order = await world.order({ lines: [[await world.sku({ north: 2, south: 2 }), 2]] })
      await order.wave()
      await order.advise('packed', { short: { 1: 1 } })
      await world.until('the second unit waits', async () => (await order.units())[1]?.state === 'ready')
      await order.wave()
      await order.advise('packed', { unitId: (await order.units())[1]?.id })
      await order.untilBooked(2)
      for (const parcel of await order.parcels()) await order.news('delivered', { parcelId: parcel.id })
      await order.untilClosed('delivered')
      return order
    },
  ],
  [
    'booking-refused-then-booked',
    async () => {
      world.courier.plan.book = ['refuse', 'lost']
      const order = await world.order({ lines: [[await world.sku({ north: 5 }), 1]] })
      await order.pickAndPack()
      await world.until('it is refused', async () => (await order.parcels())[0]?.state === 'refused')
      await order.idle()
      await world.skip(minutes(3))
      await order.untilBooked()
      await order.news('delivered')
      await order.untilClosed('delivered')
      return order
    },
  ],
  [
    'blocked-then-changed',
    async () => {
      const order = await world.order({ lines: [['NOBODY-KNOWS', 1]] })
      await order.untilPhase('blocked')
      await order.ask('change', { skus: { 1: await world.sku({ north: 1 }) } })
      await order.pickAndPack()
      await order.untilBooked()
      await order.news('returned')
      await order.untilClosed('returned')
      return order
    },
  ],
]

/** Every text in a history, payloads decoded. */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (value instanceof Uint8Array) return [Buffer.from(value).toString('utf8')]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsOf)
}

const PERSONAL = [PERSON.name, PERSON.phone, PERSON.phone.replace('+886', '0'), PERSON.district, PERSON.line, PERSON.email]

/** Which machine and process recorded it is nobody's business and changes with each recording. */
function scrubbed(history: History): string {
  const strip = (key: string, value: unknown) => (key === 'identity' ? 'worker' : key === 'stackTrace' ? '' : value)
  return `${JSON.stringify(temporal.api.history.v1.History.fromObject(history).toJSON(), strip, 1)}\n`
}

describe('the history of an order', () => {
  it.each(typical)('%s: holds no personal data, replays, and is recorded where that is asked', async (name, live) => {
    const order = await live()
    const history = await order.history()
    const texts = textsOf(history)
    expect(
      texts.some((text) => text.includes(order.id)),
      'payloads are read',
    ).toBe(true)
    for (const personal of PERSONAL) expect(texts.filter((text) => text.includes(personal))).toEqual([])
    await Worker.runReplayHistory({ workflowBundle: { codePath: await workflowBundlePath() } }, history, workflowIdOf(order.id))
    if (process.env.RECORD_HISTORIES === '1')
      await writeFile(fileURLToPath(new URL(`./histories/${name}.json`, import.meta.url)), scrubbed(history))
  })

  it('of a delivered prepaid order costs at most 12 Actions, 80 events and 40 KB', async () => {
    const order = await typical[0]?.[1]()
    const cost = historyCost((await order?.history()) ?? {})
    process.stdout.write(
      `a delivered prepaid order: ${cost.actions} Actions (${JSON.stringify(cost.breakdown)}), ${cost.events} events, ${cost.bytes} bytes\n`,
    )
    expect(cost.breakdown).toMatchObject({ starts: 1, activities: 1 })
    expect(cost.actions).toBeLessThanOrEqual(12)
    expect(cost.events).toBeLessThanOrEqual(80)
    expect(cost.bytes).toBeLessThanOrEqual(40_000)
  })
})
