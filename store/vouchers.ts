/** Pickup vouchers: a code for what waits at a store, shown by the customer, good once. */
import { randomInt } from 'node:crypto'
import type { Queryable } from './db.ts'

export interface Voucher {
  code: string
  unitId: string
  orderId: string
  location: string
  /** ISO 8601. */
  expiresAt: string
  usedAt: string | null
  expiredAt: string | null
}

const TIME = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
const COLUMNS = `code, unit_id as "unitId", order_id as "orderId", location, ${TIME('expires_at')} as "expiresAt",
  ${TIME('used_at')} as "usedAt", ${TIME('expired_at')} as "expiredAt"`
/** Without letters and digits that are taken for one another. */
const ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'
const mint = () => `P${Array.from({ length: 11 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')}`

/** A unit has one voucher for good. */
export async function voucherFor(
  db: Queryable,
  unit: { unitId: string; orderId: string; location: string; expiresAt: Date },
): Promise<Voucher> {
  const made = await db.query<Voucher>(
    `insert into vouchers (code, unit_id, order_id, location, expires_at) values ($1, $2, $3, $4, $5)
     on conflict (unit_id) do update set unit_id = excluded.unit_id returning ${COLUMNS}`,
    [mint(), unit.unitId, unit.orderId, unit.location, unit.expiresAt],
  )
  return made.rows[0] as Voucher
}

/** As people type it: upper and lower case and spaces do not matter. */
export async function findVoucher(db: Queryable, code: string): Promise<Voucher | null> {
  const { rows } = await db.query<Voucher>(`select ${COLUMNS} from vouchers where code = $1`, [
    code.replaceAll(/[\s-]/g, '').toUpperCase(),
  ])
  return rows[0] ?? null
}

export async function vouchersOf(db: Queryable, orderId: string): Promise<Voucher[]> {
  return (await db.query<Voucher>(`select ${COLUMNS} from vouchers where order_id = $1 order by made_at, code`, [orderId])).rows
}

export async function useVoucher(db: Queryable, unitId: string, who: string): Promise<void> {
  await db.query('update vouchers set used_at = now(), used_by = $2 where unit_id = $1 and used_at is null', [unitId, who])
}
