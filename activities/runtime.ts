/** What activities, server and commands share in one process. Made by runtime.ts at the root. */
import type { Client } from '@temporalio/client'
import type { NativeConnectionOptions } from '@temporalio/worker'
import type { ConnectorContext, Connector } from '../connectors/kit/types.ts'
import type { Policy } from '../domain/policy.ts'
import type { Pool } from '../store/db.ts'
import type { Reserver } from '../store/ledger/types.ts'
import type { SecretKey } from '../store/secrets.ts'

/** Fits both the client's and the worker's connection. */
export type EngineConnection = Pick<NativeConnectionOptions, 'address' | 'tls' | 'metadata' | 'apiKey'>

export interface Runtime {
  databaseUrl: string
  /** How a worker of this process reaches the engine. */
  engine: { connection: EngineConnection; namespace: string }
  pool: Pool
  reserver: Reserver
  secretKey: SecretKey
  /** How the world reaches our server, without a slash at the end; null: nobody said (OMNISAGA_PUBLIC_URL). */
  publicUrl: string | null
  /** Connected at the first call of the engine; a server that cannot reach it still takes orders in. */
  temporal: Client
  taskQueue: string
  /** A connection ready for calls. @throws OmnisagaError Misconfigured when there is none, or it was stopped. */
  connection(
    name: string,
    /** For work that calls nobody: mapping what was received, choosing a service. */
    options?: { evenIfStopped?: boolean },
  ): Promise<{ connector: Connector; context: ConnectorContext }>
  /** What kind of connection it is, also when it is stopped. */
  connectorOf(name: string): Promise<Connector>
  /** The settings version an order began with; the newest when none is given. */
  policy(version?: number): Promise<Policy>
  /** Every connector there is, by the name that connections use. */
  connectors: Readonly<Record<string, Connector>>
  log: Logger
  close(): Promise<void>
}

/** Ids and small facts only: never bodies, never personal data. */
export interface Logger {
  info(fields: Record<string, unknown>, message: string): void
  warn(fields: Record<string, unknown>, message: string): void
  error(fields: Record<string, unknown>, message: string): void
}
