/** Configured connections: read, listed, paused, stopped. Written by store/configuration.ts. */
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable } from './db.ts'
import { unseal, type SecretKey } from './secrets.ts'

/** A connection with its secrets merged into `config`; the shape of Connection in connectors/kit/types.ts. */
export interface StoredConnection {
  name: string
  connector: string
  version: number
  config: Record<string, unknown>
  paused: boolean
  stoppedReason: string | null
}
/** A connection as people may see it: no secrets. */
export interface ConnectionSummary extends StoredConnection {
  updatedAt: Date
  hasSecrets: boolean
}

interface Row {
  name: string
  connector: string
  version: number
  config: Record<string, unknown>
  secrets: Buffer | null
  paused: boolean
  stopped_reason: string | null
  updated_at: Date
}
const SELECT = `select c.name, c.connector, c.version, c.config, c.secrets, c.paused, c.updated_at, s.stopped_reason
  from connections c left join connection_state s on s.connection = c.name`

/** The task about a connection that was stopped; applying its configuration closes it. */
export const stoppedTaskKey = (name: string): string => `connection:${name}:stopped`

export const secretsContext = (name: string): string => `connection:${name}`

/** @throws OmnisagaError Misconfigured: no such connection, or its secrets do not open. */
export async function getConnection(db: Queryable, secretKey: SecretKey, name: string): Promise<StoredConnection> {
  const { rows } = await db.query<Row>(`${SELECT} where c.name = $1`, [name])
  const row = rows[0]
  if (!row) {
    throw new OmnisagaError('Misconfigured', `there is no connection named ${JSON.stringify(name)}`, {
      code: 'no-connection',
      remedy: 'List them with `omnisaga connections list`, or apply a file that has it.',
    })
  }
  const secrets = row.secrets ? (unseal(secretKey, secretsContext(name), row.secrets) as Record<string, unknown>) : {}
  return {
    name: row.name,
    connector: row.connector,
    version: row.version,
    config: { ...row.config, ...secrets },
    paused: row.paused,
    stoppedReason: row.stopped_reason,
  }
}

export async function listConnections(db: Queryable): Promise<ConnectionSummary[]> {
  const { rows } = await db.query<Row>(`${SELECT} order by c.name`)
  return rows.map((row) => ({
    name: row.name,
    connector: row.connector,
    version: row.version,
    config: row.config,
    paused: row.paused,
    stoppedReason: row.stopped_reason,
    updatedAt: row.updated_at,
    hasSecrets: row.secrets !== null,
  }))
}

/** A switch, not a new version. @returns false when there is no such connection. */
export async function pauseConnection(db: Queryable, name: string, paused = true): Promise<boolean> {
  const { rowCount } = await db.query('update connections set paused = $2, updated_at = now() where name = $1', [name, paused])
  return rowCount === 1
}

/** After Misconfigured: nothing more is asked of it until the next apply. The first reason stays. @returns true when it ran before. */
export async function stopConnection(db: Queryable, name: string, reason: string): Promise<boolean> {
  const { rowCount } = await db.query(
    `insert into connection_state as s (connection, stopped_reason) values ($1, $2)
     on conflict (connection) do update set stopped_reason = excluded.stopped_reason where s.stopped_reason is null`,
    [name, reason.slice(0, 500)],
  )
  return rowCount === 1
}
