/**
 * One order at a time through the real workflow and the real activities, on real PostgreSQL and an engine whose time is skipped.
 * The warehouse's and the courier's reports are handed over mapped; the courier's calls go to a stand-in in this process.
 * PostgreSQL's clock is not skipped: deadlines that are rows are moved into the past instead.
 */
import { mkdtemp, mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { temporal } from '@temporalio/proto'
import { Worker } from '@temporalio/worker'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { applyAdvice } from '../../activities/advice.ts'
import { ask } from '../../activities/ask.ts'
import { ring, start } from '../../activities/engine.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import { sweep } from '../../activities/sweep.ts'
import { makeWaves } from '../../activities/waves.ts'
import type { Connector, ParcelMeaning, ShipmentAdvice } from '../../connectors/kit/types.ts'
import { connectors } from '../../connectors/registry.ts'
import { workflowIdOf } from '../../domain/ids.ts'
import type { IncomingOrder } from '../../domain/order.ts'
import type { Policy } from '../../domain/policy.ts'
import { createRuntime, type Runtime } from '../../runtime.ts'
import { audit } from '../../store/audit.ts'
import { giveCommand, type Verb } from '../../store/commands.ts'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { levels, move } from '../../store/ledger/operations.ts'
import { readOrder } from '../../store/orderRecord.ts'
import { receiveOrder } from '../../store/orders.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { listTasks } from '../../store/tasks.ts'
import { startWorker } from '../../worker.ts'
import { workflowBundlePath } from '../../workflowBundle.ts'
import { freshDatabase } from '../harness/postgres.ts'
import { quietRuntime } from '../harness/temporalRuntime.ts'
import { timeSkippingEnv } from '../harness/timeSkipping.ts'
import { incoming, type OrderWish } from './sagaOrders.ts'
import { standInCourier, type StandInCourier } from './standInCourier.ts'

export const minutes = (n: number) => n * 60_000
export const hours = (n: number) => minutes(n * 60)
export const days = (n: number) => hours(n * 24)

const { EventType } = temporal.api.enums.v1
const AT_WORK: ReadonlySet<unknown> = new Set([
  EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED,
  EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
])

export interface Told {
  state: string
  answer: string | null
}

export interface SagaOrder {
  id: string
  /** The source's telling, to be told again with changes. */
  told: IncomingOrder
  phase(): Promise<string>
  closed(): Promise<boolean>
  facts(): Promise<Record<string, { [detail: string]: unknown }>>
  units(): Promise<
    { id: string; location: string; state: string; lines: { lineId: string; sku: string; quantity: number; short: number }[] }[]
  >
  parcels(): Promise<
    { id: string; unitId: string; reference: string; state: string; waybill: string | null; amountDueMinor: number }[]
  >
  /** Kinds of the open tasks, sorted. */
  tasks(): Promise<string[]>
  payment(): Promise<IncomingOrder['payment']>
  notices(): Promise<string[]>
  untilPhase(phase: string): Promise<void>
  untilTask(kind: string): Promise<void>
  untilClosed(phase: string): Promise<void>
  untilBooked(count?: number): Promise<void>
  /** Nothing of the workflow is under way: it waits for a bell or a timer. */
  idle(): Promise<void>
  ask(verb: Verb, detail?: Record<string, unknown>): Promise<Told>
  /** A command's row without any call to the engine. */
  leave(verb: Verb, detail?: Record<string, unknown>): Promise<void>
  /** The channel tells the order again. */
  tell(change: Partial<IncomingOrder>): Promise<void>
  /** Into a wave, and picked and packed as told; `short` is by line. @returns the unit. */
  wave(): Promise<void>
  advise(
    status: ShipmentAdvice['status'],
    more?: { unitId?: string; short?: Record<string, number>; reason?: string },
  ): Promise<void>
  pickAndPack(): Promise<void>
  news(meaning: ParcelMeaning, more?: { parcelId?: string; inboxId?: number; eventAt?: string; waybill?: string }): Promise<void>
  terminate(): Promise<void>
  start(): Promise<void>
  ring(): Promise<void>
  history(): Promise<temporal.api.history.v1.IHistory>
}

export interface SagaWorld {
  runtime: Runtime
  courier: StandInCourier
  /** What the marketplace connection was told. */
  channelTold: string[]
  /** A new article with this stock, by location. */
  sku(stock: { north?: number; south?: number; store?: number; corner?: number }): Promise<string>
  receive(sku: string, location: string, quantity: number): Promise<void>
  stock(sku: string, location?: string): Promise<{ onHand: number; held: number; available: number }>
  order(wish: OrderWish): Promise<SagaOrder>
  skip(ms: number): Promise<void>
  /** The engine's clock, which is ahead of ours once time was skipped. */
  now(): Promise<number>
  sweep(): Promise<void>
  /** Every invariant that the tables alone can prove. */
  sound(): Promise<void>
  /** What the engine wrote down of every order here is replayed by a worker that knows nothing of it. */
  replay(): Promise<void>
  until(what: string, read: () => Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

export async function sagaWorld(options: { policy?: Partial<Policy> } = {}): Promise<SagaWorld> {
  quietRuntime('ERROR')
  const env = await timeSkippingEnv()
  const db = await freshDatabase({ max: 20 })
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-saga-'))
  await mkdir(join(folder, 'out'))
  await mkdir(join(folder, 'in'))
  const courier = standInCourier('ecpay')
  const channelTold: string[] = []
  const inner = await createRuntime(
    {
      databaseUrl: db.url,
      temporal: { connection: { address: env.address }, namespace: 'default' },
      secretKey: secretKeyFrom('a passphrase for tests'),
    },
    { logLevel: process.env.OMNISAGA_LOG ?? 'silent' },
  )
  const runtime: Runtime = { ...inner, ...withStandIns(inner, { courier: courier.connector, market: market(channelTold) }) }
  await applyConnections(runtime.pool, runtime.secretKey, configuration(folder, options.policy), connectors)
  const worker = await startWorker(runtime, { loops: false })

  const until: SagaWorld['until'] = async (what, read) => {
    const deadline = Date.now() + 45_000
    while (!(await read())) {
      if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`)
      await new Promise((resolve) => {
        setTimeout(resolve, 10)
      }) // between two looks at the condition
    }
  }
  let serial = 0
  const orders = new Set<string>()
  async function* histories() {
    for (const workflowId of [...orders].map(workflowIdOf))
      yield { workflowId, history: await runtime.temporal.workflow.getHandle(workflowId).fetchHistory() }
  }
  const world: SagaWorld = {
    runtime,
    courier,
    channelTold,
    until,
    async sku(stock) {
      serial += 1
      const sku = `SKU-${String(serial).padStart(3, '0')}`
      await runtime.pool.query('insert into products (sku, name) values ($1, $1)', [sku])
      const at = { north: 'wh-north', south: 'wh-south', store: 'store-taipei', corner: 'corner-shop' }
      for (const [place, quantity] of Object.entries(stock))
        if (quantity > 0) await world.receive(sku, at[place as keyof typeof at], quantity)
      return sku
    },
    async receive(sku, location, quantity) {
      serial += 1
      await transaction(runtime.pool, (tx) => move(tx, { key: `receipt:${serial}`, sku, location, quantity, reason: 'receipt' }))
    },
    async stock(sku, location = 'wh-north') {
      const [level] = await levels(runtime.pool, { sku, location })
      return { onHand: level?.onHand ?? 0, held: level?.held ?? 0, available: level?.available ?? 0 }
    },
    async order(wish) {
      const told = incoming(wish)
      const { orderId } = await receiveOrder(runtime.pool, told, { connectionVersion: 1 })
      // A machine so busy that the engine does not answer in time: whoever takes orders in leaves this to the sweep.
      await world.until(`order ${orderId} is started`, () =>
        start(runtime, orderId).then(
          () => true,
          () => false,
        ),
      )
      orders.add(orderId)
      return handle(world, runtime, orderId, told)
    },
    skip: (ms) => env.sleep(ms),
    now: () => env.currentTimeMs(),
    sweep: () => sweep(runtime),
    async sound() {
      expect((await audit(runtime.pool)).violations).toEqual([])
    },
    async replay() {
      const failed: string[] = []
      for await (const { workflowId, error } of Worker.runReplayHistories(
        { workflowBundle: { codePath: await workflowBundlePath() } },
        histories(),
      ))
        if (error !== undefined) failed.push(`${workflowId}: ${error.message}`)
      expect(failed).toEqual([])
    },
    async stop() {
      await worker.stop()
      await runtime.close()
      await env.teardown()
      await db.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  return world
}

/** A world for the tests of one file; after each of them every invariant must hold, and in the end every history must replay. */
export function useSagaWorld(options: { policy?: Partial<Policy> } = {}): SagaWorld {
  let world: SagaWorld | undefined
  beforeAll(async () => {
    world = await sagaWorld(options)
  })
  beforeEach(() => {
    world?.courier.reset()
    world?.channelTold.splice(0)
  })
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') await world?.sound()
  })
  afterAll(async () => {
    try {
      await world?.replay()
    } finally {
      await world?.stop()
    }
  })
  return new Proxy({} as SagaWorld, { get: (_target, name) => Reflect.get(world ?? {}, name) as unknown })
}

/** A marketplace that hears of cancellations and waybills. */
function market(heard: string[]): Connector {
  return {
    name: 'file',
    title: 'A marketplace',
    kind: 'marketplace',
    configSchema: undefined as never,
    secretFields: [],
    check: () => Promise.resolve({ ok: true, problems: [] }),
    writeTracking: (_ctx, { externalId, waybill }) => {
      heard.push(`${externalId} ships as ${waybill}`)
      return Promise.resolve()
    },
    cancelOrder: (_ctx, { externalId }) => {
      heard.push(`${externalId} is cancelled`)
      return Promise.resolve()
    },
  }
}

function withStandIns(inner: Runtime, standIns: Record<string, Connector>): Pick<Runtime, 'connection' | 'connectorOf'> {
  return {
    async connection(...args) {
      const real = await inner.connection(...args)
      const standIn = standIns[args[0]]
      return standIn === undefined ? real : { ...real, connector: standIn }
    },
    async connectorOf(name) {
      return standIns[name] ?? (await inner.connectorOf(name))
    },
  }
}

function configuration(folder: string, policy?: Partial<Policy>) {
  const sender = { name: '林小倉', phone: '+886912000111', postalCode: '251', address: '新北市淡水區中正路1號' }
  const couriers = { courierHome: 'courier', courierCvs: 'courier', sender }
  return {
    connections: [
      {
        name: 'courier',
        connector: 'ecpay',
        config: {
          merchantId: '2000132',
          hashKey: '5294y06JbISpM5x9',
          hashIv: 'v77hoKGq4kWxNNIS',
          baseUrl: 'http://127.0.0.1:9',
          serverReplyUrl: 'http://127.0.0.1:9/webhooks/courier',
        },
      },
      {
        name: 'warehouse',
        connector: 'wms-dropfolder',
        config: { outFolder: join(folder, 'out'), inFolder: join(folder, 'in') },
      },
      { name: 'shop', connector: 'store', config: { shop: 'taipei', location: 'store-taipei' } },
      { name: 'market', connector: 'file', config: { channel: 'market', shop: 'one', profile: 'momo', paysBackItself: true } },
    ],
    locations: [
      { id: 'wh-north', name: '北倉', kind: 'warehouse', priority: 0, warehouseConnection: 'warehouse', ...couriers },
      { id: 'wh-south', name: '南倉', kind: 'warehouse', priority: 1, warehouseConnection: 'warehouse', ...couriers },
      { id: 'corner-shop', name: '街角店', kind: 'store', priority: 5, ...couriers },
      { id: 'store-taipei', name: '信義店', kind: 'store', ships: false, priority: 9 },
    ],
    ...(policy === undefined ? {} : { policy }),
  }
}

let reports = 0
function handle(world: SagaWorld, runtime: Runtime, id: string, told: IncomingOrder): SagaOrder {
  const { pool } = runtime
  const workflow = () => runtime.temporal.workflow.getHandle(workflowIdOf(id))
  const record = () => readOrder(pool, id)
  let last = ''
  const waitFor = (what: string, read: () => Promise<boolean>) =>
    world.until(`order ${id} ${what}`, read).catch(async (error: Error) => {
      const seen = await record()
      throw new Error(
        `${error.message}; it is ${last || seen.phase}, facts ${Object.keys(seen.facts).join(' ')}, units ${seen.units.map((u) => u.state).join(' ')}, ` +
          `parcels ${seen.parcels.map((p) => p.state).join(' ')}, tasks ${(await order.tasks()).join(' ')}`,
      )
    })
  const order: SagaOrder = {
    id,
    told,
    phase: async () => (last = (await record()).phase),
    closed: async () => (await record()).closed,
    facts: async () => (await record()).facts as Record<string, { [detail: string]: unknown }>,
    units: async () => (await record()).units,
    parcels: async () => (await record()).parcels,
    tasks: async () => (await listTasks(pool, { state: 'open', orderId: id })).map((task) => task.kind).sort(),
    payment: async () => (await record()).doc.payment,
    notices: async () =>
      (await pool.query<{ template: string }>('select template from notices where order_id = $1 order by id', [id])).rows.map(
        (row) => row.template,
      ),
    async untilPhase(phase) {
      await waitFor(`is ${phase}`, async () => (await order.phase()) === phase)
    },
    async untilTask(kind) {
      await waitFor(`has a task ${kind}`, async () => (await order.tasks()).includes(kind))
    },
    async untilClosed(phase) {
      await waitFor('is closed', () => order.closed())
      expect(await order.phase()).toBe(phase)
      await waitFor('has an ended workflow', async () => (await workflow().describe()).status.name === 'COMPLETED')
    },
    async untilBooked(count = 1) {
      await waitFor(
        `has ${count} booked`,
        async () => (await order.parcels()).filter((parcel) => parcel.state === 'booked').length === count,
      )
    },
    async idle() {
      await waitFor('is idle', async () => {
        const { raw } = await workflow().describe()
        if ((raw.pendingActivities ?? []).length > 0) return false
        return !AT_WORK.has((await order.history()).events?.at(-1)?.eventType)
      })
    },
    async ask(verb, detail = {}) {
      const task = (await listTasks(pool, { state: 'open', orderId: id })).find((open) => open.actions.includes(verb))
      const { id: commandId } = await giveCommand(pool, { orderId: id, verb, detail, who: 'test', taskId: task?.id ?? null })
      return await ask(runtime, commandId, { timeoutMs: 10_000 })
    },
    async leave(verb, detail = {}) {
      await giveCommand(pool, { orderId: id, verb, detail, who: 'test' })
    },
    async tell(change) {
      const { wake } = await receiveOrder(pool, { ...told, ...change }, { connectionVersion: 1 })
      if (wake) await ring(runtime, id)
    },
    async wave() {
      await waitFor('waits for the wave', async () => (await order.units()).some((unit) => unit.state === 'ready'))
      await makeWaves(runtime)
    },
    async advise(status, more = {}) {
      const unit = (await order.units()).find((candidate) =>
        more.unitId === undefined ? !['cancelled', 'delivered'].includes(candidate.state) : candidate.id === more.unitId,
      )
      if (unit === undefined) throw new Error(`order ${id} has no such unit`)
      const lines = unit.lines.map((line) => ({
        lineId: line.lineId,
        picked: line.quantity - (more.short?.[line.lineId] ?? 0),
        short: more.short?.[line.lineId] ?? 0,
      }))
      const { wake } = await applyAdvice(pool, {
        unitId: unit.id,
        status,
        lines,
        weightGrams: 500,
        eventAt: new Date().toISOString(),
        reason: more.reason ?? null,
      })
      if (wake) await ring(runtime, id)
    },
    async pickAndPack() {
      await order.wave()
      await order.advise('packed')
    },
    async news(meaning, more = {}) {
      const parcel = (await order.parcels())
        .filter((candidate) => more.parcelId === undefined || candidate.id === more.parcelId)
        .at(-1)
      reports += 1
      const report = {
        reference: parcel?.reference ?? null,
        courierBookingId: null,
        waybill: more.waybill ?? null,
        code: meaning,
        meaning,
        detail: meaning,
        eventAt: more.eventAt ?? new Date(Date.now() + reports).toISOString(),
      }
      const applied = await applyParcelReport(pool, more.inboxId ?? reports, report, (await runtime.policy()).stuckParcelMs)
      if (applied === null || applied === 'early') throw new Error(`no parcel of order ${id} takes this news`)
      expect(applied.orderId).toBe(id)
      if (applied.wake) await ring(runtime, id)
    },
    async terminate() {
      await workflow().terminate('the test ends it in the middle')
    },
    start: () => start(runtime, id),
    async ring() {
      await ring(runtime, id)
    },
    history: () => workflow().fetchHistory(),
  }
  return order
}
