/** What a customer agreed to, by what sign, who took it down. Append-only. */
import { OmnisagaError } from '../domain/errors.ts'
import type { Queryable } from './db.ts'
import type { OrderRecord } from './orderRecord.ts'

export interface Evidence {
  /** `signature`: a reference to where it is kept. `code`: what the customer was sent and said. */
  kind: 'signature' | 'code'
  reference: string
  person: string
  /** ISO 8601. */
  at: string
}
export interface KeptEvidence extends Evidence {
  id: string
  /** Who took it down. */
  by: string
  /** The lines and amounts that were agreed to. */
  seen: unknown
}

/** Clocks of tablets go wrong by minutes. */
const CLOCK_TOLERANCE_MS = 3_600_000

/** @param id of the command that brings it: brought twice it is kept once. @throws Invalid: it says who or when in no way that proves anything. */
export async function keepEvidence(
  db: Queryable,
  record: OrderRecord,
  { id, by, kind, reference, person, at }: Omit<KeptEvidence, 'seen'>,
): Promise<void> {
  const wrong = (what: string, remedy: string) => new OmnisagaError('Invalid', what, { code: 'evidence', remedy })
  if (person.trim() === '' || reference.trim() === '')
    throw wrong('the evidence does not say who agreed, or where it is kept', 'Send person and reference.')
  const agreedAt = Date.parse(at)
  if (Number.isNaN(agreedAt)) throw wrong(`${at} is no time`, 'Send `at` as ISO 8601 with offset.')
  if (agreedAt > Date.now() + CLOCK_TOLERANCE_MS)
    throw wrong(
      `the evidence is of ${at}, which is to come`,
      "Send the time at which the customer agreed; set the tablet's clock.",
    )
  const { payment, totals, delivery } = record.doc
  const seen = {
    lines: record.lines.flatMap(({ lineId, sku, ordered, cancelled, unitPriceMinor }) =>
      ordered > cancelled ? [{ lineId, sku, quantity: ordered - cancelled, unitPriceMinor }] : [],
    ),
    totals,
    amountDueMinor: payment.amountDueMinor,
    currency: payment.currency,
    delivery: { method: delivery.method, location: delivery.location },
  }
  await db.query(
    `insert into evidence (id, order_id, kind, reference, person, agreed_at, by, seen) values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (id) do nothing`,
    [id, record.id, kind, reference, person, at, by, JSON.stringify(seen)],
  )
}

export async function evidenceOf(db: Queryable, orderId: string): Promise<KeptEvidence[]> {
  const { rows } = await db.query<KeptEvidence>(
    `select id, kind, reference, person, to_char(agreed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at, by, seen
     from evidence where order_id = $1 order by kept_at, id`,
    [orderId],
  )
  return rows
}
