/** The stock ledger's words. `available = on hand − safety − active holds − allotments kept for others`, judged at read time. */
import type { Pool, Queryable } from '../db.ts'

export interface ReserveLine {
  lineId: string
  sku: string
  location: string
  quantity: number
}

export interface ReserveRequest {
  /** Idempotency key: the same key gets the same answer for ever and holds nothing twice. */
  key: string
  orderId: string
  /** A line may name several locations, each once. */
  lines: ReserveLine[]
  mode: 'allOrNothing' | 'asMuchAsThereIs'
  /** Null: does not expire. */
  expiresAt: Date | null
  /** Whose order it is: its own allotments are sold first. Without one nothing that is allotted can be held. */
  channel?: string | null
  campaign?: string | null
}

export interface ReserveAnswer {
  /** Everything that was asked for is held. */
  complete: boolean
  /** In the order of the request. `available` is what could have been held for the line's SKU and location before this request. */
  lines: (ReserveLine & { held: number; available: number })[]
}

export interface StockLevel {
  sku: string
  location: string
  onHand: number
  safety: number
  held: number
  available: number
}

/**
 * Coalescing reserver: concurrent calls of one process share set-based statements, each with its own answer.
 * Runs in transactions of its own, never inside a caller's.
 */
export interface Reserver {
  /** @throws Invalid for a malformed request, Transient when the database or a lock could not be had (ask again with the same key). */
  reserve(request: ReserveRequest): Promise<ReserveAnswer>
  /** Waits for what is under way; afterwards `reserve` throws. */
  close(): Promise<void>
}
export interface ReserverOptions {
  /** Requests that share one transaction. @default 64 */
  maxBatch?: number
  /** Batches under way at once; they never share a stock row or a key. Each uses one connection of the pool. @default 4 */
  lanes?: number
}
export type CreateReserver = (pool: Pool, options?: ReserverOptions) => Reserver

/** A part of an order's holds; what is omitted is not narrowed. */
export interface HoldPart {
  lineId: string
  location?: string
  quantity?: number
}
export interface ConsumeLine {
  lineId: string
  location: string
  quantity: number
}
export interface ExpiredLine {
  lineId: string
  sku: string
  location: string
  quantity: number
}

/**
 * These run inside the caller's transaction, lock stock rows in key order (sku, location), and are idempotent.
 * `lines` omitted means every active hold of the order; a line's `quantity` omitted means all that is held of it.
 */
export interface LedgerOperations {
  /**
   * Gives holds back, those that are not kept aside first. With quantities the call needs a `key` to be idempotent: the same key
   * releases once.
   */
  release(db: Queryable, args: { key?: string; orderId: string; lines?: HoldPart[] }): Promise<{ released: number }>
  /** Goods physically set aside: the holds stop expiring. An expired hold is not revived. */
  keepAside(db: Queryable, args: { orderId: string; lines?: { lineId: string }[] }): Promise<void>
  /**
   * A new end for the order's holds: a date to prolong, null to make them last (a confirmed order). Never revives an expired hold and
   * leaves those that are kept aside alone. @returns the lines whose hold had expired and was not replaced by a later one.
   */
  prolong(db: Queryable, args: { orderId: string; expiresAt: Date | null }): Promise<{ expired: ExpiredLine[] }>
  /**
   * The goods leave: holds become consumed and on hand falls by one movement for each SKU and location, keyed
   * `<key>/<location>/<sku>`. What is no longer held (expired meanwhile) is taken from goods nobody else holds.
   * @throws Invalid when there are not enough of those, or the order never held the line there.
   */
  consume(
    db: Queryable,
    args: { key: string; orderId: string; lines: ConsumeLine[]; reason: string; reference: string },
  ): Promise<void>
  /** @returns false when the key was booked before. @throws Invalid when on hand would fall below zero or below the active holds. */
  move(
    db: Queryable,
    args: { key: string; sku: string; location: string; quantity: number; reason: string; reference?: string },
  ): Promise<boolean>
  /** Sets on hand to a counted number by a movement. @throws Invalid when that is below the active holds. */
  setOnHand(db: Queryable, args: { key: string; sku: string; location: string; onHand: number; reason: string }): Promise<void>
  setSafety(db: Queryable, args: { sku: string; location: string; safety: number }): Promise<void>
  /** By SKU and location; expired holds do not count, tidied or not. `available` is what this channel, campaign or order (its backorder claim) may hold. */
  levels(
    db: Queryable,
    filter?: {
      sku?: string
      location?: string
      skus?: string[]
      channel?: string | null
      campaign?: string | null
      orderId?: string | null
    },
  ): Promise<StockLevel[]>
  /** Tidies holds that expired; correctness never depends on it. @returns how many; `limit` (1,000) bounds one call. */
  sweep(pool: Pool, limit?: number): Promise<number>
}
