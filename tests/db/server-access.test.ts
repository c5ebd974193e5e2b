import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import pino from 'pino'
import { buildApp } from '../../server/app.ts'
import { addKey } from '../../server/keys.ts'
import { startServer } from '../../server/start.ts'
import { inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
})
afterAll(async () => {
  await at.stop()
})

const silent = pino({ level: 'silent' })
const inject = async (headers: Record<string, string>, remoteAddress = '127.0.0.1', url = '/api/v1/orders') => {
  const { fastify } = await buildApp(at.runtime, silent)
  const response = await fastify.inject({ method: 'GET', url, headers: { host: 'localhost:8080', ...headers }, remoteAddress })
  await fastify.close()
  return { status: response.statusCode, body: response.json<{ detail?: string }>() }
}

describe('without an API key', () => {
  it('answers this machine', async () => {
    expect(await inject({})).toMatchObject({ status: 200 })
    expect(await inject({}, '::1')).toMatchObject({ status: 200 })
    expect(await inject({ origin: 'http://127.0.0.1:8080' })).toMatchObject({ status: 200 })
  })

  it.each([
    ['another machine', {}, '192.0.2.7'],
    ['a proxy on this machine', { 'x-forwarded-for': '192.0.2.7' }, '127.0.0.1'],
    ['a page from elsewhere in a browser of this machine', { origin: 'https://evil.example' }, '127.0.0.1'],
    ['a name that was bent to this machine', { host: 'evil.example' }, '127.0.0.1'],
  ])('turns away %s and says how to make a key', async (_who, headers, address) => {
    const { status, body } = await inject(headers, address)
    expect(status).toBe(403)
    expect(body.detail).toContain('omnisaga keys add')
  })

  it('tells anybody whether it is alive, and what its routes are', async () => {
    for (const url of ['/healthz', '/readyz', '/openapi.json'])
      expect(await inject({}, '192.0.2.7', url)).toMatchObject({ status: 200 })
    expect(await inject({}, '192.0.2.7', '/metrics')).toMatchObject({ status: 403 })
  })

  it('listens on loopback whatever OMNISAGA_HOST says, and says so', async () => {
    vi.stubEnv('OMNISAGA_HOST', '0.0.0.0')
    const server = await startServer(at.runtime, { port: 0, log: silent })
    expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
    expect(server.notice).toContain('OMNISAGA_HOST=0.0.0.0 is not used')
    await server.stop()
    vi.unstubAllEnvs()
  })
})

it('names the port that is in use', async () => {
  await expect(startServer(at.runtime, { port: at.server.port, log: silent })).rejects.toMatchObject({
    code: 'portBusy',
    message: expect.stringContaining(String(at.server.port)),
  })
})

it('waits for what is under way when it stops', async () => {
  const server = await startServer(at.runtime, { port: 0, log: silent })
  const answer = fetch(`${server.url}/api/v1/orders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(inStoreOrder('A-stop')),
  })
  // The request is with the server once the raw record is there.
  await vi.waitFor(async () =>
    expect((await at.db.pool.query(`select 1 from inbox where external_id = 'A-stop'`)).rowCount).toBe(1),
  )
  await server.stop()
  expect((await answer).status).toBe(201)
})

describe('with an API key', () => {
  let key = ''
  beforeAll(async () => {
    key = await addKey(at.db.pool, 'console')
  })

  it('keeps only its hash', async () => {
    const { rows } = await at.db.pool.query<{ hash: string; name: string }>('select hash, name from api_keys')
    expect(rows).toEqual([{ hash: expect.stringMatching(/^[0-9a-f]{64}$/), name: 'console' }])
    expect(JSON.stringify(rows)).not.toContain(key)
  })

  it('answers whoever sends it, from anywhere, and nobody else', async () => {
    expect(await inject({ authorization: `Bearer ${key}` }, '192.0.2.7')).toMatchObject({ status: 200 })
    expect(await inject({ authorization: `bearer ${key}`, host: 'api.example' }, '192.0.2.7')).toMatchObject({ status: 200 })
    for (const authorization of ['', 'Bearer wrong', `Bearer ${key}x`, `Basic ${key}`]) {
      expect(await inject({ authorization })).toMatchObject({ status: 401, body: { title: 'Not authenticated' } })
    }
  })

  it('tells commands by the name of the key', async () => {
    await at.post('/api/v1/orders', inStoreOrder('K-1'), { authorization: `Bearer ${key}` })
    await at.post('/api/v1/orders/K-1/cancel', {}, { authorization: `Bearer ${key}` })
    const { rows } = await at.db.pool.query('select who from commands')
    expect(rows).toEqual([{ who: 'key:console' }])
  })

  it('refuses a second key of one name, and a name that is none', async () => {
    await expect(addKey(at.db.pool, 'console')).rejects.toMatchObject({ code: 'keyExists' })
    await expect(addKey(at.db.pool, '')).rejects.toMatchObject({ code: 'keyName' })
  })
})
