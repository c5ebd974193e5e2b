/** What a connector's functions are called with. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { Pool } from '../../store/db.ts'
import { getConnection } from '../../store/connections.ts'
import type { SecretKey } from '../../store/secrets.ts'
import { createHttpClient } from './http.ts'
import { defaultLimits, Limits } from './limits.ts'
import { observer, type TraceLog } from './meter.ts'
import { createQuota } from './quota.ts'
import { createTokenStore } from './tokens.ts'
import type { Connection, Connector, ConnectorContext, HttpClient, TokenStore } from './types.ts'

export interface ContextOptions {
  /** The connectors there are: `connectors` of connectors/registry.ts. */
  connectors: Readonly<Record<string, Connector>>
  /** Also for a connection that was stopped (`connections check`). */
  evenIfStopped?: boolean
  /** Takes a line at debug for every call; the first to open a connection in a process gives it. */
  log?: TraceLog
}

/** Kept per process: the concurrency cap, the kept-alive sockets and the one-refresh-at-a-time belong to the connection, not to a call. */
interface Shared {
  version: number
  secretKey: SecretKey
  http: HttpClient
  tokens: TokenStore
}
const sharedByPool = new WeakMap<Pool, Map<string, Shared>>()

function limitsOf(connection: Connection): Limits {
  const quota = (connection.config as { quota?: unknown } | null)?.quota
  const parsed = Limits.safeParse(quota ?? {})
  return parsed.success ? parsed.data : defaultLimits
}

function sharedOf(pool: Pool, secretKey: SecretKey, connection: Connection, log: TraceLog | undefined): Shared {
  const byName = sharedByPool.get(pool) ?? new Map<string, Shared>()
  sharedByPool.set(pool, byName)
  const known = byName.get(connection.name)
  if (known && known.version === connection.version && known.secretKey.equals(secretKey)) return known
  const limits = limitsOf(connection)
  const observe = observer(log)
  const names = { connection: connection.name, connector: connection.connector }
  const fresh: Shared = {
    version: connection.version,
    secretKey,
    http: createHttpClient({
      connection: connection.name,
      quota: createQuota(pool, connection.name, limits),
      limits,
      observe: (call) => observe({ ...names, ...call }),
    }),
    tokens: createTokenStore(pool, secretKey, connection.name),
  }
  byName.set(connection.name, fresh)
  return fresh
}

/**
 * The connection as it is now (its config may have been applied anew a moment ago) and the connector that speaks for it.
 * A paused connection gets its context too: whoever starts work asks `context.connection.paused` first.
 * @throws OmnisagaError Misconfigured: unknown, stopped, of a connector that does not exist, or with a config its connector refuses.
 */
export async function openConnection(
  pool: Pool,
  secretKey: SecretKey,
  name: string,
  options: ContextOptions,
): Promise<{ connector: Connector; context: ConnectorContext }> {
  const stored = await getConnection(pool, secretKey, name)
  if (stored.stoppedReason !== null && !options.evenIfStopped) {
    throw new OmnisagaError('Misconfigured', `connection ${name} is stopped: ${stored.stoppedReason}`, {
      code: 'stopped',
      remedy: 'Correct its configuration and apply it again.',
    })
  }
  const connector = Object.hasOwn(options.connectors, stored.connector) ? options.connectors[stored.connector] : undefined
  if (!connector) {
    throw new OmnisagaError('Misconfigured', `connection ${name} wants the connector ${stored.connector}, which does not exist`, {
      code: 'no-connector',
      remedy: `Use one of ${Object.keys(options.connectors).sort().join(', ')}.`,
    })
  }
  const parsed = connector.configSchema.safeParse(stored.config)
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || '(config)'))]
    throw new OmnisagaError('Misconfigured', `the configuration of connection ${name} is not valid: ${fields.join(', ')}`, {
      code: 'config',
      remedy: 'Apply a corrected file.',
    })
  }
  const connection: Connection = { ...stored, config: parsed.data }
  const { http, tokens } = sharedOf(pool, secretKey, connection, options.log)
  return { connector, context: { connection, http, tokens, now: () => new Date() } }
}

/** `openConnection` for callers that know the connector. */
export async function createContext(
  pool: Pool,
  secretKey: SecretKey,
  name: string,
  options: ContextOptions,
): Promise<ConnectorContext> {
  return (await openConnection(pool, secretKey, name, options)).context
}
