/**
 * Every verb in every state an order may be in: what is offered is taken, what is not offered is refused or changes nothing; a
 * preview says what doing it then does, and changes nothing itself.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { preview, type Preview } from '../../activities/order/preview.ts'
import { differencesOf, stateOf, type Difference } from '../../activities/order/previewState.ts'
import { isJudged, isPossible } from '../../domain/possible.ts'
import { getCommand, giveCommand, VERBS, type Verb } from '../../store/commands.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { standingOf, standings } from '../../store/standing.ts'
import { viewTask } from '../../server/taskView.ts'
import { listTasks } from '../../store/tasks.ts'
import { orderStates, type StateName } from './orderStates.ts'
import { startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
let at: ReturnType<typeof orderStates>
beforeAll(async () => {
  spine = await startSpine()
  at = orderStates(spine)
  // Enough for every order that takes its turn.
  for (const [location, sku] of [
    ['north', 'TEE-S'],
    ['south', 'CAP'],
    ['shop', 'TEE-S'],
    ['shop', 'TEE-M'],
  ] as const)
    await transaction(spine.db.pool, (tx) =>
      setOnHand(tx, { key: `more:${location}:${sku}`, sku, location, onHand: 5_000, reason: 'count' }),
    )
})
afterAll(() => spine?.stop())

const STATES: readonly StateName[] = [
  'taken in',
  'an article is not known',
  'waits for stock',
  'waits for the customer to confirm',
  'waits for its payment',
  'held by its channel',
  'kept for a try-on',
  'tried on now',
  'kept after a try-on',
  'waits for the next wave',
  'waits for a person to pack it',
  'being picked',
  'being picked, and changed too late',
  'packed by a person, and changed too late',
  'not all of it was found',
  'packed and booked',
  'packed and booked against cash',
  'refused by the courier',
  'waits to be collected',
  'its cancellation waits for the warehouse',
  'left while it was being cancelled',
  'on its way',
  'on its way back',
  'came back',
  'delivered',
  'collected',
  'cancelled',
]
const opened = new Map<string, Set<string>>()
const isVerb = (action: string): action is Verb => (VERBS as readonly string[]).includes(action)

const DETAIL: Partial<Record<Verb, Record<string, unknown>>> = {
  change: { notes: 'ring twice' },
  decide: { keep: { 1: 1 } },
  cancel: { reason: 'no longer wanted' },
}

/** Every row of every table. */
async function dump(): Promise<string[]> {
  const tables = await spine.db.pool.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`,
  )
  const each = tables.rows.map(
    ({ name }) => `select '${name}' as name, md5(coalesce(string_agg(t::text, '|' order by t::text), '')) as sum from ${name} t`,
  )
  const { rows } = await spine.db.pool.query<{ name: string; sum: string }>(each.join(' union all '))
  return rows.map(({ name, sum }) => `${name} ${sum}`).sort()
}

/** A machine with more to do than it can may take longer than a preview may: the same is asked again, as the API says. */
const see = async (orderId: string, verb: Verb): Promise<Preview> => {
  for (;;) {
    try {
      return await preview(at.runtime, { orderId, verb, detail: DETAIL[verb] ?? {}, who: 'person:test' })
    } catch (error) {
      if (!['57014', '55P03'].includes(String((error as { code?: unknown }).code))) throw error
    }
  }
}

/** Ids of units and parcels that are made by it are minted anew each time. */
const told = (changes: readonly Difference[]) =>
  changes
    .map(
      ({ of, name, from, to }) => `${of} ${from === null ? name.replace(/[a-z]+-[0-9a-z-]{6,}/, 'new') : name}: ${from} -> ${to}`,
    )
    .sort()

describe.each(STATES)('an order: %s', (state) => {
  it('takes what is offered, refuses the rest, and does what the preview said', async () => {
    const orderId = await at.states[state]()
    const standing = standingOf(await spine.order(orderId))
    expect((await standings(spine.db.pool, [orderId])).get(orderId)).toEqual(standing)
    const offered = (await listTasks(spine.db.pool, { orderId, state: 'open' })).flatMap(({ actions }) => actions)
    const before = await dump()
    const would = new Map<Verb, Preview>()
    for (const verb of VERBS) would.set(verb, await see(orderId, verb))
    expect(await dump(), 'a preview changes nothing').toEqual(before)
    for (const [verb, { possible, answer, changes }] of would) {
      const isTaken = possible && !answer.includes('already')
      if (isJudged(verb)) expect(`${verb} ${isTaken}: ${answer}`).toBe(`${verb} ${isPossible(verb, standing)}: ${answer}`)
      if (!possible) expect(changes).toEqual([])
      else if (verb !== 'skip' && (verb !== 'retry' || offered.includes('retry'))) await doneAsPreviewed(state, verb)
    }
    await tasksOffer(orderId, would)
  }, 120_000)
})

/** What its tasks offer now is possible now, and each of them offers something. */
async function tasksOffer(orderId: string, would: ReadonlyMap<Verb, Preview>): Promise<void> {
  for (const { id, kind } of await listTasks(spine.db.pool, { orderId, state: 'open' })) {
    const task = await viewTask(spine.db.pool, id)
    expect(task?.can, `${kind} offers something`).not.toEqual([])
    for (const { action, does } of task?.can ?? []) {
      expect(does).not.toBe('')
      if (isVerb(action)) expect(would.get(action), `${kind}: ${action}`).toMatchObject({ possible: true })
      opened.set(kind, new Set([...(opened.get(kind) ?? []), action]))
    }
  }
}

it('the kinds of tasks that an order alone opens have all been seen, with all that they offer', () => {
  expect(Object.fromEntries([...opened].map(([kind, actions]) => [kind, [...actions].sort().join(', ')]))).toEqual({
    'booking.refused': 'cancel, change, retry',
    'change.refused': 'recall, skip',
    'order.check': 'cancel, change, chooseSku, retry',
    'pick.short': 'cancel, retry, shipWithout',
    'recall.refused': 'letGo, skip',
    'refund.byHand': 'done, skip',
    'return.receive': 'restocked, skip',
    'stock.short': 'cancel, change, retry',
    'unit.pick': 'cancel, packed, reroute',
  })
})

async function doneAsPreviewed(state: StateName, verb: Verb): Promise<void> {
  const orderId = await at.states[state]()
  const would = await see(orderId, verb)
  const before = await stateOf(spine.db.pool, orderId)
  const { id } = await giveCommand(spine.db.pool, { orderId, verb, detail: DETAIL[verb] ?? {}, who: 'person:test' })
  // Another booking is a question, a cancelled one is part of it.
  await at.play(orderId, { calls: verb === 'cancel' || verb === 'recall' })
  expect(await getCommand(spine.db.pool, id)).toMatchObject({ state: 'done', answer: would.answer })
  const done = differencesOf(before, await stateOf(spine.db.pool, orderId))
  expect(told(done), `${verb}: done as previewed`).toEqual(told(would.changes))
}
