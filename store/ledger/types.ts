/** The stock ledger's words. `available = on hand − safety − active holds`, judged at read time. */
import type { Pool, Queryable } from '../db.ts'

export interface ReserveLine { lineId: string; sku: string; location: string; quantity: number }

export interface ReserveRequest {
  /** Idempotency key: the same key gets the same answer for ever and holds nothing twice. */
  key: string
  orderId: string
  lines: ReserveLine[]
  mode: 'allOrNothing' | 'asMuchAsThereIs'
  /** Null: does not expire. */
  expiresAt: Date | null
}

export interface ReserveAnswer {
  /** Everything that was asked for is held. */
  complete: boolean
  /** In the order of the request. `available` is what could have been held for the line's SKU and location before this request. */
  lines: (ReserveLine & { held: number; available: number })[]
}

export interface StockLevel { sku: string; location: string; onHand: number; safety: number; held: number; available: number }

/**
 * Coalescing reserver: concurrent calls of one process share set-based statements, each with its own answer.
 * Runs in transactions of its own, never inside a caller's.
 */
export interface Reserver {
  reserve(request: ReserveRequest): Promise<ReserveAnswer>
  /** Waits for what is under way; afterwards `reserve` throws. */
  close(): Promise<void>
}
export type CreateReserver = (pool: Pool, options?: { maxBatch?: number }) => Reserver

/**
 * These run inside the caller's transaction, lock stock rows in key order (sku, location), and are idempotent.
 * `lines` omitted means every active hold of the order; a line's `quantity` omitted means all that is held of it.
 */
export interface LedgerOperations {
  release(db: Queryable, args: { orderId: string; lines?: { lineId: string; location?: string; quantity?: number }[] }): Promise<{ released: number }>
  /** Goods physically set aside: the holds stop expiring. */
  keepAside(db: Queryable, args: { orderId: string; lines?: { lineId: string }[] }): Promise<void>
  /** Confirmed orders: holds stop expiring without being kept aside is not a thing; pass null to make them last, a date to prolong. Never revives an expired hold. @returns lines whose hold had expired. */
  prolong(db: Queryable, args: { orderId: string; expiresAt: Date | null }): Promise<{ expired: { lineId: string; sku: string; location: string; quantity: number }[] }>
  /** The goods leave: holds become consumed and on-hand falls by a movement with this key. */
  consume(db: Queryable, args: { key: string; orderId: string; lines: { lineId: string; location: string; quantity: number }[]; reason: string; reference: string }): Promise<void>
  /** @returns false when the key was booked before. @throws Invalid when on hand would fall below zero or below the active holds. */
  move(db: Queryable, args: { key: string; sku: string; location: string; quantity: number; reason: string; reference?: string }): Promise<boolean>
  /** Sets on hand to a counted number by a movement. */
  setOnHand(db: Queryable, args: { key: string; sku: string; location: string; onHand: number; reason: string }): Promise<void>
  setSafety(db: Queryable, args: { sku: string; location: string; safety: number }): Promise<void>
  levels(db: Queryable, filter?: { sku?: string; location?: string; skus?: string[] }): Promise<StockLevel[]>
  /** Tidies holds that expired; correctness never depends on it. */
  sweep(pool: Pool, limit?: number): Promise<number>
}
