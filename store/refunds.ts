/** Money that is asked back of an order: its rows of the outbox, whoever pays them. */
import type { ToldLine } from '../domain/order.ts'
import type { Queryable } from './db.ts'
import type { OwedRow } from './outbox.ts'

export interface RefundRow {
  id: number
  key: string
  state: 'due' | 'done' | 'dead' | 'skipped'
  amountMinor: number
  /** How much of what the channel paid back by itself this one takes into account. */
  thereMinor: number
  /** More was asked for than was left. */
  wantedMinor: number
  reason: string
  /** All that is left was asked for. */
  whole: boolean
  /** A person transfers it: the channel cannot. */
  byHand: boolean
  /** Whoever paid gave it this id. */
  document: string | null
}

export interface AskedBack {
  rows: RefundRow[]
  /** Of what is paid or is to be paid. */
  minor: number
  /** What the channel paid back by itself and some refund takes into account. */
  thereMinor: number
  /** Asking for these again changes nothing. */
  keys: ReadonlySet<string>
  /** How the channel names those that we pay through it. */
  names: ReadonlySet<string>
}

/** @param but a row that is not counted: it is to be judged. */
export async function askedBack(db: Queryable, orderId: string, but?: string): Promise<AskedBack> {
  const { rows } = await db.query<RefundRow>(
    `select id, key, state, (payload->>'amountMinor')::bigint as "amountMinor", document->>'id' as document,
       coalesce((payload->>'thereMinor')::bigint, 0) as "thereMinor", payload->>'reason' as reason,
       coalesce((payload->>'wantedMinor')::bigint, (payload->>'amountMinor')::bigint) as "wantedMinor",
       coalesce((payload->>'whole')::boolean, false) as whole, coalesce((payload->>'byHand')::boolean, false) as "byHand"
     from outbox where order_id = $1 and kind = 'refund' order by id`,
    [orderId],
  )
  const live = rows.filter(({ state }) => state !== 'skipped')
  return {
    rows,
    minor: live.reduce((sum, { key, amountMinor }) => sum + (key === but ? 0 : amountMinor), 0),
    thereMinor: rows.reduce((sum, { thereMinor }) => sum + thereMinor, 0),
    keys: new Set(rows.filter(({ state, thereMinor }) => state !== 'skipped' || thereMinor > 0).map(({ key }) => key)),
    names: new Set(live.flatMap(({ key, document }) => (document === null ? [key] : [key, document]))),
  }
}

export interface RefundPayload {
  amountMinor: number
  currency: string
  lines: ToldLine[]
  reason: string
  whole?: boolean
  byHand?: boolean
  thereMinor?: number
  wantedMinor?: number
}
export const refundPayload = ({ payload }: Pick<OwedRow, 'payload'>): RefundPayload => payload as unknown as RefundPayload

/** What the channel paid back by itself counts for this one from now on. */
export async function accountFor(db: Queryable, key: string, count: { thereMinor: number; amountMinor: number }): Promise<void> {
  await db.query(
    `update outbox set payload = payload || jsonb_build_object(
       'thereMinor', coalesce((payload->>'thereMinor')::bigint, 0) + $2::bigint, 'amountMinor', $3::bigint,
       'wantedMinor', coalesce((payload->>'wantedMinor')::bigint, (payload->>'amountMinor')::bigint))
     where key = $1`,
    [key, count.thereMinor, count.amountMinor],
  )
}
