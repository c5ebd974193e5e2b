import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { CanonicalOrder } from '../../domain/order.ts'
import { inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
})
beforeEach(() => {
  // An engine that was away is left in peace for some seconds: for the next test they are over.
  if (at.engine.mode === 'away') vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10_000 })
  at.engine.mode = 'obeys'
})
afterAll(async () => {
  vi.useRealTimers()
  await at.stop()
})

interface Shown {
  id: string
  phase: string
  externalId: string
  [field: string]: unknown
}
const taken = async (externalId: string, over: Record<string, unknown> = {}): Promise<Shown> => {
  const { status, body } = await at.post('/api/v1/orders', inStoreOrder(externalId, over))
  if (status !== 201) throw new Error(`not taken in: ${status} ${JSON.stringify(body)}`)
  return body as Shown
}

describe('POST /api/v1/orders', () => {
  it('takes an in-store order in, normalised, and starts its saga', async () => {
    const order = await taken('S-1')
    expect(CanonicalOrder.safeParse(order).success).toBe(true)
    expect(order).toMatchObject({
      channel: 'store',
      connection: 'store-taipei',
      externalId: 'S-1',
      phase: 'received',
      kind: 'store',
      recipient: {
        name: '王小明',
        phone: '+886912345678',
        address: { city: '臺北市', district: '信義區', raw: '110台北市信義區市府路45號3樓', country: 'TW' },
      },
      payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
    })
    expect(at.started).toContain(order.id)
  })

  it('keeps the raw record before it is mapped', async () => {
    await taken('S-raw')
    const { rows } = await at.db.pool.query(
      `select state, payload -> 'asSent' -> 'recipient' ->> 'phone' as phone from inbox where external_id = 'S-raw'`,
    )
    expect(rows).toEqual([{ state: 'mapped', phone: '0912-345-678' }])
  })

  it('answers the same order twice with the same order and 200', async () => {
    const first = await taken('S-twice')
    const again = await at.post('/api/v1/orders', inStoreOrder('S-twice'))
    expect(again).toMatchObject({ status: 200, body: { id: first.id } })
    const { rows } = await at.db.pool.query(`select count(*) as n from orders where external_id = 'S-twice'`)
    expect(rows).toEqual([{ n: 1 }])
  })

  it('makes one order of twenty that arrive at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => at.post('/api/v1/orders', inStoreOrder('S-storm'))))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
    // Who comes while the first is being taken in is asked to come again, and then gets the same order.
    expect(answers.every(({ status }) => [200, 201, 503].includes(status))).toBe(true)
    expect(await at.post('/api/v1/orders', inStoreOrder('S-storm'))).toMatchObject({ status: 200 })
    const { rows } = await at.db.pool.query(`select count(*) as n from orders where external_id = 'S-storm'`)
    expect(rows).toEqual([{ n: 1 }])
  })

  it('answers 202 while the engine is away, and keeps the order', async () => {
    at.engine.mode = 'away'
    const { status, body } = await at.post('/api/v1/orders', inStoreOrder('S-away'))
    expect(status).toBe(202)
    expect(body).toMatchObject({ externalId: 'S-away', phase: 'received' })
  })

  it('places a try-on at the store that asks for it', async () => {
    expect(await taken('T-1', { kind: 'tryOn', delivery: { method: 'handOver' } })).toMatchObject({
      kind: 'tryOn',
      delivery: { location: 'taipei-store' },
    })
  })

  it('collects the total of a COD order that names only prices', async () => {
    expect(await taken('C-1', { payment: { method: 'cod' } })).toMatchObject({
      payment: { method: 'cod', state: 'due', amountDueMinor: 118_000 },
    })
  })

  it('names path, value and remedy of everything that is wrong', async () => {
    const { status, headers, body } = await at.post('/api/v1/orders', {
      ...inStoreOrder('S-bad'),
      kind: 'gift',
      lines: [{ sku: 'TEE-S', quantity: 0 }],
      placedAt: 'yesterday',
      extra: 1,
    })
    expect(status).toBe(400)
    expect(headers.get('content-type')).toContain('application/problem+json')
    expect(body).toMatchObject({ title: 'Invalid input', status: 400 })
    expect((body as { errors: { path: string; value: unknown; remedy: string }[] }).errors).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          path: 'kind',
          value: 'gift',
          remedy: 'Send one of: online, store, tryOn, groupBuy, replenishment.',
        }),
        expect.objectContaining({ path: 'lines[0].quantity', value: 0 }),
        expect.objectContaining({
          path: 'placedAt',
          value: 'yesterday',
          remedy: 'Send ISO 8601 with an offset, e.g. 2026-03-01T10:00:00+08:00.',
        }),
        expect.objectContaining({ remedy: 'Leave out extra.' }),
      ]),
    )
  })

  it.each([
    ['a phone that is none', { recipient: { name: '王', phone: '0912' } }, 'recipient.phone'],
    ['a connection that does not exist', { connection: 'nowhere' }, 'connection'],
    ['a connection of another kind', { connection: 'ecpay' }, 'connection'],
    ['an amount due of a prepaid order', { payment: { method: 'prepaid', amountDueMinor: 5 } }, 'payment.amountDueMinor'],
    [
      'a COD order without any amount',
      { payment: { method: 'cod' }, lines: [{ sku: 'TEE-S', quantity: 1 }] },
      'payment.amountDueMinor',
    ],
    [
      'two lines of one id',
      {
        lines: [
          { lineId: 'a', sku: 'TEE-S', quantity: 1 },
          { lineId: 'a', sku: 'CAP', quantity: 1 },
        ],
      },
      'lines[1].lineId',
    ],
    ['text that PostgreSQL cannot store', { notes: 'a\u0000b' }, 'notes'],
    ['half a surrogate pair', { notes: 'a\ud800b' }, 'notes'],
  ])('refuses %s', async (_what, over, path) => {
    const { status, body } = await at.post('/api/v1/orders', inStoreOrder('S-refused', over))
    expect(status).toBe(400)
    expect(body).toMatchObject({ errors: [{ path }] })
    const { rows } = await at.db.pool.query(`select 1 from inbox where external_id = 'S-refused'`)
    expect(rows).toEqual([])
  })

  it('refuses what is not JSON, not of its type, or too large', async () => {
    const raw = (body: string, type: string) =>
      at.call('/api/v1/orders', { method: 'POST', headers: { 'content-type': type }, body })
    expect(await raw('{"a":', 'application/json')).toMatchObject({ status: 400, body: { title: 'Invalid JSON' } })
    expect(await raw('{"__proto__": {"x": 1}}', 'application/json')).toMatchObject({ status: 400 })
    expect(await raw('', 'application/json')).toMatchObject({ status: 400 })
    expect(await raw('<order/>', 'application/xml')).toMatchObject({ status: 415, body: { title: 'Unsupported media type' } })
    expect(await raw('x', 'text/plain')).toMatchObject({ status: 415 })
    expect(await raw(JSON.stringify({ notes: 'x'.repeat(1024 * 1024) }), 'application/json')).toMatchObject({
      status: 413,
      body: { title: 'Too large' },
    })
  })
})

describe('GET /api/v1/orders', () => {
  it('filters by phase and channel, and pages by a cursor without missing or repeating one', async () => {
    for (const number of ['P-1', 'P-2', 'P-3']) await taken(number)
    const seen: string[] = []
    let path = '/api/v1/orders?channel=store&phase=received&limit=2'
    for (;;) {
      const page = (await at.call(path)).body as { orders: Shown[]; next: string | null }
      expect(page.orders.length).toBeLessThanOrEqual(2)
      seen.push(...page.orders.map((order) => order.externalId))
      if (page.next === null) break
      path = `/api/v1/orders?channel=store&phase=received&limit=2&cursor=${page.next}`
    }
    expect(seen).toEqual(expect.arrayContaining(['P-1', 'P-2', 'P-3']))
    expect(new Set(seen).size).toBe(seen.length)
    expect((await at.call('/api/v1/orders?channel=momo')).body).toEqual({ orders: [], next: null })
  })

  it.each([
    'phase=nowhere',
    'limit=0',
    'limit=many',
    'cursor=abc',
    `cursor=${Buffer.from("2026-01-01|x' or 1=1").toString('base64url')}`,
    'colour=red',
    'channel=a%00b',
  ])('refuses the query %s', async (query) => {
    expect(await at.call(`/api/v1/orders?${query}`)).toMatchObject({ status: 400, body: { status: 400 } })
  })

  it("shows one order by its id and by the channel's own number", async () => {
    const order = await taken('G-1')
    for (const id of [order.id, 'G-1']) {
      expect(await at.call(`/api/v1/orders/${id}`)).toMatchObject({
        status: 200,
        body: { id: order.id, counters: [{ ordered: 2 }], units: [], history: [], tasks: [] },
      })
    }
    expect(await at.call('/api/v1/orders/none')).toMatchObject({ status: 404, body: { errors: [{ path: 'id', value: 'none' }] } })
  })
})

describe('POST /api/v1/orders/{id}/{verb}', () => {
  it('does what is asked, tells who asked, and answers 200', async () => {
    const order = await taken('V-1')
    const { status, body } = await at.post(`/api/v1/orders/V-1/cancel`, { reason: 'changed his mind' })
    expect(status).toBe(200)
    expect(body).toMatchObject({ orderId: order.id, verb: 'cancel', state: 'done' })
    const { rows } = await at.db.pool.query('select verb, who, detail, state from commands where order_id = $1', [order.id])
    expect(rows).toEqual([{ verb: 'cancel', who: 'local', detail: { reason: 'changed his mind' }, state: 'done' }])
  })

  it('answers 409 with the reason when it is refused', async () => {
    await taken('V-2')
    const { status, headers, body } = await at.call('/api/v1/orders/V-2/confirm', { method: 'POST' })
    expect(status).toBe(409)
    expect(headers.get('content-type')).toContain('application/problem+json')
    expect(body).toMatchObject({ state: 'refused', detail: 'its goods are not reserved yet', verb: 'confirm' })
  })

  it.each(['silent', 'away'] as const)('answers 202 while the engine is %s, and keeps the command', async (mode) => {
    const order = await taken(`V-${mode}`)
    at.engine.mode = mode
    expect(await at.post(`/api/v1/orders/${order.id}/cancel`, {})).toMatchObject({
      status: 202,
      body: { state: 'waiting', answer: null },
    })
    const { rows } = await at.db.pool.query('select state from commands where order_id = $1', [order.id])
    expect(rows).toEqual([{ state: 'waiting' }])
  })

  it('gives one command for one Idempotency-Key', async () => {
    const order = await taken('V-key')
    const headers = { 'idempotency-key': 'once' }
    const first = await at.post(`/api/v1/orders/${order.id}/cancel`, {}, headers)
    expect(await at.post(`/api/v1/orders/${order.id}/cancel`, {}, headers)).toMatchObject({ status: 200, body: first.body })
    expect(await at.post(`/api/v1/orders/${order.id}/paid`, {}, headers)).toMatchObject({ status: 422 })
  })

  it('reads a change as people write it', async () => {
    const order = await taken('V-change')
    const change = {
      recipient: { phone: '02-2345-6789', address: '新北市板橋區縣民大道二段7號' },
      lines: [{ sku: 'CAP' }],
      notes: '門口有狗',
    }
    expect(await at.post(`/api/v1/orders/${order.id}/change`, change)).toMatchObject({ status: 200 })
    const shown = (await at.call(`/api/v1/orders/${order.id}`)).body
    expect(shown).toMatchObject({
      recipient: { name: '王小明', phone: '+886223456789', address: { city: '新北市', district: '板橋區' } },
      notes: '門口有狗',
      lines: [{ sku: 'CAP', quantity: 2 }],
    })
  })

  it('refuses a body that does not say what the verb needs', async () => {
    await taken('V-body')
    expect(await at.post('/api/v1/orders/V-body/decide', {})).toMatchObject({ status: 400, body: { errors: [{ path: 'keep' }] } })
    expect(await at.post('/api/v1/orders/V-body/change', {})).toMatchObject({ status: 400 })
    expect(await at.post('/api/v1/orders/V-body/change', { recipient: { phone: '12' } })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'recipient.phone' }] },
    })
    expect(await at.post('/api/v1/orders/V-body/cancel', { why: 'x' })).toMatchObject({ status: 400 })
    expect(await at.post('/api/v1/orders/nobody/cancel', {})).toMatchObject({ status: 404 })
    expect(await at.post('/api/v1/orders/V-body/explode', {})).toMatchObject({ status: 404 })
    expect(await at.call('/api/v1/orders/V-body/cancel')).toMatchObject({
      status: 405,
      body: { detail: 'GET is not served here; POST is.' },
    })
  })
})

it('logs routes and statuses, never a name, a number or a body', () => {
  expect(at.logged.length).toBeGreaterThan(10)
  expect(at.logged.join('')).not.toMatch(/王小明|0912|886912|信義|V-change|狗/)
})
