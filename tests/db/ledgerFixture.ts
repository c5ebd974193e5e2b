/** A shop with two locations for the ledger's tests. */
import { transaction, type Pool } from '../../store/db.ts'
import { move } from '../../store/ledger/operations.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ReserveAnswer, ReserveLine, Reserver, ReserveRequest } from '../../store/ledger/types.ts'

let serial = 0
export const nextKey = (): string => `k${++serial}`

export async function addLocations(pool: Pool): Promise<void> {
  await pool.query(`insert into locations (id, name, kind) values ('W1', 'Warehouse', 'warehouse'), ('S1', 'Store', 'store')`)
}

export const stockUp = (pool: Pool, sku: string, quantity: number, location = 'W1') =>
  transaction(pool, (tx) => move(tx, { key: `in-${nextKey()}`, sku, location, quantity, reason: 'received' }))

export const line = (sku: string, quantity: number, lineId = '1', location = 'W1'): ReserveLine => ({
  lineId,
  sku,
  location,
  quantity,
})

export const request = (lines: ReserveLine[], more: Partial<ReserveRequest> = {}): ReserveRequest => {
  const key = nextKey()
  return { key, orderId: `o-${key}`, lines, mode: 'allOrNothing', expiresAt: null, ...more }
}

/** As callers do: what could not be had in time on a busy machine is asked for again, with the same key. */
export async function insist(reserver: Reserver, asked: ReserveRequest, times = 5): Promise<ReserveAnswer> {
  try {
    return await reserver.reserve(asked)
  } catch (error) {
    if (times === 0 || !(error instanceof OmnisagaError) || error.kind !== 'Transient') throw error
    return await insist(reserver, asked, times - 1)
  }
}

/** What must be true of the ledger at any time, told by the tables alone. */
export async function ledgerFaults(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ fault: string }>(
    `select sku || ' at ' || location || ': on hand ' || on_hand || ', moved ' || moved || ', held ' || held || ', holds ' || holds as fault
     from stock s
     cross join lateral (select coalesce(sum(quantity), 0) as moved from movements m where m.sku = s.sku and m.location = s.location) m
     cross join lateral (
       select coalesce(sum(quantity), 0) as holds from holds h where h.sku = s.sku and h.location = s.location and h.state = 'active') h
     where on_hand <> moved or held <> holds or held > on_hand or on_hand < 0 or held < 0`,
  )
  const allotted = await pool.query<{ fault: string }>(
    `select 'allotment ' || a.id || ': used ' || a.used || ', holds ' || h.quantity || ', row marked ' || s.allotted as fault
     from allotments a join stock s on s.sku = a.sku and s.location = a.location cross join lateral (
       select coalesce(sum(quantity), 0) as quantity from holds h where h.allotment_id = a.id and h.state in ('active', 'consumed')) h
     where a.used <> h.quantity or (a.closed_at is null and not s.allotted)`,
  )
  return [...rows, ...allotted.rows].map((row) => row.fault)
}
