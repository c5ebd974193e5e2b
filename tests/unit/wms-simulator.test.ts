import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { ConnectorContext, ShipmentAdvice, WaveUnit } from '../../connectors/kit/types.ts'
import type { WmsConfig } from '../../connectors/wms/config.ts'
import { wms } from '../../connectors/wms/index.ts'
import { startWmsSimulator } from '../../simulators/wms/index.ts'
import type { WmsSimulator, WmsSimulatorOptions } from '../../simulators/wms/index.ts'

let root = ''
let ctx: ConnectorContext<WmsConfig>
let simulator: WmsSimulator
const warehouse = wms.warehouse!
/** What came in, each record once: what the inbox does. */
const records = new Map<string, ShipmentAdvice>()
const rejected: string[] = []
const unused = () => {
  throw new Error('a drop folder needs neither HTTP nor tokens')
}

beforeEach(async () => {
  records.clear()
  rejected.length = 0
  root = await mkdtemp(join(tmpdir(), 'wms-sim-'))
  await mkdir(join(root, 'orders'))
  await mkdir(join(root, 'answers'))
  const config = wms.configSchema.parse({ outFolder: join(root, 'orders'), inFolder: join(root, 'answers') })
  ctx = {
    connection: { name: 'wms-tpe', connector: wms.name, version: 1, paused: false, config },
    http: { request: unused },
    tokens: { read: unused, refresh: unused },
    now: () => new Date(),
  }
})
afterEach(async () => {
  await simulator.stop()
  await rm(root, { recursive: true, force: true })
})

const start = async (options: Partial<WmsSimulatorOptions> = {}) => {
  simulator = await startWmsSimulator({
    inFolder: join(root, 'orders'),
    outFolder: join(root, 'answers'),
    pollMs: 10,
    ...options,
  })
}
const unit = (serial: number, more: Partial<WaveUnit> = {}): WaveUnit => ({
  unitId: `o-${serial}-u1`,
  orderId: `o-${serial}`,
  externalId: `N${serial}`,
  priority: 0,
  notes: '請按電鈴 𠮷',
  askedTime: '晚上',
  recipient: { name: '王小明', phone: null, postalCode: null, address: '臺北市' },
  delivery: { method: 'home', service: null },
  lines: [
    { lineId: '1', sku: 'A', name: '甲', quantity: 2 },
    { lineId: '2', sku: 'B', name: '乙', quantity: 1 },
  ],
  ...more,
})
const send = (...units: WaveUnit[]) =>
  warehouse.sendWave(ctx, { id: 'w-1', location: 'TPE', createdAt: '2026-11-22T02:00:00.000Z', units })
async function collect(): Promise<void> {
  const answers = await warehouse.readAnswers(ctx)
  for (const record of answers.records) records.set(`${record.externalId} ${record.version}`, warehouse.mapAdvice(record))
  rejected.push(...answers.rejected.map(({ file }) => file))
  await answers.acknowledge()
}
const statuses = (unitId: string) =>
  [...records.values()].filter((advice) => advice.unitId === unitId).map(({ status }) => status)
/** Reads answers until the condition holds. */
const until = (condition: () => void) =>
  vi.waitFor(
    async () => {
      await collect()
      condition()
    },
    { timeout: 10_000, interval: 20 },
  )
const untilPacked = (...unitIds: string[]) =>
  until(() => unitIds.forEach((unitId) => expect(statuses(unitId).toSorted()).toEqual(['packed', 'picked'])))

it('a wave is picked and packed, with wishes seen, and a label is put on the box', async () => {
  await start({ ships: true })
  await send(unit(1), unit(2))
  await untilPacked('o-1-u1', 'o-2-u1')
  const packed = [...records.values()].find(({ status }) => status === 'packed')
  expect(packed).toMatchObject({
    weightGrams: 900,
    lines: [
      { lineId: '1', picked: 2, short: 0 },
      { lineId: '2', picked: 1, short: 0 },
    ],
  })
  await warehouse.sendLabel(ctx, {
    unitId: 'o-1-u1',
    waybill: '9050',
    courier: 'TCAT',
    amountDueMinor: 59000,
    notes: null,
    key: 'p1',
  })
  await until(() => expect(statuses('o-1-u1')).toContain('shipped'))
  expect(simulator.units()[0]).toMatchObject({
    notes: '請按電鈴 𠮷',
    askedTime: '晚上',
    waybill: '9050',
    amountDueMinor: 59000,
    state: 'shipped',
  })
  expect(statuses('o-2-u1')).not.toContain('shipped')
  expect(simulator.problems()).toEqual([])
})

it('a unit sent in two waves is done once', async () => {
  await start()
  await send(unit(1))
  await warehouse.sendWave(ctx, { id: 'w-2', location: 'TPE', createdAt: '2026-11-22T03:00:00.000Z', units: [unit(1)] })
  await untilPacked('o-1-u1')
  await vi.waitFor(() => expect(simulator.repeats()).toBe(1))
  expect(simulator.units()).toHaveLength(1)
})

it('what is short is said in picked and packed, and no more than told', async () => {
  await start()
  simulator.short('A', 3)
  await send(unit(1), unit(2), unit(3))
  await untilPacked('o-1-u1', 'o-2-u1', 'o-3-u1')
  const short = [...records.values()]
    .filter(({ status }) => status === 'packed')
    .flatMap(({ lines }) => lines.map((line) => line.short))
  expect(short).toEqual([2, 0, 1, 0, 0, 0])
})

it('an unknown SKU is short with the reason, and an order with nothing there is not packed', async () => {
  await start({ skus: ['A'] })
  await send(unit(1), unit(2, { lines: [{ lineId: '1', sku: 'X', name: null, quantity: 1 }] }))
  await untilPacked('o-1-u1')
  await until(() => expect(statuses('o-2-u1')).toEqual(['picked']))
  expect([...records.values()].find(({ unitId }) => unitId === 'o-2-u1')).toMatchObject({
    reason: 'unknown SKU X',
    lines: [{ picked: 0, short: 1 }],
  })
  expect(simulator.units()[1]?.state).toBe('nothingThere')
})

it('a damaged file is set aside, and the same advices come again in a good one', async () => {
  await start()
  simulator.damageNextFile()
  await send(unit(1))
  await untilPacked('o-1-u1')
  expect(rejected).toEqual(['advice-000001.xml'])
  expect((await readdir(join(root, 'answers/rejected'))).toSorted()).toEqual([
    'advice-000001.xml',
    'advice-000001.xml.reason.txt',
  ])
})

it('a half file is read once it is whole', async () => {
  await start()
  simulator.halfFile({ completeAfterMs: 200 })
  await send(unit(1))
  await untilPacked('o-1-u1')
  expect(rejected).toEqual([])
})

it('advices that come twice and in any order are each one record', async () => {
  await start({ shuffle: true })
  simulator.duplicate(true)
  await send(...Array.from({ length: 20 }, (_, index) => unit(index)))
  await untilPacked(...Array.from({ length: 20 }, (_, index) => `o-${index}-u1`))
  await simulator.stop()
  await collect()
  expect(records.size).toBe(40)
})

it('a cancellation is done before packing, refused after it or when told so, and answered once a key', async () => {
  await start()
  simulator.refuseCancel({ selector: 'N3', reason: '已上車' })
  simulator.slow(60_000)
  await send(unit(1), unit(2), unit(3))
  for (const key of ['c1', 'c1', 'c2']) await warehouse.sendCancel(ctx, { unitId: 'o-1-u1', reason: 'changed', key })
  await warehouse.sendCancel(ctx, { unitId: 'o-3-u1', reason: 'changed', key: 'c3' })
  await warehouse.sendCancel(ctx, { unitId: 'o-9-u1', reason: 'never came', key: 'c9' })
  await until(() => {
    expect(statuses('o-1-u1')).toEqual(['cancelled', 'cancelled'])
    expect(statuses('o-9-u1')).toEqual(['cancelled'])
    expect([...records.values()].find(({ unitId }) => unitId === 'o-3-u1')).toMatchObject({
      status: 'cancelRefused',
      reason: '已上車',
    })
  })
  simulator.slow(0)
  await untilPacked('o-2-u1')
  await warehouse.sendCancel(ctx, { unitId: 'o-2-u1', reason: 'changed', key: 'c4' })
  await until(() => expect(statuses('o-2-u1')).toContain('cancelRefused'))
  expect(simulator.units().map(({ state }) => state)).toEqual(['cancelled', 'packed', expect.stringMatching(/picked|packed/)])
})

it('goes on after a restart where it was, and does nothing twice', async () => {
  const stateFile = join(root, 'warehouse.json')
  await start({ stateFile })
  await send(unit(1))
  await untilPacked('o-1-u1')
  await simulator.stop()
  await send(unit(1), unit(2))
  await start({ stateFile })
  await untilPacked('o-1-u1', 'o-2-u1')
  expect(simulator.repeats()).toBe(1)
})

it('phones about a file it cannot read and takes the next', async () => {
  await start()
  await writeFile(join(root, 'orders/wave-0.xml'), '<Wave><Orders></Wave>')
  await send(unit(1))
  await untilPacked('o-1-u1')
  expect(simulator.problems()).toEqual([expect.stringMatching(/^wave-0\.xml: /)])
})
