/** The acceptance suite: what every connector must do, each told once. Titles are the sentences that a failing run prints. */
import { expect } from 'vitest'
import { mapRecord } from '../../activities/intake.ts'
import { callMeter } from '../../connectors/kit/meter.ts'
import type { Connector, ConnectorContext, RawRecord } from '../../connectors/kit/types.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { FaultKind } from '../../simulators/kit/faults.ts'
import { InvalidConfiguration } from '../../store/configuration.ts'
import { moveCursor, readCursor } from '../../store/cursors.ts'
import { readInbox, storeRaw } from '../../store/inbox.ts'
import type { Bench, Scene } from './bench.ts'
import { missingFrom } from './needs.ts'
import type { ReadCase, Stage, WriteCase } from './subject.ts'

/** The connector has nothing of the kind: a dash in the table. */
export const NOT_THERE = Symbol('not there')
export interface Check {
  /** The column of docs/connectors.md. */
  column: string
  title: string
  run(bench: Bench): Promise<void | typeof NOT_THERE>
}

/** Short, since some answers never come; a true answer that is late is asked for again. */
const LOST_AFTER_MS = 1_000
/** How often a write is repeated, as the outbox would. */
const MAX_REPEATS = 8
const RETRIED = ['OutcomeUnknown', 'Transient', 'RateLimited']

async function drain(pages: AsyncGenerator<RawRecord[]>): Promise<RawRecord[][]> {
  const all: RawRecord[][] = []
  for await (const page of pages) all.push(page)
  return all
}

/** The call with which reading is examined. */
function reading(connector: Connector, stage: Stage): ReadCase | null {
  const { orders } = stage
  if (orders && connector.pullOrders)
    return { request: { path: '' }, run: (ctx) => drain(connector.pullOrders!(ctx, orders.window)) }
  return stage.read ?? null
}

const forgetPauses = (bench: Bench) => bench.db.pool.query('delete from quotas')

/** Again and again while it fails as something that may be repeated. */
async function untilDone(bench: Bench, ctx: ConnectorContext, write: WriteCase): Promise<void> {
  for (let time = 0; time < MAX_REPEATS; time++) {
    const error = await bench.caught(() => write.run(ctx, bench.connector))
    if (error === undefined) return
    expect(RETRIED, `${write.name}, repeated: ${error.message}`).toContain(error.kind)
    await forgetPauses(bench)
  }
  expect.fail(`${write.name} was repeated ${MAX_REPEATS} times and never worked`)
}

/** Each write under one fault, on a stand-in of its own. @returns NOT_THERE when there is none */
async function everyWrite(
  bench: Bench,
  fault: { kind: FaultKind; retryAfter?: number; status?: number },
  options: { timeoutMs?: number; maxWaitMs?: number },
  judge: (args: { scene: Scene; write: WriteCase; error: OmnisagaError | undefined }) => Promise<void> | void,
): Promise<void | typeof NOT_THERE> {
  const first = await bench.scene()
  const count = first.stage.faults === null ? 0 : (first.stage.writes?.length ?? 0)
  if (count === 0) return NOT_THERE
  for (let at = 0; at < count; at++) {
    const scene = await bench.scene(options)
    const write = scene.stage.writes?.[at]
    const { faults } = scene.stage
    if (!write || !faults) throw new Error(`${bench.subject.name}: the stages differ`)
    faults.add({ ...fault, ...write.request })
    const error = await bench.caught(() => write.run(scene.ctx, bench.connector))
    expect(faults.list()[0]?.given, `${write.name}: no request matched ${JSON.stringify(write.request)}`).toBe(1)
    await judge({ scene, write, error })
    await forgetPauses(bench)
    if (write.leftToPerson !== undefined && error?.kind === 'OutcomeUnknown') {
      expect(error.remedy?.length ?? 0, `${write.name}: what a person shall do`).toBeGreaterThan(5)
      expect(write.effects(), `${write.name} after ${fault.kind}: effects at the vendor`).toBeLessThanOrEqual(1)
      continue
    }
    await untilDone(bench, scene.ctx, write)
    expect(write.effects(), `${write.name} after ${fault.kind}: effects at the vendor`).toBe(1)
  }
  return undefined
}

const describesItself: Check = {
  column: 'complete',
  title: 'shows every capability that it declares',
  async run(bench) {
    const { stage, ctx } = await bench.scene()
    await bench.connector.check(ctx)
    expect(missingFrom(bench.connector, stage, bench.usesTokens())).toEqual([])
  },
}

const checkGood: Check = {
  column: 'check',
  title: 'check: says that a good configuration works, and in plain words what is wrong with a bad one',
  async run(bench) {
    const scene = await bench.scene()
    expect(await bench.connector.check(scene.ctx)).toEqual({ ok: true, problems: [] })
    for (const bad of scene.stage.bad) {
      const told: string[] = []
      try {
        const ctx = await scene.reopen(bad.config)
        const result = await bench.connector.check(ctx)
        bench.heard(result)
        expect(result.ok, bad.name).toBe(false)
        for (const problem of result.problems) {
          expect(problem.remedy.length, `${bad.name}: a remedy`).toBeGreaterThan(5)
          told.push(problem.message, problem.remedy)
        }
      } catch (error) {
        bench.heard(error)
        if (error instanceof InvalidConfiguration) told.push(JSON.stringify(error.problems))
        else if (error instanceof OmnisagaError) told.push(error.message, error.remedy ?? '')
        else throw error
      }
      expect(told.join('\n'), bad.name).toMatch(bad.says)
    }
  },
}

const paging: Check = {
  column: 'paging',
  title: 'paging: reads to the end, without loss or repeat, while records change between the pages',
  async run(bench) {
    const { connector, db } = bench
    const { pullOrders } = connector
    if (!pullOrders) return NOT_THERE
    const quiet = await bench.scene()
    const { orders } = quiet.stage
    if (!orders) throw new Error('no orders stage')
    const pages = await drain(pullOrders.call(connector, quiet.ctx, orders.window))
    expect(pages.filter((page) => page.length > 0).length, 'pages').toBeGreaterThan(2)
    const ids = pages.flat().flatMap((record) => (record.kind === 'order' ? [record.externalId] : []))
    expect(ids.toSorted(), 'each order once').toEqual([...orders.externalIds].toSorted())

    const { stage, ctx, name } = await bench.scene()
    const moving = stage.orders
    if (!moving) throw new Error('no orders stage')
    // One that was seen, one at the border, one at the end: whichever way the vendor sorts, some move.
    const { externalIds } = moving
    const middle = Math.floor(externalIds.length / 2)
    const edits = [[externalIds[0], externalIds.at(-1)], [externalIds[middle]], [externalIds[1], externalIds.at(-2)]]
    const given = new Set<string>()
    for await (const page of pullOrders.call(connector, ctx, moving.window)) {
      for (const record of page) {
        const key = `${record.kind} ${record.externalId} ${record.version}`
        expect(given, 'the same version once').not.toContain(key)
        given.add(key)
      }
      await storeRaw(db.pool, name, page)
      for (const externalId of edits.shift() ?? []) if (externalId !== undefined) moving.edit(externalId)
    }
    expect(edits.length, 'edits that were made').toBeLessThan(3)
    for await (const page of pullOrders.call(connector, ctx, moving.windowAfterEdits())) await storeRaw(db.pool, name, page)
    const { rows } = await db.pool.query<{ id: string }>(
      `select distinct external_id as id from inbox where connection = $1 and kind = 'order'`,
      [name],
    )
    expect(rows.map((row) => row.id).toSorted(), 'no order lost').toEqual([...externalIds].toSorted())
    // Nothing changes any more: what a whole reading shows now must be stored already.
    const whole = { from: moving.window.from, to: moving.windowAfterEdits().to }
    for await (const page of pullOrders.call(connector, ctx, whole)) {
      const newest = page.filter((record) => record.kind === 'order')
      const { stored } = await storeRaw(db.pool, name, newest)
      expect(stored, `newest versions that two pulls missed, on the page of ${newest[0]?.externalId}`).toBe(0)
    }
    return undefined
  },
}

const cursor: Check = {
  column: 'cursor',
  title: 'cursor: moves after the records are durable, overlaps, and refuses to go back',
  async run(bench) {
    if (!bench.connector.pullOrders) return NOT_THERE
    const { pool } = bench.db
    const broken = await bench.scene()
    broken.stage.faults?.add({ kind: 'serverError', nth: 2, times: 0 })
    await expect(broken.pull(), 'a pull that fails on its way').rejects.toMatchObject({ type: expect.any(String) })
    expect(await readCursor(pool, broken.name, 'orders'), 'stays where it was').toBeNull()
    broken.stage.faults?.clear()

    await broken.pull()
    const reached = await readCursor(pool, broken.name, 'orders')
    if (!reached) throw new Error('the cursor did not move')
    const { rows } = await pool.query<{ n: number }>(
      `select count(distinct external_id)::int as n from inbox where connection = $1 and kind = 'order'`,
      [broken.name],
    )
    expect(rows[0]?.n, 'durable records behind it').toBe(broken.stage.orders?.externalIds.length)
    expect(await moveCursor(pool, broken.name, 'orders', new Date(reached.getTime() - 3_600_000))).toBe(false)
    expect(await readCursor(pool, broken.name, 'orders')).toEqual(reached)

    const asked: { from: Date; to: Date }[] = []
    const { connector } = bench
    const watched: Connector = {
      ...connector,
      pullOrders: (ctx, window) => {
        asked.push(window)
        return connector.pullOrders!(ctx, window)
      },
    }
    const { connection } = broken.runtime
    broken.runtime.connection = async (...args) => ({ ...(await connection(...args)), connector: watched })
    await broken.pull()
    expect(asked[0]?.from.getTime(), 'what was read before is read again').toBeLessThan(reached.getTime())
    return undefined
  },
}

/** Told to a person, since only a person can give another key. */
function expectNoWayIn(error: OmnisagaError | undefined, what: string): void {
  expect(['AuthExpired', 'Misconfigured'], `${what}: ${error?.message ?? 'it did not fail'}`).toContain(error?.kind)
  expect(error?.remedy?.length ?? 0, `${what}: a remedy`).toBeGreaterThan(5)
}

const expiredToken: Check = {
  column: '401',
  title: '401: refreshes once, however many callers there are, and goes on; says so where there is nothing to refresh',
  async run(bench) {
    const scene = await bench.scene()
    const { expireToken, faults } = scene.stage
    const read = reading(bench.connector, scene.stage)
    if (read && expireToken?.refreshes) {
      await read.run(scene.ctx, bench.connector)
      const before = expireToken.timesRefreshed?.() ?? 0
      expireToken.expire()
      await read.run(scene.ctx, bench.connector)
      if (expireToken.timesRefreshed) expect(expireToken.timesRefreshed() - before, 'refreshes').toBe(1)
      expireToken.expire()
      await Promise.all(Array.from({ length: 5 }, () => read.run(scene.ctx, bench.connector)))
      if (expireToken.timesRefreshed) expect(expireToken.timesRefreshed() - before, 'refreshes with five callers').toBe(2)
    } else if (read && (expireToken || faults)) {
      if (expireToken) expireToken.expire()
      else faults?.add({ kind: 'serverError', status: 401, ...read.request })
      expectNoWayIn(await bench.caught(() => read.run(scene.ctx, bench.connector)), 'reading')
    }
    const writes = await everyWrite(bench, { kind: 'serverError', status: 401 }, {}, ({ write, error }) => {
      // None: it was renewed, or asked once more, and then done once.
      if (error) expectNoWayIn(error, write.name)
    })
    return read && (expireToken || faults) ? undefined : writes
  },
}

const rateLimited: Check = {
  column: '429',
  title: '429: does nothing, waits as long as the vendor asks, and the whole connection waits with it',
  async run(bench) {
    const scene = await bench.scene({ maxWaitMs: 0 })
    const { faults } = scene.stage
    const read = reading(bench.connector, scene.stage)
    if (read && faults) {
      faults.add({ kind: 'rateLimit', retryAfter: 30, ...read.request })
      const error = await bench.caught(() => read.run(scene.ctx, bench.connector))
      expect(error).toMatchObject({ kind: 'RateLimited', retryAfterMs: 30_000 })
      // The next caller does not even ask.
      const next = await bench.caught(() => read.run(scene.ctx, bench.connector))
      expect(next).toMatchObject({ kind: 'RateLimited', code: 'quota' })
      await forgetPauses(bench)
      await read.run(scene.ctx, bench.connector)
    }
    const writes = await everyWrite(bench, { kind: 'rateLimit', retryAfter: 30 }, { maxWaitMs: 0 }, ({ write, error }) => {
      expect(error, write.name).toMatchObject({ kind: 'RateLimited', retryAfterMs: 30_000 })
      expect(write.effects(), `${write.name}: effects of a call that was turned away`).toBe(0)
    })
    return read && faults ? undefined : writes
  },
}

const serverError: Check = {
  column: '500',
  title: '500: a read is tried again, a write is looked up or repeated, and is done once',
  async run(bench) {
    const scene = await bench.scene()
    const { faults } = scene.stage
    const read = reading(bench.connector, scene.stage)
    if (read && faults) {
      faults.add({ kind: 'serverError', ...read.request })
      const error = await bench.caught(() => read.run(scene.ctx, bench.connector))
      expect(error).toMatchObject({ kind: 'Transient' })
      await read.run(scene.ctx, bench.connector)
    }
    const writes = await everyWrite(bench, { kind: 'serverError' }, {}, ({ write, error }) => {
      if (error) expect(['OutcomeUnknown', 'Transient'], `${write.name}: ${error.message}`).toContain(error.kind)
    })
    return read && faults ? undefined : writes
  },
}

const timeOut: Check = {
  column: 'time-out',
  title: 'time-out: a write whose answer is lost has exactly one effect; a read that hangs is tried again',
  async run(bench) {
    const scene = await bench.scene({ timeoutMs: LOST_AFTER_MS })
    const { faults, writes = [] } = scene.stage
    const read = reading(bench.connector, scene.stage)
    if (read && faults) {
      faults.add({ kind: 'hang', ...read.request })
      expect(await bench.caught(() => read.run(scene.ctx, bench.connector))).toMatchObject({ kind: 'Transient' })
    }
    if (faults === null) {
      // No HTTP: what is written again is there once.
      for (let at = 0; at < writes.length; at++) {
        const { ctx, stage } = await bench.scene()
        const write = stage.writes?.[at]
        if (!write) throw new Error('the stages differ')
        write.loseAnswer?.()
        for (let time = 0; time < 2; time++) await untilDone(bench, ctx, write)
        expect(write.effects(), write.name).toBe(1)
      }
      return writes.length > 0 ? undefined : NOT_THERE
    }
    let shown: void | typeof NOT_THERE = NOT_THERE
    for (const kind of ['silentSuccess', 'lostAnswer', 'crashAfter'] as const)
      shown = await everyWrite(
        bench,
        { kind },
        kind === 'silentSuccess' ? { timeoutMs: LOST_AFTER_MS } : {},
        ({ write, error }) => {
          if (error) expect(['OutcomeUnknown', 'Transient'], `${write.name}: ${error.message}`).toContain(error.kind)
        },
      )
    return read && faults ? undefined : shown
  },
}

/** The webhook part of a fresh scene. */
async function webhookOf(bench: Bench) {
  const receive = bench.connector.receiveWebhook
  if (!receive) return null
  const scene = await bench.scene()
  const { webhook } = scene.stage
  if (!webhook) throw new Error('no webhook stage')
  const call = (request: { headers: Record<string, string>; rawBody: Buffer }, ctx = scene.ctx) =>
    receive.call(bench.connector, ctx, request)
  return { scene, webhook, call }
}
const flipped = (text: string): string => {
  const at = Math.floor(text.length / 2)
  return `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`
}

const webhookGood: Check = {
  column: 'webhook',
  title: 'webhook: a true one is taken and answered, and one that comes twice is stored once',
  async run(bench) {
    const at = await webhookOf(bench)
    if (!at) return NOT_THERE
    const genuine = at.webhook.genuine()
    const first = at.call(genuine)
    expect(first.records).toHaveLength(at.webhook.records)
    expect(first.answer.status).toBeGreaterThanOrEqual(200)
    expect(first.answer.status).toBeLessThan(300)
    bench.heard(first.answer)
    expect(await storeRaw(bench.db.pool, at.scene.name, first.records)).toMatchObject({ stored: at.webhook.records })
    const again = at.call(genuine)
    expect(await storeRaw(bench.db.pool, at.scene.name, again.records)).toMatchObject({ stored: 0 })
    return undefined
  },
}

const webhookForged: Check = {
  column: 'forged',
  title: 'webhook: a forged one, an altered one, one without its signature are refused',
  async run(bench) {
    const at = await webhookOf(bench)
    if (!at) return NOT_THERE
    const { headers, rawBody } = at.webhook.genuine()
    const forgeries: [string, { headers: Record<string, string>; rawBody: Buffer }][] = []
    const { signatureHeader } = at.webhook
    if (at.webhook.forge) forgeries.push(['forge()', at.webhook.forge()])
    if (signatureHeader !== null) {
      const isSignature = (name: string) => name.toLowerCase() === signatureHeader.toLowerCase()
      const without = Object.fromEntries(Object.entries(headers).filter(([name]) => !isSignature(name)))
      const altered = Object.fromEntries(
        Object.entries(headers).map(([name, value]) => [name, isSignature(name) ? flipped(value) : value]),
      )
      expect(altered, `the header ${signatureHeader}`).not.toEqual(headers)
      forgeries.push(
        ['no signature', { headers: without, rawBody }],
        ['another signature', { headers: altered, rawBody }],
        ['another body', { headers, rawBody: Buffer.concat([rawBody, Buffer.from(' ')]) }],
      )
    }
    expect(forgeries.length, 'forgeries: give forge() where no header is signed').toBeGreaterThan(0)
    for (const [name, forgery] of forgeries) {
      const error = await bench.caught(async () => at.call(forgery))
      expect(error, name).toMatchObject({ kind: 'Rejected', code: 'forged' })
    }
    return undefined
  },
}

const webhookSecret: Check = {
  column: 'no secret',
  title: 'webhook: without a secret everything is refused',
  async run(bench) {
    const at = await webhookOf(bench)
    if (!at || at.webhook.withoutSecret === null) return NOT_THERE
    const ctx = await at.scene.reopen(at.webhook.withoutSecret)
    const error = await bench.caught(async () => at.call(at.webhook.genuine(), ctx))
    expect(error).toMatchObject({ kind: 'Rejected', code: 'forged' })
    return undefined
  },
}

const webhookEncoding: Check = {
  column: 'encoding',
  title: 'webhook: one in a wrong encoding is refused in our words',
  async run(bench) {
    const at = await webhookOf(bench)
    if (!at) return NOT_THERE
    const { headers, rawBody } = at.webhook.genuine()
    const bodies = [
      ...(at.webhook.wrongEncoding ? [at.webhook.wrongEncoding()] : []),
      { headers, rawBody: Buffer.concat([rawBody.subarray(0, rawBody.length / 2), Buffer.from([0xff, 0xfe, 0x00])]) },
      { headers, rawBody: Buffer.alloc(0) },
    ]
    for (const body of bodies) {
      const error = await bench.caught(async () => at.call(body))
      expect(['Invalid', 'Rejected'], 'refused').toContain(error?.kind)
    }
    return undefined
  },
}

/** What the pure side of a connector makes of a record. */
function mapped(connector: Connector, ctx: ConnectorContext, record: RawRecord): unknown {
  switch (record.kind) {
    case 'order':
      return connector.mapOrder?.(ctx.connection, record)
    case 'sale':
      return connector.mapSale?.(ctx.connection, record)
    case 'courierStatus':
      return (connector.courier ?? connector.tracker)?.mapReport(record)
    case 'shipmentAdvice':
      return connector.warehouse?.mapAdvice(record)
  }
}

const unknownStatus: Check = {
  column: 'unknown status',
  title: 'an unknown status is kept and shown',
  async run(bench) {
    const { stage, ctx } = await bench.scene()
    const shown = stage.lenient?.unknownStatus
    if (!shown) return NOT_THERE
    const result = mapped(bench.connector, ctx, shown.record)
    expect(result).toBeDefined()
    expect(shown.seen(result), 'seen in what it maps to').toBe(true)
    return undefined
  },
}

const masked: Check = {
  column: 'masked',
  title: 'optional fields that are missing or masked are accepted',
  async run(bench) {
    const { stage, ctx } = await bench.scene()
    const record = stage.lenient?.masked
    if (!record) return NOT_THERE
    expect(mapped(bench.connector, ctx, record)).toBeDefined()
    return undefined
  },
}

const malformed: Check = {
  column: 'malformed',
  title: 'a malformed record is set aside with a task, and the rest goes on',
  async run(bench) {
    const { stage, ctx, name, runtime } = await bench.scene()
    const bad = stage.lenient?.malformed
    if (!bad) return NOT_THERE
    expect(() => mapped(bench.connector, ctx, bad)).toThrow(expect.objectContaining({ kind: 'Invalid' }) as Error)
    const good = stage.lenient?.masked ?? stage.lenient?.unknownStatus?.record
    const { pool } = bench.db
    const { ids } = await storeRaw(pool, name, [bad, ...(good ? [good] : [])])
    const outcomes = []
    for (const row of await readInbox(pool, ids)) outcomes.push(await mapRecord(runtime, row))
    bench.heard(outcomes)
    expect(outcomes[0]?.state).toBe('failed')
    if (good?.kind === 'order') expect(outcomes[1]?.state, 'the record after it').not.toBe('failed')
    const { rows } = await pool.query<{ title: string; detail: string; remedy: string }>(
      `select title, detail, remedy from tasks where connection = $1 and kind = 'inbox.unmappable' and state = 'open'`,
      [name],
    )
    expect(rows[0]?.remedy.length ?? 0, 'a task with a remedy').toBeGreaterThan(5)
    bench.heard(rows)
    return undefined
  },
}

/** A telephone number is no part of a longer number: a measured time has sixteen digits. */
const says = (text: string, value: string): boolean =>
  /^\d+$/.test(value) ? new RegExp(`(?<![\\d.])${value}(?!\\d)`).test(text) : text.includes(value)

const privacy: Check = {
  column: 'private',
  title: 'no secret and no personal data in any error, log line or workflow history of all this',
  async run(bench) {
    bench.heard(callMeter.series())
    const { said, hidden } = bench.everything()
    if (bench.connector.pullOrders) expect(said.length, 'what was said').toBeGreaterThan(10)
    const found = hidden.flatMap(({ kind, value }) =>
      value === ''
        ? []
        : said
            .filter((text) => says(text, value))
            .slice(0, 1)
            .map((text) => ({ kind, value, text })),
    )
    expect(found.map(({ kind, value, text }) => `${kind} ${value} in: ${text.slice(0, 1_000)}`)).toEqual([])
  },
}

/** In this order: the last looks at what all others left behind. */
export const checks: Check[] = [
  describesItself,
  checkGood,
  paging,
  cursor,
  expiredToken,
  rateLimited,
  serverError,
  timeOut,
  webhookGood,
  webhookForged,
  webhookSecret,
  webhookEncoding,
  unknownStatus,
  masked,
  malformed,
  privacy,
]
