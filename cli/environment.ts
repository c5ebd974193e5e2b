/**
 * Where the parts are: from the environment (DATABASE_URL, OMNISAGA_* and Temporal's own configuration variables), or, with
 * nothing set, from the system that `omnisaga up` runs on the data folder.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadClientConnectConfig } from '@temporalio/envconfig'
import type { NativeConnectionOptions } from '@temporalio/worker'
import { OmnisagaError } from '../domain/errors.ts'
import { namesTemporal } from '../scripts/temporal-cli.mjs'
import { secretKeyFrom, type SecretKey } from '../store/secrets.ts'
import { readRunFile, type RunFile } from './embedded/runFile.ts'

/** Fits both `Connection.connect` of the client and `NativeConnection.connect` of the worker. */
export type TemporalConnectionOptions = Pick<NativeConnectionOptions, 'address' | 'tls' | 'metadata' | 'apiKey'>
export interface TemporalEnvironment {
  connection: TemporalConnectionOptions
  namespace: string
}

export interface Environment {
  /** `external`: database and Temporal are both named by the environment. */
  mode: 'embedded' | 'external'
  databaseUrl: string
  temporal: TemporalEnvironment
  /** The port that the HTTP server listens on; in embedded mode the real one, which may differ from OMNISAGA_PORT. */
  httpPort: number
  /** Absolute. */
  dataDir: string
  secretKey: SecretKey
}

/** Root of the clone. */
export const root = fileURLToPath(new URL('..', import.meta.url))
export const DEFAULT_PORT = 8080
export const DEFAULT_NAMESPACE = 'default'

const wrong = (message: string, remedy: string) => new OmnisagaError('Misconfigured', message, { code: 'environment', remedy })

export const dataDirOf = (env: NodeJS.ProcessEnv): string => resolve(root, env['OMNISAGA_DATA'] || '.omnisaga')

/** @returns undefined when it is not set. */
export function httpPortOf(env: NodeJS.ProcessEnv): number | undefined {
  const text = env['OMNISAGA_PORT']?.trim()
  if (!text) return undefined
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw wrong(`OMNISAGA_PORT is "${text}"`, 'set it to a whole number from 0 to 65535, or leave it out for 8080')
}

export function databaseUrlOf(env: NodeJS.ProcessEnv): string | undefined {
  const text = env['DATABASE_URL']?.trim()
  if (!text) return undefined
  // The value is not repeated: it holds a password.
  if (/^postgres(ql)?:\/\//.test(text) && URL.canParse(text)) return text
  throw wrong(
    'DATABASE_URL is not a PostgreSQL address',
    'write it as postgresql://user:password@host:5432/database, special characters percent-encoded',
  )
}

/** @returns undefined when Temporal's variables name no server. */
export function temporalOf(env: NodeJS.ProcessEnv): TemporalEnvironment | undefined {
  if (!namesTemporal(env)) return undefined
  const set = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars: set })
    const { address, tls, metadata, apiKey } = connectionOptions
    return { connection: { address, tls, metadata, apiKey }, namespace: namespace ?? DEFAULT_NAMESPACE }
  } catch (error) {
    throw wrong(
      `Temporal's configuration cannot be read: ${(error as Error).message}`,
      'see https://docs.temporal.io/develop/environment-configuration; TEMPORAL_ADDRESS alone is enough for a server without TLS',
    )
  }
}

/**
 * OMNISAGA_SECRET_KEY; else, where the database is the embedded one, the data folder's own key, minted at the first call (mode 0600).
 * @throws OmnisagaError Misconfigured when the database is external and no key is set.
 */
export function secretKeyOf(env: NodeJS.ProcessEnv, dataDir: string): SecretKey {
  const text = env['OMNISAGA_SECRET_KEY']?.trim()
  if (text) return secretKeyFrom(text)
  if (databaseUrlOf(env)) {
    throw wrong(
      'OMNISAGA_SECRET_KEY is not set, and DATABASE_URL is',
      'set it to 32 random bytes (openssl rand -base64 32), the same on every worker and server, and keep it: stored secrets need it',
    )
  }
  const path = join(dataDir, 'secret.key')
  if (!existsSync(path)) {
    mkdirSync(dataDir, { recursive: true })
    try {
      writeFileSync(path, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // EEXIST: another command minted it meanwhile
    }
  }
  return secretKeyFrom(readFileSync(path, 'utf8'))
}

/** @throws OmnisagaError Misconfigured: a variable is wrong, or a part is neither named nor running. */
export function resolveEnvironment(env: NodeJS.ProcessEnv = process.env): Environment {
  const dataDir = dataDirOf(env)
  const [databaseUrl, temporal] = [databaseUrlOf(env), temporalOf(env)]
  const wishedPort = httpPortOf(env)
  const running = readRunFile(dataDir)
  if (databaseUrl && temporal) {
    return {
      mode: 'external',
      databaseUrl,
      temporal,
      httpPort: wishedPort ?? DEFAULT_PORT,
      dataDir,
      secretKey: secretKeyOf(env, dataDir),
    }
  }
  if (!running) throw nothingRuns(dataDir, databaseUrl, temporal)
  return {
    mode: 'embedded',
    databaseUrl: databaseUrl ?? running.databaseUrl,
    temporal: temporal ?? embeddedTemporal(running, dataDir),
    httpPort: running.httpPort,
    dataDir,
    secretKey: secretKeyOf(env, dataDir),
  }
}

function embeddedTemporal(running: RunFile, dataDir: string): TemporalEnvironment {
  if (running.temporalAddress) return { connection: { address: running.temporalAddress }, namespace: running.temporalNamespace }
  throw wrong(`Omnisaga runs on ${dataDir} with a Temporal server of its environment`, 'set the same TEMPORAL_ADDRESS here')
}

function nothingRuns(dataDir: string, databaseUrl: string | undefined, temporal: TemporalEnvironment | undefined): OmnisagaError {
  if (databaseUrl)
    return wrong(
      'DATABASE_URL is set, but no Temporal server is',
      'set TEMPORAL_ADDRESS too (host:port), or leave both out and run: npm start',
    )
  if (temporal) return wrong('Temporal is set, but no database is', 'set DATABASE_URL too, or leave both out and run: npm start')
  return wrong(`nothing runs on ${dataDir}`, 'start it in another terminal: npm start. Or set DATABASE_URL and TEMPORAL_ADDRESS')
}
