/** Notices to customers: through the first connection that reaches them, once, and not while they sleep. */
import type { Connector, ConnectorContext, Notice } from '../connectors/kit/types.ts'
import { OmnisagaError } from '../domain/errors.ts'
import { quietForMs } from '../domain/quietHours.ts'
import { amountText, languageFor, noticeText, timeText } from '../mappings/notices/index.ts'
import { noticeNotSent, noticeSent, readNotice, type Contact, type StoredNotice } from '../store/notices.ts'
import { readOrder, type OrderRecord } from '../store/orderRecord.ts'
import type { OwedRow } from '../store/outbox.ts'
import { chooseUntil, linkToMap } from './order/closedStore.ts'
import type { Runtime } from './runtime.ts'
import type { Telling } from './teller.ts'

/** By the configured `priority`, lower first; then by name. */
const CONNECTIONS = `
  select c.name, c.paused or s.stopped_reason is not null as "isOff" from connections c left join connection_state s on s.connection = c.name
  where 'notify' = any(c.sides) and (jsonb_typeof(c.config->'channels') is distinct from 'array' or c.config->'channels' ? $1)
  order by coalesce((c.config->>'priority')::numeric, 100), c.name`

export async function sendNotice(runtime: Runtime, fact: OwedRow): Promise<Telling> {
  const notice = await readNotice(runtime.pool, String(fact.payload.notice))
  if (notice === null || notice.sentAt !== null) return { told: null }
  const { orderId, contact } = notice
  const record = orderId === null ? null : await readOrder(runtime.pool, orderId)
  if (record?.doc.buyer.optOut === true) return await notSent(runtime, notice, 'the customer does not want notices')
  const place = await placeOf(
    runtime,
    record?.doc.delivery.location ?? record?.units.at(-1)?.location ?? contact?.location ?? null,
  )
  const quietMs = quietForMs(new Date(), (await runtime.policy()).quietHours, place.zone)
  if (quietMs > 0) return { later: 'quiet hours', delayMs: quietMs }

  const to = record === null ? nobodyElse(contact) : whoOf(record)
  const rows = await runtime.pool.query<{ name: string; isOff: boolean }>(CONNECTIONS, [record?.doc.channel ?? null])
  const refusals: string[] = []
  let isAnyOff = false
  for (const { name, isOff } of startingWith(fact.connection, rows.rows)) {
    const { connector, context } = await runtime.connection(name, { evenIfStopped: true })
    if (!connector.notify?.reaches(context.connection.config, to)) continue
    // Waiting costs less than writing twice; another way is taken when this one says no.
    if (isOff) {
      isAnyOff = true
      continue
    }
    await runtime.pool.query('update outbox set connection = $2 where id = $1', [fact.id, name])
    fact.connection = name
    const refusal = await sendBy(connector, context, { ...(await textOf(runtime, record, notice, place)), key: notice.key, to })
    if (refusal === null) {
      await noticeSent(runtime.pool, notice.key, name)
      return { told: null }
    }
    refusals.push(`${name}: ${refusal}`)
  }
  if (isAnyOff) return { later: 'the connection that reaches the customer is paused or stopped', delayMs: 60_000 }
  return await notSent(runtime, notice, refusals.join('; ') || 'no connection reaches this customer')
}

/** What was begun with one connection goes on with it, or the customer would hear it twice. */
const startingWith = <T extends { name: string }>(first: string | null, all: T[]): T[] => [
  ...all.filter(({ name }) => name === first),
  ...all.filter(({ name }) => name !== first),
]

async function notSent(runtime: Runtime, notice: StoredNotice, reason: string): Promise<Telling> {
  await noticeNotSent(runtime.pool, notice.key, reason)
  return { skipped: reason }
}

/** @returns null when it was sent, else the vendor's no. @throws everything that may pass, or that stops the connection. */
async function sendBy(connector: Connector, context: ConnectorContext, notice: Notice): Promise<string | null> {
  try {
    await connector.notify?.send(context, notice)
    return null
  } catch (error) {
    if (error instanceof OmnisagaError && (error.kind === 'Rejected' || error.kind === 'Invalid')) return error.message
    throw error
  }
}

const whoOf = ({ doc: { buyer, recipient } }: OrderRecord): Notice['to'] => ({
  email: buyer.email,
  lineUserId: buyer.lineUserId ?? null,
  phone: buyer.phone ?? recipient.phone,
  name: buyer.name ?? recipient.name,
})

const nobodyElse = (contact: Contact | null): Notice['to'] => ({
  email: contact?.email ?? null,
  lineUserId: contact?.lineUserId ?? null,
  phone: contact?.phone ?? null,
  name: contact?.name ?? null,
})

interface Place {
  zone: string
  name: string | null
}

/** The store where the customer comes, else the place from which the goods leave: its clock counts. */
async function placeOf(runtime: Runtime, id: string | null): Promise<Place> {
  const rows = await runtime.pool.query<Place>('select zone, name from locations where id = $1', [id])
  return rows.rows[0] ?? { zone: 'Asia/Taipei', name: null }
}

async function textOf(
  runtime: Runtime,
  record: OrderRecord | null,
  { template, data, contact }: StoredNotice,
  place: Place,
): Promise<Pick<Notice, 'template' | 'subject' | 'text'>> {
  const doc = record?.doc ?? null
  const parcel = record?.parcels.find(({ id }) => id === data.parcelId)
  const due = template === 'arrivedAtPickup' ? (parcel?.amountDueMinor ?? 0) : (doc?.payment.amountDueMinor ?? 0)
  const amountMinor = typeof data.amountMinor === 'number' ? data.amountMinor : due
  const location = typeof data.location === 'string' ? data.location : null
  const named = await runtime.pool.query<{ name: string }>('select name from locations where id = $1', [location])
  const storeClosed = template === 'storeClosed' ? record : null
  const until =
    storeClosed !== null ? await chooseUntil(runtime, storeClosed) : typeof data.until === 'string' ? data.until : null
  const country = doc?.recipient.address?.country ?? null
  const words = noticeText(template, languageFor(country), {
    order: doc?.externalId ?? null,
    customer: doc?.buyer.name ?? doc?.recipient.name ?? contact?.name ?? null,
    amount: amountMinor > 0 ? amountText(amountMinor, doc?.payment.currency ?? 'TWD') : null,
    location: named.rows[0]?.name ?? location,
    until: until === null ? null : timeText(until, place.zone),
    link: storeClosed === null ? null : await linkToMap(runtime, storeClosed),
    waybill: parcel?.waybill ?? (typeof data.waybill === 'string' ? data.waybill : null),
    courier: parcel?.service ?? null,
    voucher: typeof data.voucher === 'string' ? data.voucher : null,
  })
  return { template, ...words }
}
