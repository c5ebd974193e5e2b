/** What customers are told. Kept whether or not anybody can be told: then with the reason. */
import type { Queryable } from './db.ts'
import type { Statement } from './owed.ts'

export interface NewNotice {
  /** The same notice twice is one. */
  key: string
  orderId: string
  /** A template of mappings/notices. */
  template: string
  data?: Record<string, unknown>
}
/** Who has no order: how they are reached, and the store it is about, whose clock counts. Personal data. */
export interface Contact {
  name: string | null
  phone: string | null
  email: string | null
  lineUserId: string | null
  location: string
}
export interface StoredNotice extends Required<Omit<NewNotice, 'orderId'>> {
  orderId: string | null
  /** Set where there is no order. */
  contact: Contact | null
  at: Date
  sentAt: Date | null
}

/** Where some connection tells customers, telling it is owed (activities/notices.ts); else it is kept as not sent. */
export const noticeStatement = (
  notice: NewNotice | (Omit<NewNotice, 'orderId'> & { orderId: null; contact: Contact }),
): Statement => ({
  name: 'notice',
  text: `with able as (select exists (select from connections where 'notify' = any(sides)) as is_able), kept as (
           insert into notices (key, order_id, template, data, contact, reason)
           select $1, $2, $3, $4, $5::jsonb, case when is_able then null else 'no connection tells customers' end from able
           on conflict (key) do nothing returning key)
         insert into outbox (key, participant, connection, kind, order_id, payload)
         select 'notice:' || key, 'customer', null, 'notice', $2, jsonb_build_object('notice', key) from kept, able where is_able
         on conflict (key) do nothing`,
  values: [notice.key, notice.orderId, notice.template, notice.data ?? {}, 'contact' in notice ? notice.contact : null],
})

export async function readNotice(db: Queryable, key: string): Promise<StoredNotice | null> {
  const rows = await db.query<StoredNotice>(
    `select key, order_id as "orderId", template, data, contact, at, sent_at as "sentAt" from notices where key = $1`,
    [key],
  )
  return rows.rows[0] ?? null
}

export async function noticeSent(db: Queryable, key: string, connection: string): Promise<void> {
  await db.query('update notices set sent_at = coalesce(sent_at, now()), connection = $2, reason = null where key = $1', [
    key,
    connection,
  ])
}

export async function noticeNotSent(db: Queryable, key: string, reason: string): Promise<void> {
  await db.query('update notices set reason = $2 where key = $1 and sent_at is null', [key, reason])
}
