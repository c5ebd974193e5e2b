import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { connectors } from '../../connectors/registry.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import { createTokenStore } from '../../connectors/kit/tokens.ts'
import { applyConnections, InvalidConfiguration, type ConfigurationProblem } from '../../store/configuration.ts'
import { getConnection, listConnections, pauseConnection, stopConnection } from '../../store/connections.ts'
import { seal, secretKeyFrom, unseal } from '../../store/secrets.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'

const key = secretKeyFrom('a passphrase for tests')
const ecpay = (config: Record<string, unknown> = {}) => ({
  name: 'ecpay',
  connector: 'ecpay',
  config: {
    merchantId: '2000132',
    hashKey: '5294y06JbISpM5x9',
    hashIv: 'v77hoKGq4kWxNNIS',
    baseUrl: 'http://127.0.0.1:9',
    serverReplyUrl: 'http://127.0.0.1:8/webhooks/ecpay',
    ...config,
  },
})
const momo = { name: 'momo', connector: 'file', config: { channel: 'momo', shop: 'TP001', profile: 'momo' } }
const warehouse = {
  id: 'taipei',
  name: '台北倉',
  kind: 'warehouse',
  courierHome: 'ecpay',
  courierCvs: 'ecpay',
  sender: { name: '台北倉庫', phone: '0226550115' },
}

let db: FreshDatabase
beforeAll(async () => {
  db = await freshDatabase()
})
beforeEach(async () => {
  await db.pool.query(`truncate connections, connection_versions, connection_state, locations, products, sku_aliases cascade;
    delete from settings where version > 1`)
})
afterAll(async () => {
  await db.drop()
})

const apply = (document: unknown, env: Record<string, string> = {}) =>
  applyConnections(db.pool, key, document, connectors, { env })
const problemsOf = async (document: unknown): Promise<ConfigurationProblem[]> => {
  const error: unknown = await apply(document).then(
    () => null,
    (e: unknown) => e,
  )
  if (error instanceof InvalidConfiguration) return error.problems
  throw new Error(`not refused: ${String(error)}`)
}

describe('applyConnections', () => {
  it('stores connections, locations, products, aliases and policy, and counts versions only for what changed', async () => {
    const document = {
      connections: [ecpay(), momo],
      locations: [warehouse],
      products: [{ sku: 'A-1', name: '上衣', weightGrams: 300 }],
      aliases: [{ channel: 'momo', externalSku: 'm1', sku: 'A-1' }],
      policy: { stuckParcelMs: 1000 },
    }
    expect(await apply(document)).toEqual({
      connections: [
        { name: 'ecpay', connector: 'ecpay', version: 1, change: 'created' },
        { name: 'momo', connector: 'file', version: 1, change: 'created' },
      ],
      locations: 1,
      products: 1,
      aliases: 1,
      settingsVersion: 2,
    })
    const again = await apply(document)
    expect(again.connections.map((c) => [c.version, c.change])).toEqual([
      [1, 'unchanged'],
      [1, 'unchanged'],
    ])
    expect(again.settingsVersion).toBe(2)
    const changed = await apply({ connections: [ecpay({ specification: '0002' }), momo] })
    expect(changed.connections.map((c) => [c.version, c.change])).toEqual([
      [2, 'changed'],
      [1, 'unchanged'],
    ])
    const { rows } = await db.pool.query('select courier_home, sender, zone, ships from locations')
    expect(rows).toEqual([{ courier_home: 'ecpay', sender: warehouse.sender, zone: 'Asia/Taipei', ships: true }])
    expect((await db.pool.query('select name, version from connection_versions order by 1, 2')).rows).toEqual([
      { name: 'ecpay', version: 1 },
      { name: 'ecpay', version: 2 },
      { name: 'momo', version: 1 },
    ])
  })

  it('keeps secrets out of every readable column and gives them back with the key', async () => {
    await apply({ connections: [ecpay()] })
    const dump = JSON.stringify([
      (await db.pool.query('select config from connections union all select config from connection_versions')).rows,
      await listConnections(db.pool),
    ])
    expect(dump).not.toContain('5294y06JbISpM5x9')
    expect(
      (await db.pool.query<{ secrets: Buffer }>('select secrets from connections')).rows[0]?.secrets.includes('5294y06JbISpM5x9'),
    ).toBe(false)
    expect((await getConnection(db.pool, key, 'ecpay')).config).toMatchObject({
      hashKey: '5294y06JbISpM5x9',
      hashIv: 'v77hoKGq4kWxNNIS',
    })
    await expect(getConnection(db.pool, secretKeyFrom('another passphrase'), 'ecpay')).rejects.toMatchObject({
      kind: 'Misconfigured',
      code: 'secret-key',
    })
  })

  it('opens again under a new key once the file was applied again', async () => {
    await apply({ connections: [ecpay()] })
    const newKey = secretKeyFrom('another passphrase')
    const { connections } = await applyConnections(db.pool, newKey, { connections: [ecpay()] }, connectors)
    expect(connections[0]?.change).toBe('changed')
    expect((await getConnection(db.pool, newKey, 'ecpay')).config.hashKey).toBe('5294y06JbISpM5x9')
  })

  it('reads secrets from the environment where the file says so', async () => {
    await apply({ connections: [ecpay({ hashKey: '${ECPAY_KEY}' })] }, { ECPAY_KEY: 'from-env' })
    expect((await getConnection(db.pool, key, 'ecpay')).config.hashKey).toBe('from-env')
    expect(await problemsOf({ connections: [ecpay({ hashKey: '${ECPAY_KEY}' })] })).toMatchObject([
      { path: 'connections[0].config.hashKey', message: 'the environment variable ECPAY_KEY is not set' },
    ])
  })

  it('names path, value and remedy of every problem, and applies nothing then', async () => {
    const problems = await problemsOf({
      connections: [ecpay({ merchantId: '12', hashIv: '', typo: 1 }), { name: 'x', connector: 'nosuch' }, momo, momo],
      locations: [{ ...warehouse, courierHome: 'missing' }],
    })
    expect(problems).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: 'connections[0].config.merchantId', value: '"12"', message: 'must be 7 to 10 digits' }),
        expect.objectContaining({ path: 'connections[0].config.hashIv', value: '(hidden)' }),
        expect.objectContaining({ path: 'connections[0].config', remedy: 'Remove or correct "typo".', value: '(hidden)' }),
        expect.objectContaining({
          path: 'connections[1].connector',
          value: '"nosuch"',
          remedy: expect.stringContaining('ecpay, file'),
        }),
        expect.objectContaining({ path: 'connections[3].name', message: 'appears twice' }),
        expect.objectContaining({ path: 'locations[0].courierHome', value: '"missing"' }),
      ]),
    )
    expect(await listConnections(db.pool)).toEqual([])
    expect(await problemsOf({ connection: [] })).toMatchObject([{ path: '(file)', remedy: 'Remove or correct "connection".' }])
    expect(await problemsOf({ locations: [{ id: 'a', name: 'A', kind: 'shop', zone: 'Mars/Olympus' }] })).toMatchObject([
      { path: 'locations[0].kind', value: '"shop"' },
      { path: 'locations[0].zone', value: '"Mars/Olympus"' },
    ])
    expect(await problemsOf('not a document')).toMatchObject([{ path: '(file)' }])
  })

  it('a rule that named a location that is not there, and a tariff of a courier that is not there, were taken silently', async () => {
    const problems = await problemsOf({
      connections: [ecpay(), { ...momo, stock: { locations: ['taipeh'] } }],
      locations: [{ ...warehouse, courierHome: 'momo', warehouseConnection: 'ecpay' }],
      policy: {
        routing: {
          rules: [
            { name: 'cheap', effect: 'rank', by: ['cost'] },
            { name: 'near', effect: 'only', locations: ['taipei', 'tapei'] },
          ],
          tariffs: [
            { courier: 'ecpay', service: 'TCAT', method: 'home', priceMinor: 100, days: 1 },
            { courier: 'eckpay', service: 'TCAT', method: 'home', priceMinor: 100, days: 1 },
          ],
          places: { taipei: { couriers: ['momo'] }, tainan: { closed: true } },
        },
      },
    })
    const courier = { message: 'this connection books no parcels', remedy: 'Use one of ecpay.' }
    const location = { message: 'there is no such location', remedy: 'Add it to "locations", or use one of taipei.' }
    expect(problems).toEqual([
      {
        path: 'locations[0].warehouseConnection',
        value: '"ecpay"',
        message: 'this connection is no warehouse',
        remedy: 'Add one to "connections" first.',
      },
      { path: 'locations[0].courierHome', value: '"momo"', ...courier },
      { path: 'connections[1].stock.locations[0]', value: '"taipeh"', ...location },
      { path: 'policy.routing.rules[1].locations[1]', value: '"tapei"', ...location },
      {
        path: 'policy.routing.tariffs[1].courier',
        value: '"eckpay"',
        message: 'there is no such connection',
        remedy: 'Add it to "connections", or use one of ecpay, momo.',
      },
      { path: 'policy.routing.places.taipei.couriers[0]', value: '"momo"', ...courier },
      { path: 'policy.routing.places.tainan', value: '"tainan"', ...location },
    ])
    expect(await listConnections(db.pool)).toEqual([])
  })

  it('an alias for a product that is not there was taken from a file, though the command refuses it', async () => {
    const alias = { channel: 'momo', externalSku: 'm1', sku: 'A-2' }
    expect(await problemsOf({ products: [{ sku: 'A-1' }], aliases: [alias] })).toEqual([
      {
        path: 'aliases[0].sku',
        value: '"A-2"',
        message: 'there is no such product',
        remedy: 'Correct it, or add it to "products".',
      },
    ])
    await apply({ products: [{ sku: 'A-2' }] })
    expect(await apply({ aliases: [alias] })).toMatchObject({ aliases: 1 })
  })

  it('keeps rotated tokens when only a setting changes, and drops them with new credentials', async () => {
    await apply({ connections: [ecpay()] })
    const tokens = createTokenStore(db.pool, key, 'ecpay')
    await tokens.refresh(null, async () => ({ accessToken: 'a', refreshToken: 'r', expiresAt: new Date() }))
    await apply({ connections: [ecpay({ specification: '0002' })] })
    expect((await tokens.read())?.refreshToken).toBe('r')
    await apply({ connections: [ecpay({ hashKey: 'another' })] })
    expect(await tokens.read()).toBeNull()
  })

  it('survives ten files applied at once', async () => {
    await Promise.all(
      Array.from({ length: 10 }, (_, n) => apply({ connections: [ecpay({ platformId: String(1_000_000 + n) })] })),
    )
    expect((await getConnection(db.pool, key, 'ecpay')).version).toBe(10)
  })
})

describe('pause and stop', () => {
  it('pauses without a new version and says whether there is such a connection', async () => {
    await apply({ connections: [momo] })
    expect(await pauseConnection(db.pool, 'momo')).toBe(true)
    expect(await getConnection(db.pool, key, 'momo')).toMatchObject({ paused: true, version: 1 })
    expect((await apply({ connections: [momo] })).connections[0]?.change).toBe('unchanged')
    expect((await getConnection(db.pool, key, 'momo')).paused).toBe(true)
    await pauseConnection(db.pool, 'momo', false)
    expect((await getConnection(db.pool, key, 'momo')).paused).toBe(false)
    expect(await pauseConnection(db.pool, 'nosuch')).toBe(false)
  })

  it('stops with the first reason, opens for a check only, and runs again after the next apply', async () => {
    await apply({ connections: [momo] })
    expect([await stopConnection(db.pool, 'momo', 'wrong key'), await stopConnection(db.pool, 'momo', 'later')]).toEqual([
      true,
      false,
    ])
    await expect(openConnection(db.pool, key, 'momo', { connectors })).rejects.toMatchObject({
      kind: 'Misconfigured',
      message: expect.stringContaining('wrong key'),
    })
    expect(
      (await openConnection(db.pool, key, 'momo', { connectors, evenIfStopped: true })).context.connection.stoppedReason,
    ).toBe('wrong key')
    await apply({ connections: [momo] })
    expect((await openConnection(db.pool, key, 'momo', { connectors })).connector.name).toBe('file')
  })

  it('says which connection or connector does not exist', async () => {
    await expect(openConnection(db.pool, key, 'nosuch', { connectors })).rejects.toMatchObject({
      kind: 'Misconfigured',
      code: 'no-connection',
    })
    await apply({ connections: [momo] })
    await expect(openConnection(db.pool, key, 'momo', { connectors: {} })).rejects.toMatchObject({
      kind: 'Misconfigured',
      code: 'no-connector',
    })
    const strict = {
      file: { ...connectors.file, configSchema: z.strictObject({ other: z.string() }) },
    } as unknown as typeof connectors
    await expect(openConnection(db.pool, key, 'momo', { connectors: strict })).rejects.toMatchObject({
      kind: 'Misconfigured',
      code: 'config',
    })
  })

  it('keeps one client for a connection until its configuration changes', async () => {
    await apply({ connections: [ecpay()] })
    const open = async () => (await openConnection(db.pool, key, 'ecpay', { connectors })).context.http
    const first = await open()
    expect(await open()).toBe(first)
    await apply({ connections: [ecpay({ quota: { perSecond: 1 } })] })
    expect(await open()).not.toBe(first)
  })
})

describe('secrets', () => {
  it('takes hexadecimal and base64 keys as they are and derives the rest', () => {
    const hex = 'ab'.repeat(32)
    expect(secretKeyFrom(hex).toString('hex')).toBe(hex)
    expect(secretKeyFrom(Buffer.from(hex, 'hex').toString('base64')).toString('hex')).toBe(hex)
    expect(secretKeyFrom('correct horse battery')).toHaveLength(32)
    expect(secretKeyFrom('correct horse battery')).toEqual(secretKeyFrom('correct horse battery'))
    expect(() => secretKeyFrom('short')).toThrow('OMNISAGA_SECRET_KEY')
  })
  it('opens only what was sealed for this place and is unchanged', () => {
    const sealed = seal(key, 'connection:a', { s: '機密' })
    expect(unseal(key, 'connection:a', sealed)).toEqual({ s: '機密' })
    expect(() => unseal(key, 'connection:b', sealed)).toThrow('cannot be opened')
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(changed.length - 1) ^ 1, changed.length - 1)
    expect(() => unseal(key, 'connection:a', changed)).toThrow('cannot be opened')
    expect(seal(key, 'connection:a', { s: '機密' }).equals(sealed)).toBe(false)
  })
})
