/** A task as its person meets it: what it says, what each of its actions would change, and that doing one changes just that. */
import { userInfo } from 'node:os'
import { expect, vi } from 'vitest'
import { differencesOf, stateOf, type Difference, type OrderState } from '../../activities/order/previewState.ts'
import { main } from '../../cli/program.ts'
import { pauseConnection } from '../../store/connections.ts'
import { openTasks, untilTask, type TaskShown } from './marketplaceViews.ts'
import type { World } from './world.ts'

export interface Previewed {
  possible: boolean
  answer: string
  asks: string[]
  changes: Difference[]
}
interface TaskSeen extends TaskShown {
  state: string
  openedAt: string
  waitingSince: string
  whoWaits: string | null
  orderedAt: string | null
  closedBy: string | null
  can: { action: string; does: string }[]
  done: { verb: string; who: string; state: string }[]
}
type Body = Record<string, unknown>

export const seen = async (world: World, id: number): Promise<TaskSeen> => (await world.get<TaskSeen>(`/api/v1/tasks/${id}`)).body

/** A machine with more to do than it can answers 503, and the same is asked again. */
export const preview = (world: World, task: { id: number }, action: string, body: Body = {}): Promise<Previewed> =>
  world.until(`${action} is previewed`, async () => {
    const answer = await world.post<Previewed>(`/api/v1/tasks/${task.id}/${action}?preview=true`, body)
    if (answer.status === 503) return null
    expect(answer.status, `${action}: ${JSON.stringify(answer.body)}`).toBe(200)
    return answer.body
  })

/** What an action must be told, where it must be told something. */
const WITH: Record<string, Body> = {
  change: { notes: '請先打電話' },
  chooseSku: { sku: 'TEE-S' },
  decide: { keep: { 1: 1 } },
  cancel: { reason: '客人不要了' },
}

/** Neither warehouse nor courier moves while `work` looks; what was paused before stays so. */
async function still<T>(world: World, work: () => Promise<T>): Promise<T> {
  const { pool } = world.runtime
  const { rows } = await pool.query<{ name: string }>(
    `select name from connections where name in ('warehouse', 'ecpay') and not paused`,
  )
  for (const { name } of rows) await pauseConnection(pool, name)
  try {
    return await work()
  } finally {
    for (const { name } of rows) await pauseConnection(pool, name, false)
  }
}

const stateOfTask = async (world: World, { orderId }: TaskShown): Promise<OrderState | null> =>
  orderId === null ? null : await stateOf(world.runtime.pool, orderId)

/**
 * Waits for the task, and reads it: it says what happened and what became of the goods (`says`), who waits since when, and what can be
 * done now; each of these can be looked at before, which changes nothing.
 */
export async function read(
  world: World,
  which: Parameters<typeof untilTask>[1],
  { says, offers }: { says: RegExp; offers: string[] },
): Promise<TaskSeen> {
  const { id } = await untilTask(world, which)
  return await still(world, async () => {
    const task = await seen(world, id)
    expect(`${task.title} ${task.detail}`).toMatch(says)
    expect(task.remedy).not.toBe('')
    expect(task.waitingSince).toBe(task.openedAt)
    if (task.orderId !== null) {
      expect(task.whoWaits).toBe('陳測試')
      expect(Date.parse(task.orderedAt ?? '')).not.toBeNaN()
    }
    expect(task.actions.toSorted()).toEqual(offers.toSorted())
    expect(task.can.map(({ action }) => action)).toEqual(task.actions)
    const before = await stateOfTask(world, task)
    for (const { action, does } of task.can) {
      expect(does).not.toBe('')
      expect(await preview(world, task, action, WITH[action]), `${task.kind}: ${action}`).toMatchObject({ possible: true })
    }
    expect(await stateOfTask(world, task), 'a look changes nothing').toEqual(before)
    return task
  })
}

/** Ids of units and parcels that are made by it are minted anew each time; whether a courier cancels is its own word. */
const inWords = (changes: readonly Difference[], action: string): string[] =>
  changes
    .filter(({ of }) => action !== 'cancel' || of !== 'parcel')
    .map(
      ({ of, name, from, to }) => `${of} ${from === null ? name.replace(/[a-z]+-[0-9a-z-]{6,}/, 'new') : name}: ${from} -> ${to}`,
    )

/** Does it: what its preview said comes true, and who did it is kept. */
export async function settle(
  world: World,
  task: TaskShown,
  action: string,
  { body = WITH[action] ?? {}, cli }: { body?: Body; cli?: string[] } = {},
): Promise<Previewed> {
  const who = cli === undefined ? 'local' : `cli:${userInfo().username}`
  const would = await still(world, async () => {
    const before = await stateOfTask(world, task)
    const said = await preview(world, task, action, body)
    expect(said.possible, said.answer).toBe(true)
    if (cli === undefined) await byHttp(world, task, action, body)
    else await byCommand(world, task, action, cli)
    let missing: string[] = []
    await world
      .until('it is as previewed', async () => {
        const now = await stateOfTask(world, task)
        if (before === null || now === null) return true
        const done = new Set(inWords(differencesOf(before, now), action))
        missing = inWords(said.changes, action).filter((change) => !done.has(change))
        return missing.length === 0
      })
      .catch((error: Error) => {
        throw new Error(`${error.message}; not so: ${missing.join('; ')}`)
      })
    return said
  })
  const after = await world.until(`task ${task.id} is closed`, async () => {
    const now = await seen(world, task.id)
    return now.state === 'done' ? now : null
  })
  const asked = after.done.find(({ verb }) => verb === action)
  if (asked === undefined) expect(after.closedBy).toBe(who)
  else expect(asked).toMatchObject({ who, state: 'done' })
  expect((await openTasks(world)).map(({ id }) => id)).not.toContain(task.id)
  return would
}

async function byHttp(world: World, { id }: TaskShown, action: string, body: Body): Promise<void> {
  const answer = await world.post(`/api/v1/tasks/${id}/${action}`, body)
  expect([200, 202], JSON.stringify(answer.body)).toContain(answer.status)
}

/** Looked at first, as a person at the terminal does. */
async function byCommand(world: World, { id }: TaskShown, action: string, options: string[]): Promise<void> {
  const command = ['task', String(id), action, ...options]
  const looked = await omnisaga(world, [...command, '--preview'])
  expect(looked, looked.printed).toMatchObject({ code: 0, printed: expect.stringContaining('Nothing was done.') as string })
  const acted = await omnisaga(world, command)
  expect(acted.code, acted.printed).toBe(0)
}

/** The command as it is typed, in this process: its exit code and what was printed. */
async function omnisaga(world: World, argv: string[]): Promise<{ code: number; printed: string }> {
  vi.stubEnv('DATABASE_URL', world.runtime.databaseUrl)
  vi.stubEnv('TEMPORAL_ADDRESS', world.engine.address)
  vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
  const said: string[] = []
  const hear = (chunk: unknown) => said.push(String(chunk)) > 0
  const spies = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, 'write').mockImplementation(hear))
  try {
    return { code: await main(argv), printed: said.join('') }
  } finally {
    for (const spy of spies) spy.mockRestore()
    vi.unstubAllEnvs()
  }
}
