/** What telling a fact takes and what comes of it. */
import type { Connector, ConnectorContext } from '../connectors/kit/types.ts'
import type { OrderRecord, ParcelRecord } from '../store/orderRecord.ts'
import type { OwedRow } from '../store/outbox.ts'
import type { Runtime } from './runtime.ts'

/**
 * `told` with what the participant made of it, `later` when its turn has not come, `skipped` when nobody needs it any more, `person` when
 * one was asked.
 */
export type Telling =
  { told: Record<string, unknown> | null } | { later: string; delayMs?: number } | { skipped: string } | { person: true }

export interface Matter {
  runtime: Runtime
  connector: Connector
  context: ConnectorContext
  fact: OwedRow
  record: OrderRecord
  /** The parcel it is about, its waybill known; undefined when it is about none. */
  parcel: ParcelRecord | undefined
}
export type Teller = (matter: Matter) => Promise<Telling>
