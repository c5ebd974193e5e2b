import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { writeRunFile } from '../../cli/embedded/runFile.ts'
import { databaseUrlOf, dataDirOf, httpPortOf, resolveEnvironment, root, secretKeyOf, temporalOf } from '../../cli/environment.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'omnisaga-environment-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const key = Buffer.alloc(32, 7).toString('base64')
const running = {
  databaseUrl: 'postgresql://omnisaga:p@127.0.0.1:5555/omnisaga',
  temporalAddress: '127.0.0.1:7777',
  temporalNamespace: 'default',
  temporalUi: null,
  httpPort: 8123,
}

describe('resolveEnvironment', () => {
  test('both parts named is external, on port 8080', () => {
    const found = resolveEnvironment({
      DATABASE_URL: 'postgresql://u:p@db/o',
      TEMPORAL_ADDRESS: 'temporal:7233',
      TEMPORAL_NAMESPACE: 'shop',
      OMNISAGA_SECRET_KEY: key,
      OMNISAGA_DATA: folder,
    })
    expect(found).toMatchObject({
      mode: 'external',
      databaseUrl: 'postgresql://u:p@db/o',
      temporal: { connection: { address: 'temporal:7233' }, namespace: 'shop' },
      httpPort: 8080,
    })
    expect(found.secretKey).toEqual(Buffer.alloc(32, 7))
  })

  test('nothing set and nothing running says npm start', () => {
    expect(() => resolveEnvironment({ OMNISAGA_DATA: folder })).toThrow(
      expect.objectContaining({ kind: 'Misconfigured', remedy: expect.stringContaining('npm start') as string }),
    )
  })

  test('nothing set finds the system that runs on the data folder, at the ports it really has', () => {
    writeRunFile(folder, running)
    expect(resolveEnvironment({ OMNISAGA_DATA: folder, OMNISAGA_PORT: '9999' })).toMatchObject({
      mode: 'embedded',
      databaseUrl: running.databaseUrl,
      temporal: { connection: { address: '127.0.0.1:7777' } },
      httpPort: 8123,
    })
  })

  test('run.json, which holds the database password, is readable by its owner alone', () => {
    writeRunFile(folder, running)
    expect(statSync(join(folder, 'run.json')).mode & 0o777).toBe(0o600)
  })

  test('a database without a Temporal server is refused, and the other way round', () => {
    expect(() => resolveEnvironment({ OMNISAGA_DATA: folder, DATABASE_URL: 'postgresql://db/o' })).toThrow(
      'no Temporal server is',
    )
    expect(() => resolveEnvironment({ OMNISAGA_DATA: folder, TEMPORAL_ADDRESS: 'temporal:7233' })).toThrow('no database is')
  })
})

describe('single variables', () => {
  test.each(['80a', '-1', '65536', '8080.5'])('OMNISAGA_PORT %s is refused with its value', (value) => {
    expect(() => httpPortOf({ OMNISAGA_PORT: value })).toThrow(`"${value}"`)
  })

  test('a wrong DATABASE_URL is refused without repeating it', () => {
    const attempt = () => databaseUrlOf({ DATABASE_URL: 'mysql://u:hunter2@db/o' })
    expect(attempt).toThrow('DATABASE_URL is not a PostgreSQL address')
    expect(attempt).not.toThrow('hunter2')
  })

  test('OMNISAGA_DATA counts from the clone, whatever the current folder', () => {
    expect(dataDirOf({})).toBe(join(root, '.omnisaga'))
    expect(dataDirOf({ OMNISAGA_DATA: 'other' })).toBe(join(root, 'other'))
  })

  test('an API key turns TLS on', () => {
    const found = temporalOf({
      TEMPORAL_ADDRESS: 'ns.acct.tmprl.cloud:7233',
      TEMPORAL_NAMESPACE: 'ns.acct',
      TEMPORAL_API_KEY: 'k',
      TEMPORAL_CONFIG_FILE: join(folder, 'none'),
    })
    expect(found).toMatchObject({
      connection: { address: 'ns.acct.tmprl.cloud:7233', apiKey: 'k', tls: true },
      namespace: 'ns.acct',
    })
  })

  test('a client certificate is read from the files that Temporal’s variables name', () => {
    const path = join(root, 'package.json')
    const found = temporalOf({
      TEMPORAL_ADDRESS: 'a:7233',
      TEMPORAL_CONFIG_FILE: join(folder, 'none'),
      TEMPORAL_TLS: 'true',
      TEMPORAL_TLS_CLIENT_CERT_PATH: path,
      TEMPORAL_TLS_CLIENT_KEY_PATH: path,
    })
    const tls = found?.connection.tls
    expect(typeof tls === 'object' && tls?.clientCertPair ? Buffer.from(tls.clientCertPair.crt).toString() : tls).toBe(
      readFileSync(path, 'utf8'),
    )
  })

  test('a secret key is minted once, readable by its owner alone', () => {
    const first = secretKeyOf({}, folder)
    expect(first).toHaveLength(32)
    expect(secretKeyOf({}, folder)).toEqual(first)
    expect(statSync(join(folder, 'secret.key')).mode & 0o777).toBe(0o600)
  })

  test('with a database of one’s own no key is minted', () => {
    expect(() => secretKeyOf({ DATABASE_URL: 'postgresql://db/o' }, folder)).toThrow('OMNISAGA_SECRET_KEY is not set')
  })
})
