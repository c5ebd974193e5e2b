/**
 * What a connector shows the acceptance suite: one file a connector, tests/acceptance/subjects/NAME.ts, that exports `subject`.
 * The stand-in is written from the vendor's facts and answers through simulators/kit, so that faults work the same everywhere.
 * A part that a connector does not have stays undefined; the table in docs/connectors.md then shows a dash.
 */
import type { Connector, ConnectorContext, RawRecord } from '../../connectors/kit/types.ts'
import type { FaultPlan } from '../../simulators/kit/faults.ts'

export interface Subject {
  /** The connector's name in connectors/registry.ts. */
  name: string
  /** A fresh stand-in, seeded; called anew for each check. */
  stage(): Promise<Stage>
}

export interface Stage {
  /** A configuration with which everything works, secrets included. `quota` is left to the suite. */
  config: Record<string, unknown>
  /** Values that must not be seen in any error, log, metric or Temporal history. */
  secrets: string[]
  /** Values of the seeded records that must not be seen there either: names, phones, addresses. */
  personalData: string[]
  /** The stand-in's faults; null when there is no HTTP side (folders). */
  faults: FaultPlan | null
  /** Changed keys with which `check` must say what is wrong, in words that match `says`. */
  bad: { name: string; config: Record<string, unknown>; says: RegExp }[]
  orders?: OrdersStage
  /** A call that reads, for connectors that pull no orders: its errors are thrown, not told in words as by `check`. */
  read?: ReadCase
  writes?: WriteCase[]
  webhook?: WebhookStage
  /** Makes the stand-in refuse the present access token until it is refreshed (or says 401 once, where nothing is refreshed). */
  expireToken?: { expire(): void; refreshes: boolean; timesRefreshed?(): number }
  /** Records that must map without an error, and what about them is checked. */
  lenient?: {
    /** A status that the connector does not know, and where it must still be seen in what it maps to. */
    unknownStatus?: { record: RawRecord; seen(mapped: unknown): boolean }
    /** Optional parts missing or masked. */
    masked?: RawRecord
    /** What cannot be mapped: Invalid with field and remedy. */
    malformed?: RawRecord
  }
  stop(): Promise<void>
}

export interface OrdersStage {
  /** More than two pages of them lie in `window`. */
  externalIds: string[]
  window: { from: Date; to: Date }
  /** Edits this order at the vendor, now: between two pages of a pull. @returns nothing; the order stays in or leaves the window as at the vendor. */
  edit(externalId: string): void
  /** A window that holds every edit made since. */
  windowAfterEdits(): { from: Date; to: Date }
}

export interface ReadCase {
  run(ctx: ConnectorContext, connector: Connector): Promise<unknown>
  /** Narrows the suite's faults to its request; `fields` as in FaultRule, for vendors with one path for all (GraphQL). */
  request: { path: string; method?: string; fields?: Record<string, string> }
}

export interface WriteCase {
  /**
   * Where the connector defines it: `writeTracking`, `cancelOrder`, `refund`, `stock.push`, `courier.book`, `courier.bookReturn`,
   * `courier.requestPickup`, `warehouse.sendWave`, `erp.writeSale`, `notify.send`, `tracker.register`. A second case of the same has more words: `courier.book FAMI`.
   */
  name: string
  /** Does it with the same key every time. A repeat is what the outbox would do after OutcomeUnknown: look up, then decide. */
  run(ctx: ConnectorContext, connector: Connector): Promise<unknown>
  /** Effects of it at the vendor: 1 after any number of runs. */
  effects(): number
  /** Narrows the suite's faults to the request that writes, e.g. {path: '/ship', method: 'POST'}; `fields` as in FaultRule. */
  request: { path: string; method?: string; fields?: Record<string, string> }
  /**
   * The vendor has neither a key of ours nor a look-up for it, and why: an unknown outcome is then not repeated, a person decides, and
   * after it the vendor has at most one effect.
   */
  leftToPerson?: string
  /** Where `faults` is null and yet an answer can be lost (SMTP): the next one does its work and never answers. */
  loseAnswer?(): void
}

export interface WebhookStage {
  /** A true one. */
  genuine(): { headers: Record<string, string>; rawBody: Buffer }
  /** How many records it holds. */
  records: number
  /** The header that carries the signature; the suite alters and removes it. Null when the body carries it: then `forge` is used. */
  signatureHeader: string | null
  forge?(): { headers: Record<string, string>; rawBody: Buffer }
  /** Keys to change so that the connection has no secret for webhooks; null where the secret cannot be absent. */
  withoutSecret: Record<string, unknown> | null
  /** A body in a wrong encoding (e.g. truncated JSON, form instead of JSON), signed properly where that is possible. */
  wrongEncoding?(): { headers: Record<string, string>; rawBody: Buffer }
}
