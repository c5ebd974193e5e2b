import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { oauthTokenRequest, parseOauthTokens, withToken } from '../../connectors/kit/bearer.ts'
import { callJson, checkBy, urlOf } from '../../connectors/kit/call.ts'
import { createHttpClient, describeRequest, retryAfterMs } from '../../connectors/kit/http.ts'
import { defaultLimits, type Limits } from '../../connectors/kit/limits.ts'
import { CallMeter, observer, safePath } from '../../connectors/kit/meter.ts'
import { followPages, withoutRepeats } from '../../connectors/kit/paging.ts'
import { createQuota } from '../../connectors/kit/quota.ts'
import { createTokenStore } from '../../connectors/kit/tokens.ts'
import { encodeForm, parseForm } from '../../connectors/kit/form.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { callLines } from '../../server/metrics.ts'
import { serveWorkerMetrics } from '../../server/workerMetrics.ts'
import { createPool } from '../../store/db.ts'
import { secretKeyFrom } from '../../store/secrets.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

let db: FreshDatabase
beforeAll(async () => {
  db = await freshDatabase()
})
beforeEach(async () => {
  await db.pool.query('truncate quotas, connection_state, connections cascade')
})
afterAll(async () => {
  await db.drop()
})

/** Tokens the bucket holds, without what drips in: tests set the rate so low that nothing does. */
const balance = async () =>
  Math.round((await db.pool.query<{ tokens: number }>('select tokens from quotas')).rows[0]?.tokens ?? NaN)

describe('quota', () => {
  it('grants the burst to any number of processes together, and no more', async () => {
    const other = createPool(db.url)
    const rate = { perSecond: 0.001, burst: 20, maxWaitMs: 0 }
    const here = createQuota(db.pool, 'c', rate)
    const there = createQuota(other, 'c', rate)
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? here : there).take()))
    await other.end()
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(20)
    for (const o of outcomes) if (o.status === 'rejected') expect(o.reason).toMatchObject({ kind: 'RateLimited', code: 'quota' })
    expect(await balance()).toBe(0)
  })
  it('tells how long until the next token', async () => {
    const quota = createQuota(db.pool, 'c', { perSecond: 0.01, burst: 1, maxWaitMs: 0 })
    await quota.take()
    const error = (await quota.take().catch((e: unknown) => e)) as { retryAfterMs: number }
    expect(error.retryAfterMs).toBeGreaterThan(90_000)
    expect(error.retryAfterMs).toBeLessThanOrEqual(100_000)
  })
  it('books a future token and waits for it, up to the limit', async () => {
    const quota = createQuota(db.pool, 'c', { perSecond: 50, burst: 1, maxWaitMs: 1000 })
    const begun = process.hrtime.bigint()
    for (let n = 0; n < 4; n++) await quota.take()
    // Three tokens drip in at 50 a second: it cannot have been faster, however fast the machine.
    expect(Number(process.hrtime.bigint() - begun) / 1e6).toBeGreaterThanOrEqual(50)
  })
  it('keeps connections apart', async () => {
    const rate = { perSecond: 0.001, burst: 1, maxWaitMs: 0 }
    await createQuota(db.pool, 'a', rate).take()
    await createQuota(db.pool, 'b', rate).take()
    await expect(createQuota(db.pool, 'a', rate).take()).rejects.toMatchObject({ kind: 'RateLimited' })
  })
  it('holds everybody back when the vendor asks for a pause, but not for days', async () => {
    const rate = { perSecond: 1, burst: 5, maxWaitMs: 0 }
    await createQuota(db.pool, 'c', rate).pause(60_000)
    const error = (await createQuota(db.pool, 'c', rate)
      .take()
      .catch((e: unknown) => e)) as { kind: string; retryAfterMs: number }
    expect(error.kind).toBe('RateLimited')
    expect(error.retryAfterMs).toBeGreaterThan(55_000)
    await createQuota(db.pool, 'd', rate).pause(30 * 86_400_000)
    const capped = (await createQuota(db.pool, 'd', rate)
      .take()
      .catch((e: unknown) => e)) as { retryAfterMs: number }
    expect(capped.retryAfterMs).toBeLessThanOrEqual(11 * 60_000)
  })
})

describe('token store', () => {
  const key = secretKeyFrom('a passphrase for tests')
  const tokens = (n: number) => ({
    accessToken: `access-${n}`,
    refreshToken: `refresh-${n}`,
    expiresAt: new Date('2026-11-22T05:00:00Z'),
  })
  beforeEach(async () => {
    await db.pool.query(`insert into connections (name, connector, config) values ('c', 'x', '{}')`)
  })

  it('refreshes once for any number of callers in any number of processes', async () => {
    const pools = Array.from({ length: 3 }, () => createPool(db.url))
    const stores = pools.map((pool) => createTokenStore(pool, key, 'c'))
    let exchanges = 0
    const exchange = async () => tokens(++exchanges)
    const first = await createTokenStore(db.pool, key, 'c').refresh(null, exchange)
    const all = await Promise.all(stores.flatMap((store) => Array.from({ length: 10 }, () => store.refresh(first, exchange))))
    for (const pool of pools) await pool.end()
    expect(exchanges).toBe(2)
    expect(new Set(all.map((t) => t.accessToken))).toEqual(new Set(['access-2']))
  })
  it('hands the newest refresh token to the exchange and saves its answer before anybody uses it', async () => {
    const store = createTokenStore(db.pool, key, 'c')
    expect(await store.read()).toBeNull()
    const one = await store.refresh(null, async (current) => {
      expect(current).toBeNull()
      return tokens(1)
    })
    const two = await store.refresh(one, async (current) => {
      expect(current).toEqual(tokens(1))
      return tokens(2)
    })
    expect(await createTokenStore(db.pool, key, 'c').read()).toEqual(two)
    const { rows } = await db.pool.query<{ tokens: Buffer; tokens_version: number }>(
      'select tokens, tokens_version from connection_state',
    )
    expect(rows[0]?.tokens_version).toBe(2)
    expect(rows[0]?.tokens.includes('refresh-2')).toBe(false)
  })
  it('does not ask again when the tokens are newer than those that failed', async () => {
    const store = createTokenStore(db.pool, key, 'c')
    await store.refresh(null, async () => tokens(5))
    expect(
      await store.refresh(tokens(4), async () => {
        throw new Error('asked again')
      }),
    ).toEqual(tokens(5))
  })
  it('keeps the old tokens when the exchange fails, and the next caller may try', async () => {
    const store = createTokenStore(db.pool, key, 'c')
    const one = await store.refresh(null, async () => tokens(1))
    await expect(
      store.refresh(one, async () => {
        throw new Error('vendor is down')
      }),
    ).rejects.toThrow('vendor is down')
    expect(await store.read()).toEqual(one)
    expect(await store.refresh(one, async () => tokens(2))).toEqual(tokens(2))
  })
})

describe('http client', () => {
  let server: Server
  let handler: (request: IncomingMessage, response: ServerResponse) => void
  let url = ''
  beforeEach(async () => {
    server = createServer((request, response) => {
      handler(request, response)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const client = (limits: Partial<Limits> = {}, now?: () => Date) => {
    const all = { ...defaultLimits, perSecond: 1000, burst: 1000, ...limits }
    return createHttpClient({ connection: 'c', quota: createQuota(db.pool, 'c', all), limits: all, now })
  }

  it('sends JSON for objects and text as it is, and returns 2xx, 3xx and other 4xx to be judged', async () => {
    const seen: string[] = []
    handler = (request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on('end', () => {
        seen.push(`${request.method} ${request.headers['content-type']} ${body}`)
        response
          .writeHead(Number(new URL(request.url ?? '', url).searchParams.get('status')), { 'x-one': 'a', location: '/elsewhere' })
          .end('回答')
      })
    }
    for (const status of [200, 201, 302, 400, 404, 409]) {
      expect(await client().request({ method: 'POST', url: `${url}/?status=${status}`, body: { 名: 1 } })).toMatchObject({
        status,
        body: '回答',
        headers: { 'x-one': 'a' },
      })
    }
    await client().request({
      method: 'POST',
      url: `${url}/?status=200`,
      body: 'a=b',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(seen[0]).toBe('POST application/json {"名":1}')
    expect(seen.at(-1)).toBe('POST application/x-www-form-urlencoded a=b')
  })
  it.each([
    [401, {}, false, { kind: 'AuthExpired' }],
    [429, { 'retry-after': '12' }, false, { kind: 'RateLimited', retryAfterMs: 12_000 }],
    [503, { 'retry-after': '2' }, false, { kind: 'Transient', retryAfterMs: 2000 }],
    [500, {}, true, { kind: 'OutcomeUnknown', code: '500' }],
    [429, {}, true, { kind: 'RateLimited' }],
  ])('maps HTTP %i with %j (write: %s)', async (status, headers, write, expected) => {
    handler = (_request, response) => {
      response.writeHead(status, headers as Record<string, string>).end()
    }
    await expect(client().request({ method: 'POST', url, write })).rejects.toMatchObject(expected)
  })
  it('takes a 5xx for Transient where the vendor drops repeats', async () => {
    handler = (_request, response) => {
      response.writeHead(502).end()
    }
    await expect(client().request({ method: 'POST', url, write: true, serverErrorMeansNotDone: true })).rejects.toMatchObject({
      kind: 'Transient',
    })
  })
  it.each([
    [false, 'Transient'],
    [true, 'OutcomeUnknown'],
  ])('no answer in time (write: %s) is %s', async (write, kind) => {
    handler = () => undefined
    await expect(client({ timeoutMs: 100 }).request({ method: 'POST', url, write })).rejects.toMatchObject({
      kind,
      code: 'timeout',
    })
  })
  it('bounds an answer that trickles for ever', async () => {
    handler = (_request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('.'), 20)
      response.on('close', () => clearInterval(drip))
    }
    await expect(client({ timeoutMs: 200 }).request({ method: 'GET', url })).rejects.toMatchObject({
      kind: 'Transient',
      code: 'timeout',
    })
  })
  it.each([
    [false, 'Transient'],
    [true, 'OutcomeUnknown'],
  ])('a connection that breaks after sending (write: %s) is %s', async (write, kind) => {
    handler = (request) => {
      request.socket.destroy()
    }
    await expect(client().request({ method: 'POST', url, write, body: 'x' })).rejects.toMatchObject({ kind, code: 'ECONNRESET' })
  })
  it('a refused connection is Transient even for a write: nothing was sent', async () => {
    const closed = url
    await new Promise((resolve) => server.close(resolve))
    server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    await expect(client().request({ method: 'POST', url: closed, write: true })).rejects.toMatchObject({
      kind: 'Transient',
      code: 'ECONNREFUSED',
    })
  })
  it('asks no vendor that wants a pause, and none that is not an address', async () => {
    let calls = 0
    handler = (_request, response) => {
      calls += 1
      response.writeHead(429, { 'retry-after': '60' }).end()
    }
    const patient = client({ perSecond: 1, burst: 5, maxWaitMs: 0 })
    await expect(patient.request({ method: 'GET', url })).rejects.toMatchObject({ kind: 'RateLimited', retryAfterMs: 60_000 })
    await expect(patient.request({ method: 'GET', url })).rejects.toMatchObject({ kind: 'RateLimited', code: 'quota' })
    expect(calls).toBe(1)
    await expect(patient.request({ method: 'GET', url: 'not a url' })).rejects.toMatchObject({ kind: 'Misconfigured' })
  })
  it('has no more requests under way than its cap, and keeps connections alive', async () => {
    let now = 0
    let most = 0
    const sockets = new Set<unknown>()
    handler = (request, response) => {
      sockets.add(request.socket)
      most = Math.max(most, ++now)
      setImmediate(() => {
        now -= 1
        response.end('ok')
      })
    }
    const capped = client({ concurrency: 3 })
    await Promise.all(Array.from({ length: 30 }, () => capped.request({ method: 'GET', url })))
    expect(most).toBeLessThanOrEqual(3)
    expect(sockets.size).toBeLessThanOrEqual(3)
  })
  it('goes on after failures: a place that failed is free again', async () => {
    let calls = 0
    handler = (request, response) => {
      if (++calls <= 5) request.socket.destroy()
      else response.end('ok')
    }
    const capped = client({ concurrency: 1 })
    const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => capped.request({ method: 'GET', url })))
    expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', ...Array.from({ length: 5 }, () => 'rejected')])
  })
  it('never shows a query value, a header or a body in an error', async () => {
    handler = (request) => {
      request.socket.destroy()
    }
    const error: unknown = await client()
      .request({
        method: 'POST',
        url: `${url}/api?sign=SECRET1&access_token=SECRET2`,
        headers: { authorization: 'SECRET3' },
        body: 'SECRET4',
      })
      .catch((e: unknown) => e)
    const everything =
      JSON.stringify(error, Object.getOwnPropertyNames(error)) + String((error as Error).stack) + String((error as Error).cause)
    expect(everything).toContain('/api?sign=…&access_token=…')
    expect(everything).not.toMatch(/SECRET/)
    expect(describeRequest({ method: 'GET', url: 'nonsense' })).toBe('GET (not a URL)')
  })
  it('reads Retry-After as seconds or as a date', () => {
    const now = new Date('2026-11-22T00:00:00Z')
    expect(retryAfterMs('120', now)).toBe(120_000)
    expect(retryAfterMs('Sun, 22 Nov 2026 00:01:00 GMT', now)).toBe(60_000)
    expect(retryAfterMs('Sat, 21 Nov 2026 00:00:00 GMT', now)).toBe(0)
    expect(retryAfterMs('soon', now)).toBeUndefined()
    expect(retryAfterMs(undefined, now)).toBeUndefined()
  })
})

describe('forms', () => {
  it('come back as they were, empty fields too, and refuse a field that comes twice', () => {
    const fields = { 名: '王 小明+&=', empty: '', __proto__x: '1' }
    expect(parseForm(encodeForm({ ...fields, absent: undefined }))).toEqual(fields)
    expect(() => parseForm('a=1&a=2')).toThrow(expect.objectContaining({ code: 'repeated-field' }))
  })
})

describe('withToken', () => {
  const key = secretKeyFrom('a passphrase for tests')
  const now = () => new Date('2026-11-22T05:00:00Z')
  const until = (time: string) => new Date(`2026-11-22T${time}Z`)
  const refused = () => new OmnisagaError('AuthExpired', 'refused', { code: '401' })
  beforeEach(async () => {
    await db.pool.query(`insert into connections (name, connector, config) values ('c', 'x', '{}')`)
  })
  const context = () => ({ tokens: createTokenStore(db.pool, key, 'c'), now })

  it('asks for a token before the first call, keeps it, and renews it before its end', async () => {
    const used: string[] = []
    let exchanged = 0
    const source = {
      exchange: async () => ({
        accessToken: `t${++exchanged}`,
        refreshToken: 'r',
        expiresAt: until(exchanged === 1 ? '05:00:30' : '06:00:00'),
      }),
    }
    for (let time = 0; time < 3; time++) await withToken(context(), source, async (token) => used.push(token))
    // The first ends within the minute that is left for a call, so the second call has its own.
    expect(used).toEqual(['t1', 't2', 't2'])
  })
  it('renews once when the token is refused, and not again when that does not help', async () => {
    const initial = { accessToken: 't0', refreshToken: 'r0', expiresAt: until('09:00:00') }
    let exchanged = 0
    const exchange = async () => ({ accessToken: `t${++exchanged}`, refreshToken: 'r1', expiresAt: until('09:00:00') })
    const used: string[] = []
    const call = async (token: string) => {
      used.push(token)
      if (token === 't0') throw refused()
      return 'answer'
    }
    expect(await withToken(context(), { initial, exchange }, call)).toBe('answer')
    expect(used).toEqual(['t0', 't1'])
    await expect(
      withToken(context(), { initial, exchange: async () => ({ ...initial, accessToken: 't2' }) }, async () => {
        throw refused()
      }),
    ).rejects.toMatchObject({ kind: 'AuthExpired' })
    expect(exchanged).toBe(1)
  })
  it('asks for OAuth tokens as RFC 6749 writes it', () => {
    const client = { url: 'https://vendor.example/token', clientId: 'id', clientSecret: 's&=' }
    const body = (request: { body?: unknown }) => Object.fromEntries(new URLSearchParams(request.body as string))
    expect(body(oauthTokenRequest(client))).toEqual({ grant_type: 'client_credentials', client_id: 'id', client_secret: 's&=' })
    expect(body(oauthTokenRequest({ ...client, refreshToken: 'r' }))).toMatchObject({
      grant_type: 'refresh_token',
      refresh_token: 'r',
    })
    const at = { what: 'Acme', now: now(), refreshToken: 'r' }
    expect(parseOauthTokens({ access_token: 'a', expires_in: '60' }, at)).toEqual({
      accessToken: 'a',
      refreshToken: 'r',
      expiresAt: until('05:01:00'),
    })
    expect(() => parseOauthTokens({ error: 'nope' }, at)).toThrow(/access_token/)
  })
})

describe('pages', () => {
  const all = async <T>(pages: AsyncIterable<T[]>): Promise<T[][]> => {
    const read: T[][] = []
    for await (const page of pages) read.push(page)
    return read
  }
  it('are followed to the end, empty ones passed over', async () => {
    const asked: (string | null)[] = []
    const pages: Record<string, { items: number[]; next: string | null }> = {
      start: { items: [1, 2], next: 'b' },
      b: { items: [], next: 'c' },
      c: { items: [3], next: null },
    }
    const read = async (cursor: string | null) => {
      asked.push(cursor)
      return pages[cursor ?? 'start']!
    }
    expect(await all(followPages(read))).toEqual([[1, 2], [3]])
    expect(asked).toEqual([null, 'b', 'c'])
  })
  it('that lead in a circle end as Transient', async () => {
    const circle = followPages(async (cursor: string | null) => ({ items: [1], next: cursor === 'a' ? 'b' : 'a' }), 'Acme orders')
    await expect(all(circle)).rejects.toMatchObject({ kind: 'Transient', code: 'page-loop' })
  })
  it('show a record that moved while they were read once', async () => {
    const record = (externalId: string, version = '1') => ({
      kind: 'order' as const,
      externalId,
      version,
      eventAt: null,
      payload: {},
    })
    async function* moving() {
      yield [record('a'), record('b')]
      yield [record('b')]
      yield [record('b', '2'), record('c')]
    }
    expect((await all(withoutRepeats(moving()))).map((page) => page.map((each) => `${each.externalId}${each.version}`))).toEqual([
      ['a1', 'b1'],
      ['b2', 'c1'],
    ])
  })
})

describe('callJson', () => {
  const answering = (status: number, body: string) => ({ http: { request: async () => ({ status, headers: {}, body }) } })
  const call = { what: 'Acme GET /x', method: 'GET' as const, url: 'https://acme.example/x' }
  it('gives the JSON, and null where there is no body', async () => {
    expect(await callJson(answering(200, '{"a":1}'), call)).toEqual({ a: 1 })
    expect(await callJson(answering(204, ''), call)).toBeNull()
  })
  it("says a refusal in the vendor's words, and an answer that is no JSON as what may pass", async () => {
    const told = (json: unknown) => json as { code: string; message: string }
    await expect(callJson(answering(422, '{"code":"E7","message":"sold out"}'), call, told)).rejects.toMatchObject({
      kind: 'Rejected',
      code: 'E7',
      message: 'Acme GET /x was refused with HTTP 422: sold out',
    })
    await expect(callJson(answering(403, 'no'), call)).rejects.toMatchObject({ kind: 'Misconfigured' })
    await expect(callJson(answering(200, '<html>'), call)).rejects.toMatchObject({ kind: 'Transient' })
    await expect(callJson(answering(200, '<html>'), { ...call, write: true })).rejects.toMatchObject({ kind: 'OutcomeUnknown' })
  })
  it('makes addresses, and a check of a call', async () => {
    expect(urlOf('https://a.example/v1/', '/x', { q: 'a b', none: undefined, n: 0 })).toBe('https://a.example/v1/x?q=a+b&n=0')
    expect(await checkBy(async () => undefined)).toEqual({ ok: true, problems: [] })
    const failing = async () => {
      throw new OmnisagaError('Rejected', 'no', { remedy: 'mend it' })
    }
    expect(await checkBy(failing)).toEqual({ ok: false, problems: [{ message: 'no', remedy: 'mend it' }] })
    await expect(
      checkBy(async () => {
        throw new TypeError('a bug')
      }),
    ).rejects.toThrow('a bug')
  })
})

describe('trace and count of a call', () => {
  it('are told in the words of Prometheus, by a worker too', async () => {
    const meter = new CallMeter()
    const call = { connection: 'a "b"', connector: 'acme', method: 'GET', path: '/', status: 200, outcome: 'ok', attempt: 'x' }
    meter.add({ ...call, seconds: 0.2 })
    meter.add({ ...call, seconds: 40 })
    const labels = 'connection="a \\"b\\"",connector="acme",outcome="ok"'
    const lines = callLines(meter)
    expect(lines).toContain(`omnisaga_connector_requests_total{${labels}} 2`)
    expect(lines).toContain(`omnisaga_connector_request_duration_seconds_bucket{${labels},le="0.1"} 0`)
    expect(lines).toContain(`omnisaga_connector_request_duration_seconds_bucket{${labels},le="0.25"} 1`)
    expect(lines).toContain(`omnisaga_connector_request_duration_seconds_bucket{${labels},le="+Inf"} 2`)
    expect(lines).toContain(`omnisaga_connector_request_duration_seconds_sum{${labels}} 40.2`)
    const worker = await serveWorkerMetrics(0)
    expect(await (await fetch(worker.url)).text()).toContain('# TYPE omnisaga_connector_requests_total counter')
    expect((await fetch(`${worker.url}/else`)).status).toBe(404)
    await worker.stop()
  })
  it('hide in a path what may be a name, a phone, an address or a token', () => {
    expect(safePath('/v1/orders/260-1122S_7/lines:cancel')).toBe('/v1/orders/260-1122S_7/lines:cancel')
    expect(safePath('/v1/%E7%8E%8B%E5%B0%8F%E6%98%8E/0912345678/+886912345678/a@b.tw/%zz')).toBe('/v1/…/…/…/…/…')
    expect(safePath(`/bot${'x'.repeat(80)}/send`)).toBe('/…/send')
  })
  it('leave one line each and one count, whatever the outcome', async () => {
    const lines: Record<string, unknown>[] = []
    const meter = new CallMeter()
    const observe = observer({ debug: (fields) => lines.push(fields) }, meter)
    const server = createServer((request, response) => {
      if (request.url?.startsWith('/gone')) request.socket.destroy()
      else response.writeHead(request.url?.startsWith('/bad') ? 404 : request.url?.startsWith('/broken') ? 500 : 200).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const http = createHttpClient({
      connection: 'c',
      quota: createQuota(db.pool, 'c', defaultLimits),
      limits: defaultLimits,
      observe: (call) => observe({ connection: 'c', connector: 'acme', ...call }),
    })
    await http.request({ method: 'GET', url: `${url}/ok?token=SECRET` })
    await http.request({ method: 'GET', url: `${url}/bad` })
    for (const path of ['/broken', '/gone'])
      await expect(http.request({ method: 'GET', url: `${url}${path}` })).rejects.toMatchObject({ kind: 'Transient' })
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    expect(lines.map(({ path, status, outcome }) => [path, status, outcome])).toEqual([
      [`${url}/ok`, 200, 'ok'],
      [`${url}/bad`, 404, 'refused'],
      [`${url}/broken`, 500, 'Transient'],
      [`${url}/gone`, null, 'Transient'],
    ])
    expect(new Set(lines.map(({ attempt }) => attempt)).size).toBe(4)
    expect(JSON.stringify(lines)).not.toContain('SECRET')
    expect(meter.series().map(({ outcome, count }) => [outcome, count])).toEqual([
      ['ok', 1],
      ['refused', 1],
      ['Transient', 2],
    ])
    const [ok] = meter.series()
    expect(ok).toMatchObject({ connection: 'c', connector: 'acme' })
    expect(ok?.buckets).toEqual(ok?.buckets.toSorted((a, b) => a - b))
  })
})
