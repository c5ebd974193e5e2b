/** The pull on a real PostgreSQL and over real HTTP: durable pages, the cursor, what a person is told. */
import { ApplicationFailure } from '@temporalio/common'
import { MockActivityEnvironment } from '@temporalio/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createPullActivities, type PullRuntime, type PullSlice } from '../../activities/pull.ts'
import { pullConnections } from '../../activities/schedules.ts'
import { shopee } from '../../connectors/shopee/index.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import type { Connector } from '../../connectors/kit/types.ts'
import { moveCursor, nextSlice, readCursor } from '../../store/cursors.ts'
import { leaseInbox, storeRaw } from '../../store/inbox.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

const NAME = 'shopee-main'
const PARTNER = { partnerId: 2001887, partnerKey: 'a1b2c3partnerkey', shopId: 600000 }
const secretKey = Buffer.alloc(32, 7)
const minute = 60_000

let db: FreshDatabase
let sim: ShopeeSimulator
let runtime: PullRuntime

beforeEach(async () => {
  db = await freshDatabase()
  sim = await startShopeeSimulator({ ...PARTNER, pageCap: 20 })
  await connect({})
  const connectors = { shopee: shopee as Connector }
  const silent = () => undefined
  runtime = {
    pool: db.pool,
    connection: (name) => openConnection(db.pool, secretKey, name, { connectors }),
    log: { info: silent, warn: silent, error: silent },
  }
})
afterEach(async () => {
  await sim.stop()
  await db.drop()
})

/** The secrets lie in the config here: how they are sealed is tested with the kit. */
async function connect(config: Record<string, unknown>): Promise<void> {
  const full = {
    ...PARTNER,
    baseUrl: sim.url,
    accessToken: 'sim-access-0',
    refreshToken: 'sim-refresh-0',
    initialLookbackMs: 90 * minute,
    quota: { perSecond: 1000, burst: 1000 },
    ...config,
  }
  await db.pool.query(
    `insert into connections (name, connector, config) values ($1, 'shopee', $2)
     on conflict (name) do update set config = excluded.config, version = connections.version + 1`,
    [NAME, full],
  )
}
const pull = (): Promise<PullSlice> => new MockActivityEnvironment().run(createPullActivities(runtime).pullSlice, NAME)
const count = async (where = 'true') =>
  Number((await db.pool.query<{ n: number }>(`select count(*) as n from inbox where ${where}`)).rows[0]?.n)

describe('cursor', () => {
  const at = (text: string) => new Date(`2026-11-22T${text}Z`)

  it('moves on and never back', async () => {
    expect(await readCursor(db.pool, NAME, 's')).toBeNull()
    expect(await moveCursor(db.pool, NAME, 's', at('10:00:00'))).toBe(true)
    expect(await moveCursor(db.pool, NAME, 's', at('09:59:59'))).toBe(false)
    expect(await readCursor(db.pool, NAME, 's')).toEqual(at('10:00:00'))
    expect(await moveCursor(db.pool, NAME, 's', at('10:00:00'))).toBe(true)
    expect(await moveCursor(db.pool, NAME, 's', at('10:00:01'))).toBe(true)
    await expect(moveCursor(db.pool, NAME, 's', new Date(Number.NaN))).rejects.toThrow(RangeError)
  })

  it('every slice overlaps what was read, and ends at now or a slice later', () => {
    const options = { overlapMs: 10 * minute, initialLookbackMs: 60 * minute, sliceMs: 30 * minute }
    expect(nextSlice(at('10:00:00'), at('10:05:00'), options)).toEqual({ from: at('09:50:00'), to: at('10:05:00'), last: true })
    expect(nextSlice(at('08:00:00'), at('10:05:00'), options)).toEqual({ from: at('07:50:00'), to: at('08:30:00'), last: false })
    expect(nextSlice(null, at('10:00:00'), options)).toEqual({ from: at('09:00:00'), to: at('09:30:00'), last: false })
    expect(nextSlice(at('11:00:00'), at('10:00:00'), options)).toEqual({ from: at('09:50:00'), to: at('10:00:00'), last: true })
  })
})

describe('pullSlice', () => {
  it('stores 60 orders from 3 pages, then finds them known, then what was edited and cancelled', async () => {
    const orders = seedOrders(60)
    sim.seed(orders)
    expect(await pull()).toEqual({ pages: 3, stored: 60, known: 0, done: true })
    expect(await count(`kind = 'order' and state = 'new'`)).toBe(60)
    expect(await pull()).toMatchObject({ stored: 0, done: true })
    sim.edit(orders[0]?.orderSn ?? '', { note: 'leave it with the guard' })
    sim.cancel(orders[1]?.orderSn ?? '')
    expect(await pull()).toMatchObject({ stored: 2, done: true })
    const { rows } = await db.pool.query<{ external_id: string; payload: { order_status: string; note: string } }>(
      'select external_id, payload from inbox order by id desc limit 2',
    )
    expect(Object.fromEntries(rows.map((row) => [row.external_id, [row.payload.order_status, row.payload.note]]))).toEqual({
      [orders[0]?.orderSn ?? '']: ['READY_TO_SHIP', 'leave it with the guard'],
      [orders[1]?.orderSn ?? '']: ['CANCELLED', ''],
    })
  })

  it('a pull that fails on its last page keeps the pages before, and the cursor where it was', async () => {
    sim.seed(seedOrders(60))
    sim.faults.add({ kind: 'serverError', path: 'get_order_detail', nth: 3 })
    await expect(pull()).rejects.toMatchObject({ type: 'Transient', nonRetryable: false })
    expect(await count()).toBe(40)
    expect(await readCursor(db.pool, NAME, 'orders')).toBeNull()
    expect(await pull()).toEqual({ pages: 3, stored: 20, known: 40, done: true })
    expect(await readCursor(db.pool, NAME, 'orders')).not.toBeNull()
  })

  it('reads a long past a day at a time', async () => {
    await connect({ initialLookbackMs: 3 * 24 * 60 * minute - minute })
    sim.seed(seedOrders(6, { apartSeconds: 12 * 3600 }))
    const slices = [await pull(), await pull(), await pull()]
    expect(slices.map((slice) => slice.done)).toEqual([false, false, true])
    expect(await count(`kind = 'order'`)).toBe(6)
  })

  it("a rate limit brings the vendor's delay; one that outlasts the pull ends it", async () => {
    sim.faults.add({ kind: 'rateLimit', retryAfter: 1 })
    const short = await pull().catch((error: unknown) => error)
    expect(short).toBeInstanceOf(ApplicationFailure)
    expect(short).toMatchObject({ type: 'RateLimited', nonRetryable: false, nextRetryDelay: 1_000 })
    // The quota of the connection is paused for that second: the next request waits for it.
    sim.faults.add({
      kind: 'refuse',
      code: 'error_limit',
      message: 'The total API call number has reached the daily API call limit',
    })
    const long = await pull().catch((error: unknown) => error)
    expect((long as ApplicationFailure).type).toBe('RateLimited')
    const remaining = 86_400_000 - ((Date.now() + 8 * 3_600_000) % 86_400_000)
    expect((long as ApplicationFailure).nonRetryable).toBe(remaining > 5 * minute)
  })

  it('a token that ended is refreshed, and the rotated one is stored sealed', async () => {
    sim.seed(seedOrders(1))
    sim.expireTokens()
    expect(await pull()).toMatchObject({ stored: 1 })
    const { rows } = await db.pool.query<{ tokens: Buffer; tokens_version: number }>(
      'select tokens, tokens_version from connection_state',
    )
    expect(rows[0]?.tokens_version).toBe(1)
    expect(rows[0]?.tokens.toString('latin1')).not.toContain(sim.tokens().refreshToken)
    expect(await pull()).toMatchObject({ done: true })
  })

  it('two pulls at once store everything once', async () => {
    sim.seed(seedOrders(60))
    const both = await Promise.all([pull(), pull()])
    expect(both.reduce((sum, slice) => sum + slice.stored, 0)).toBe(60)
    expect(await count()).toBe(60)
  })

  it('a wrong key stops the connection and tells a person once', async () => {
    await connect({ partnerKey: 'wrong' })
    await expect(pull()).rejects.toMatchObject({ type: 'Misconfigured', nonRetryable: true })
    expect(await pull()).toMatchObject({ skipped: 'stopped' })
    const { rows } = await db.pool.query<{ kind: string; remedy: string }>(`select kind, remedy from tasks where state = 'open'`)
    expect(rows).toEqual([{ kind: 'connection.pull', remedy: expect.stringContaining('partnerKey') as string }])
  })

  it('a paused connection is not asked', async () => {
    await db.pool.query('update connections set paused = true')
    expect(await pull()).toMatchObject({ skipped: 'paused', done: true })
    expect(sim.calls()).toEqual([])
  })

  it('a push makes it fetch the order, though it lies before the cursor', async () => {
    await pull()
    const [order] = seedOrders(1, { newest: new Date(Date.now() - 48 * 60 * minute) })
    if (!order) throw new Error('no order')
    sim.seed([order])
    await storeRaw(db.pool, NAME, [
      {
        kind: 'order',
        externalId: order.orderSn,
        version: 'push-3-x',
        eventAt: null,
        payload: { lookAt: { order_sn: order.orderSn, code: 3, status: null } },
      },
    ])
    expect(await leaseInbox(db.pool, 10)).toEqual([])
    expect(await pull()).toMatchObject({ pages: 1, stored: 1 })
    expect(await count(`payload ? 'lookAt' and state = 'ignored'`)).toBe(1)
    expect(await count(`payload ? 'item_list' and state = 'new'`)).toBe(1)
    expect(await pull()).toMatchObject({ stored: 0 })
  })

  it('an order that was edited and edited back within one second of its update time is told each time', async () => {
    const [order] = seedOrders(1)
    if (!order) throw new Error('no order')
    for (const status of ['READY_TO_SHIP', 'IN_CANCEL', 'READY_TO_SHIP', 'IN_CANCEL']) {
      sim.seed([{ ...order, status }])
      expect(await pull()).toMatchObject({ stored: 1 })
      expect(await pull()).toMatchObject({ stored: 0 })
      const { rows } = await db.pool.query<{ status: string }>(
        `select payload->>'order_status' as status from inbox where kind = 'order' order by id desc limit 1`,
      )
      expect(rows).toEqual([{ status }])
    }
  })

  it('one malformed order is stored raw beside the others', async () => {
    const orders = seedOrders(3)
    sim.seed(orders.map((order, at) => (at === 0 ? { ...order, malformed: { item_list: 'none', update_time: null } } : order)))
    expect(await pull()).toMatchObject({ stored: 3 })
    expect(await count(`payload ? 'failure'`)).toBe(1)
  })
})

describe('pullConnections', () => {
  it('are those whose connector can be pulled; stopped means paused', () => {
    const base = { config: {}, paused: false, stoppedReason: null }
    const connectors = { shopee: shopee as Connector, wms: { name: 'wms' } as Connector }
    expect(
      pullConnections(
        [
          { ...base, name: 'a', connector: 'shopee', config: { pullEveryMs: 15_000 } },
          { ...base, name: 'b', connector: 'wms' },
          { ...base, name: 'c', connector: 'shopee', stoppedReason: 'x' },
          { ...base, name: 'd', connector: 'constructor' },
        ],
        connectors,
      ),
    ).toEqual([
      { name: 'a', paused: false, everyMs: 15_000 },
      { name: 'c', paused: true, everyMs: 300_000 },
    ])
  })
})
