/** A group-buy that failed is released and told by whoever is left: a sweep is killed half way, and two go on at once. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { closeCampaigns } from '../../activities/campaigns/round.ts'
import { audit } from '../../store/audit.ts'
import { endCampaign, listCampaigns, setCampaign } from '../../store/campaigns.ts'
import { transaction } from '../../store/db.ts'
import { levels, move } from '../../store/ledger/operations.ts'
import { root } from '../harness/paths.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
  // Rings go nowhere here: the steps are called one by one.
  Object.assign(spine.runtime.temporal, { withDeadline: () => Promise.resolve() })
})
afterAll(() => spine?.stop())

const ORDERS = 8
/** A failing campaign whose time is up, with members that paid and members that pay at the door. */
async function failing(id: string) {
  const { pool } = spine.runtime
  const sku = `SKU-${id}`
  await pool.query('insert into products (sku, name) values ($1, $1)', [sku])
  await transaction(pool, (tx) => move(tx, { key: `in:${sku}`, sku, location: 'north', quantity: 50, reason: 'receipt' }))
  const closesAt = new Date(Date.now() + 3_600_000).toISOString()
  const allotments = [{ sku, location: 'north', quantity: 50 }]
  await transaction(pool, (tx) => setCampaign(tx, { id, title: null, minimum: 40, counts: 'pieces', closesAt, allotments }))
  const ids: string[] = []
  for (let index = 0; index < ORDERS; index++) {
    const cod = { method: 'cod' as const, state: 'due' as const, amountDueMinor: 10_000 }
    const payment = index % 2 === 0 ? {} : { payment: cod }
    const orderId = await spine.place({ kind: 'groupBuy', campaign: id, lines: lines([sku, 1]), ...payment })
    await spine.steps.check(orderId)
    await spine.steps.reserve(orderId)
    await spine.steps.askConfirmation(orderId)
    ids.push(orderId)
  }
  await endCampaign(pool, id)
  return { sku, ids }
}

/** A sweep in a process of its own that dies by itself at that point. */
async function sweepThatDies(where: 'after three orders' | 'in the middle of the second refund'): Promise<void> {
  const program = `
    import { createRuntime } from ${JSON.stringify(join(root, 'runtime.ts'))}
    import { secretKeyFrom } from ${JSON.stringify(join(root, 'store/secrets.ts'))}
    import { closeCampaigns } from ${JSON.stringify(join(root, 'activities/campaigns/round.ts'))}
    const temporal = { connection: { address: '127.0.0.1:9' }, namespace: 'default' }
    const settings = { databaseUrl: process.env.KILL_DATABASE, temporal, secretKey: secretKeyFrom('a passphrase for tests') }
    const runtime = await createRuntime(settings, { logLevel: 'silent' })
    const where = process.env.KILL_WHERE
    const die = () => process.kill(process.pid, 'SIGKILL')
    let rings = 0
    Object.assign(runtime.temporal, { withDeadline: async () => { if (++rings === 3 && where === 'after three orders') die() } })
    let refunds = 0
    const watched = new WeakSet()
    runtime.pool.on('acquire', (client) => {
      if (watched.has(client)) return
      watched.add(client)
      const query = client.query.bind(client)
      client.query = (asked, ...rest) => {
        if (asked?.name === 'owe' && ++refunds === 2 && where === 'in the middle of the second refund') die()
        return query(asked, ...rest)
      }
    })
    await closeCampaigns(runtime)
    await runtime.close()`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, KILL_DATABASE: spine.db.url, KILL_WHERE: where },
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null]
  expect(signal, 'it was killed where it should be').toBe('SIGKILL')
}

it.each(['after three orders', 'in the middle of the second refund'] as const)(
  'a sweep that dies %s has told some; two others at once tell the rest, and everybody is told and paid back once',
  { timeout: 120_000 },
  async (where) => {
    const { pool } = spine.runtime
    const id = where.replaceAll(' ', '-')
    const { sku, ids } = await failing(id)
    await sweepThatDies(where)
    const told = await pool.query(`select from orders where id = any($1) and facts ? 'cancelRequested'`, [ids])
    expect(told.rowCount).toBeGreaterThan(0)
    expect(told.rowCount).toBeLessThan(ORDERS)

    // A lock that took too long is told as such and changes nothing; the next round goes on.
    await Promise.allSettled([closeCampaigns(spine.runtime), closeCampaigns(spine.runtime)])
    await closeCampaigns(spine.runtime)
    for (const orderId of ids) {
      await spine.steps.recall(orderId)
      await spine.steps.releaseAll(orderId)
    }
    expect((await listCampaigns(pool, { id }))[0]).toMatchObject({ state: 'failed', counted: ORDERS })
    const phases = await Promise.all(ids.map(async (orderId) => (await spine.order(orderId)).phase))
    expect(phases).toEqual(ids.map(() => 'cancelled'))
    const refunds = await pool.query<{ orders: number; all: number; minor: number }>(
      `select count(distinct order_id)::int as orders, count(*)::int as all, sum((payload->>'amountMinor')::int)::int as minor
       from outbox where kind = 'refund' and order_id = any($1)`,
      [ids],
    )
    expect(refunds.rows).toEqual([{ orders: ORDERS / 2, all: ORDERS / 2, minor: (ORDERS / 2) * 10_000 }])
    const notices = await pool.query<{ times: number }>(
      `select count(*)::int as times from notices where template = 'campaignFailed' and order_id = any($1) group by order_id`,
      [ids],
    )
    expect(notices.rows.map(({ times }) => times)).toEqual(ids.map(() => 1))
    expect((await levels(pool, { sku, location: 'north' }))[0]).toMatchObject({ onHand: 50, available: 50 })
    expect((await audit(pool)).violations).toEqual([])
  },
)

it('eight sweeps that close the same campaigns at once judge each once and tell each order once', async () => {
  const { pool } = spine.runtime
  const both = [await failing('crowd-1'), await failing('crowd-2')]
  await Promise.allSettled(Array.from({ length: 8 }, () => closeCampaigns(spine.runtime)))
  await closeCampaigns(spine.runtime)
  for (const { ids } of both) {
    const facts = await pool.query(
      `select order_id, count(*)::int as times from order_facts where fact = 'cancelRequested' and order_id = any($1) group by 1`,
      [ids],
    )
    expect(facts.rows.map(({ times }: { times: number }) => times)).toEqual(ids.map(() => 1))
    const refunds = await pool.query(`select from outbox where kind = 'refund' and order_id = any($1)`, [ids])
    expect(refunds.rowCount).toBe(ORDERS / 2)
  }
  expect((await audit(pool)).violations).toEqual([])
})
