import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Action } from '../../domain/actions.ts'
import pino from 'pino'
import { main } from '../../cli/program.ts'
import { buildApp } from '../../server/app.ts'
import { createPool } from '../../store/db.ts'
import { openTask, listTasks } from '../../store/tasks.ts'
import { owe } from '../../store/outbox.ts'
import { inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
})
beforeEach(() => {
  at.engine.mode = 'obeys'
})
afterAll(async () => {
  await at.stop()
})

describe('stock', () => {
  it('sets a counted number by a movement, and shows what can be sold', async () => {
    const level = { sku: 'TEE-S', location: 'taipei', onHand: 7, safety: 0, held: 0, available: 7 }
    expect(await at.post('/api/v1/stock', { sku: 'TEE-S', location: 'taipei', onHand: 10, reason: 'count' })).toMatchObject({
      status: 200,
      body: { onHand: 10 },
    })
    expect(await at.post('/api/v1/stock', { sku: 'TEE-S', location: 'taipei', onHand: 7, reason: 'count' })).toMatchObject({
      status: 200,
      body: level,
    })
    expect(await at.call('/api/v1/stock?sku=TEE-S')).toMatchObject({ status: 200, body: { stock: [level] } })
    expect((await at.call('/api/v1/stock?location=taipei-store')).body).toEqual({ stock: [] })
    const { rows } = await at.db.pool.query('select quantity, reason from movements order by id')
    expect(rows).toEqual([
      { quantity: 10, reason: 'count' },
      { quantity: -3, reason: 'count' },
    ])
  })

  it('changes nothing when the same count is sent again late', async () => {
    const count = (onHand: number, key: string) =>
      at.post('/api/v1/stock', { sku: 'CAP', location: 'taipei', onHand, reason: 'count' }, { 'idempotency-key': key })
    await count(5, 'monday')
    await count(9, 'tuesday')
    expect(await count(5, 'monday')).toMatchObject({ status: 200, body: { onHand: 9 } })
  })

  it('refuses a location that does not exist, and numbers that are none', async () => {
    const wrong = { sku: 'TEE-S', location: 'taipei', onHand: 1, reason: 'count' }
    expect(await at.post('/api/v1/stock', { ...wrong, location: 'moon' })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'location', value: 'moon' }] },
    })
    expect(await at.post('/api/v1/stock', { ...wrong, sku: 'TEE-X', onHand: 1 })).toMatchObject({
      status: 422,
      body: { detail: 'TEE-X is no product here', errors: [{ remedy: expect.stringContaining('connections apply') as string }] },
    })
    expect(await at.post('/api/v1/allotments', { sku: 'TEE-X', location: 'taipei', quantity: 1, channel: 'web' })).toMatchObject({
      status: 422,
      body: { detail: 'TEE-X is no product here' },
    })
    expect(await at.post('/api/v1/listings/momo/find', {})).toMatchObject({
      status: 422,
      body: { detail: 'momo (file) has no list of what it offers, so it cannot be looked through' },
    })
    expect(
      await at.post('/api/v1/delivery-options', {
        channel: 'web',
        lines: [
          { sku: 'CAP', quantity: 1 },
          { sku: 'HAT', quantity: 1 },
        ],
      }),
    ).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'lines[1].sku', value: 'HAT', message: 'is no product here' }] },
    })
    expect(await at.post('/api/v1/stock', { ...wrong, onHand: -1 })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'onHand', value: -1 }] },
    })
    expect(await at.post('/api/v1/stock', { ...wrong, onHand: 1.5 })).toMatchObject({ status: 400 })
    expect(await at.post('/api/v1/stock', { sku: 'TEE-S', location: 'taipei', onHand: 1 })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'reason' }] },
    })
  })
})

/** As a person types it. */
async function omnisaga(...words: string[]): Promise<{ code: number; out: string }> {
  const before = { ...process.env }
  const [out, err] = [process.stdout.write.bind(process.stdout), process.stderr.write.bind(process.stderr)]
  const said: string[] = []
  const keep = (text: string | Uint8Array) => said.push(String(text)) > 0
  Object.assign(process.env, {
    DATABASE_URL: at.db.url,
    TEMPORAL_ADDRESS: '127.0.0.1:9',
    OMNISAGA_SECRET_KEY: 'a passphrase for tests',
  })
  process.stdout.write = keep
  process.stderr.write = keep
  try {
    return { code: await main(words), out: said.join('') }
  } finally {
    process.stdout.write = out
    process.stderr.write = err
    process.env = before
  }
}

describe('tasks', () => {
  const orderId = async (number: string) => ((await at.post('/api/v1/orders', inStoreOrder(number))).body as { id: string }).id
  const open = async (over: { key: string; orderId?: string; actions: Action[] }) => {
    await openTask(at.db.pool, { kind: 'test', subject: 'X', title: 'a title', detail: 'what', remedy: 'do it', ...over })
    const found = (await listTasks(at.db.pool, { state: 'open' })).find((task) => task.key === over.key)
    return found?.id ?? 0
  }

  it('lists, filters and shows', async () => {
    const id = await open({ key: 'a', actions: ['skip'] })
    expect(await at.call('/api/v1/tasks?kind=test')).toMatchObject({
      status: 200,
      body: { tasks: [{ id, actions: ['skip'], state: 'open' }] },
    })
    expect((await at.call('/api/v1/tasks?kind=other')).body).toEqual({ tasks: [] })
    expect(await at.call(`/api/v1/tasks/${id}`)).toMatchObject({ status: 200, body: { id, remedy: 'do it' } })
    expect(await at.call('/api/v1/tasks/99999')).toMatchObject({ status: 404 })
    expect(await at.call('/api/v1/tasks/first')).toMatchObject({ status: 400 })
  })

  it('gives the action to the order as a command, and closes the task when it is done', async () => {
    const order = await orderId('W-1')
    const id = await open({ key: 'b', orderId: order, actions: ['cancel'] })
    expect(await at.post(`/api/v1/tasks/${id}/cancel`, { reason: 'no phone' })).toMatchObject({
      status: 200,
      body: { state: 'done', orderId: order },
    })
    expect(await at.call(`/api/v1/tasks/${id}`)).toMatchObject({ body: { state: 'done', closedBy: 'local' } })
    expect(await at.post(`/api/v1/tasks/${id}/cancel`, {})).toMatchObject({ status: 409, body: { title: 'Task is closed' } })
  })

  it('keeps the task open when the order refuses', async () => {
    const id = await open({ key: 'c', orderId: await orderId('W-2'), actions: ['confirm'] })
    expect(await at.post(`/api/v1/tasks/${id}/confirm`, {})).toMatchObject({
      status: 409,
      body: { state: 'refused', detail: 'its goods are not reserved yet' },
    })
    expect(await at.call(`/api/v1/tasks/${id}`)).toMatchObject({ body: { state: 'open' } })
  })

  it('refuses what the task does not allow, and says what it does', async () => {
    const id = await open({ key: 'd', actions: ['skip'] })
    expect(await at.post(`/api/v1/tasks/${id}/confirm`, {})).toMatchObject({
      status: 409,
      body: { errors: [{ path: 'action', remedy: 'Use one of: skip.' }] },
    })
    expect(await at.post(`/api/v1/tasks/${id}/skip`, {})).toMatchObject({ status: 200, body: { state: 'done' } })
  })

  it('says what an action would change, over HTTP and on the command line, and changes nothing', async () => {
    const order = await orderId('W-4')
    const id = await open({ key: 'e', orderId: order, actions: ['cancel', 'confirm'] })
    const before = (await at.call(`/api/v1/orders/${order}`)).text
    const would = await at.post(`/api/v1/tasks/${id}/cancel?preview=true`, { reason: 'no phone' })
    expect(would).toMatchObject({ status: 200, body: { action: 'cancel', possible: true, answer: 'it is being cancelled' } })
    expect((would.body as { changes: unknown[] }).changes).toEqual(
      expect.arrayContaining([
        { of: 'phase', name: 'phase', from: 'received', to: 'cancelled' },
        { of: 'taskCloses', name: `${id} a title`, from: 'open', to: null },
      ]),
    )
    const cli = await omnisaga('task', String(id), 'cancel', '--set', 'reason=no phone', '--preview')
    expect(cli.code).toBe(0)
    expect(cli.out).toMatch(/cancel would: it is being cancelled\n.*phase +phase +received -> cancelled/s)
    expect(cli.out).toContain('Nothing was done.')
    // What would be refused says so, with the reason.
    expect((await at.post(`/api/v1/tasks/${id}/confirm?preview=true`, {})).body).toMatchObject({
      possible: false,
      answer: 'its goods are not reserved yet',
      changes: [],
    })
    expect(await omnisaga('task', String(id), 'confirm', '--preview')).toMatchObject({
      code: 1,
      out: expect.stringContaining('its goods are not reserved yet') as string,
    })
    expect((await at.call(`/api/v1/orders/${order}`)).text).toBe(before)
    expect(await at.call(`/api/v1/tasks/${id}`)).toMatchObject({ body: { state: 'open', done: [] } })
  }, 120_000)

  it('shows what can be done now in words, and not what would be refused', async () => {
    const id = await open({ key: 'f', orderId: await orderId('W-5'), actions: ['confirm', 'cancel'] })
    expect((await at.call(`/api/v1/tasks/${id}`)).body).toMatchObject({
      actions: ['cancel'],
      can: [{ action: 'cancel', does: 'call it off: what is held or booked for it is given back' }],
      whoWaits: '王小明',
      orderedAt: '2026-11-22T02:00:00.000Z',
    })
    const { out } = await omnisaga('task', String(id))
    expect(out).toMatch(/waits +王小明, ordered .*task \d+ cancel --set reason=WHY\n +call it off/s)
    expect(out).not.toContain('confirm')
  }, 120_000)

  it('answers a wrong number, a wrong action and a closed task with what to do instead', async () => {
    const id = await open({ key: 'g', orderId: await orderId('W-6'), actions: ['confirm', 'cancel'] })
    expect(await omnisaga('task', '99999', 'skip')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/There is no task '99999'[^]*List the tasks/) as string,
    })
    expect(await omnisaga('task', String(id), 'cancle')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/does not allow 'cancle'[^]*Use one of: cancel\./) as string,
    })
    expect(await omnisaga('task', String(id), 'cancel', '--set', 'colour=red')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/holds what is not known here: colour[^]*Leave out colour\./) as string,
    })
    const both = await Promise.all([1, 2].map(() => at.post(`/api/v1/tasks/${id}/cancel`, {})))
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]))
    expect(both.find(({ status }) => status === 409)?.body).toMatchObject({
      detail: expect.stringMatching(/was closed by local/) as string,
    })
    expect(await omnisaga('task', String(id), 'cancel')).toMatchObject({
      code: 1,
      out: expect.stringMatching(/was closed by local: cancel: it is being cancelled/) as string,
    })
    expect((await omnisaga('tasks', '--done')).out).toMatch(/BY +HOW\n[^]*local +cancel: it is being cancelled/)
  }, 120_000)

  it('sends a fact that nobody took once more, or takes it as told, without asking the order', async () => {
    const order = await orderId('W-3')
    for (const key of ['tracking:p1', 'tracking:p2']) {
      await owe(at.db.pool, { key, participant: 'channel', connection: 'momo', kind: 'tracking', orderId: order, payload: {} })
      await at.db.pool.query(`update outbox set state = 'dead', attempts = 9 where key = $1`, [key])
    }
    const [retry, skip] = [
      await open({ key: 'outbox:tracking:p1', orderId: order, actions: ['retry', 'skip'] }),
      await open({ key: 'outbox:tracking:p2', orderId: order, actions: ['retry', 'skip'] }),
    ]
    expect(await at.post(`/api/v1/tasks/${retry}/retry`, {})).toMatchObject({ status: 200, body: { commandId: null } })
    expect(await at.post(`/api/v1/tasks/${skip}/skip`, {})).toMatchObject({ status: 200 })
    const { rows } = await at.db.pool.query('select key, state, attempts from outbox order by key')
    expect(rows).toEqual([
      { key: 'tracking:p1', state: 'due', attempts: 0 },
      { key: 'tracking:p2', state: 'done', attempts: 9 },
    ])
  })
})

describe('health and measures', () => {
  it('is ready while both answer, and names which does not', async () => {
    expect(await at.call('/readyz')).toMatchObject({ status: 200, body: { ready: true, database: 'up', temporal: 'up' } })
    at.engine.mode = 'away'
    const away = await at.call('/readyz')
    expect(away).toMatchObject({ status: 503, body: { ready: false, database: 'up', temporal: 'down' } })
    expect(away.headers.get('retry-after')).toBe('5')
    expect(await at.call('/healthz')).toMatchObject({ status: 200, body: { alive: true } })
  })

  it('counts requests by route, and shows inbox, outbox, tasks and orders', async () => {
    const { text, headers } = await at.call('/metrics')
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4')
    expect(text).toMatch(
      /omnisaga_http_request_duration_seconds_count\{method="POST",route="\/api\/v1\/stock",status="200"\} \d+/,
    )
    expect(text).toMatch(/^omnisaga_inbox_backlog \d+$/m)
    expect(text).toMatch(/^omnisaga_outbox_due\{participant="channel"\} 1$/m)
    expect(text).toMatch(/^omnisaga_tasks_open\{kind="test"\} \d+$/m)
    expect(text).toMatch(/^omnisaga_orders\{phase="received"\} \d+$/m)
    for (const line of text.trim().split('\n'))
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [\d.e+-]+)$/)
  })

  it('answers 503 while the database is away, without saying more', async () => {
    const pool = createPool('postgresql://nobody:secret@127.0.0.1:9/none')
    const { fastify } = await buildApp({ ...at.runtime, pool }, pino({ level: 'silent' }))
    const ask = (url: string) => fastify.inject({ url, headers: { host: 'localhost' } })
    const orders = await ask('/api/v1/orders')
    expect(orders).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } })
    expect(orders.body).not.toMatch(/secret|127\.0\.0\.1|ECONN/)
    const ready = await ask('/readyz')
    expect(ready).toMatchObject({ statusCode: 503 })
    expect(ready.json()).toMatchObject({ ready: false, database: 'down' })
    await fastify.close()
    await pool.end()
  })
})
