/** What AfterShip says of a parcel, by webhook and by asking alike: one shape (SDK 17.0.0, src/model/Tracking.ts, Checkpoint.ts, Tag.ts). */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { ParcelMeaning, ParcelReport, RawRecord } from '../kit/types.ts'
import type { AftershipConfig } from './config.ts'

const Named = z.looseObject({ tracking_number: z.string().min(1) })
const Tracking = z.looseObject({
  slug: z.string().nullish(),
  order_id: z.string().nullish(),
  tag: z.string().nullish(),
  subtag: z.string().nullish(),
  subtag_message: z.string().nullish(),
  return_to_sender: z.boolean().nullish(),
  created_at: z.string().nullish(),
  updated_at: z.string().nullish(),
  checkpoints: z.array(z.looseObject({ tag: z.string().nullish(), checkpoint_time: z.string().nullish() })).nullish(),
})

/** ISO 8601 with offset; null for what is no time. A carrier's time may have no zone. */
function timeOf(text: string | null | undefined, utcOffset: string): string | null {
  if (!text) return null
  const whole = /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text}${utcOffset}`
  return Number.isNaN(Date.parse(whole)) ? null : whole
}

/**
 * Its status now, since the last checkpoint that says so (or since the tracking was changed). Null while it waits for its first news.
 * Only what is used is kept: names, addresses and who signed are left behind.
 */
export function newsOf(json: unknown, { utcOffset }: Pick<AftershipConfig, 'utcOffset'>): RawRecord | null {
  const { tracking_number: externalId } = readShape(Named, json, 'AfterShip tracking')
  const { data: tracking } = Tracking.safeParse(json)
  // One that is not as documented holds up none of its page: mapReport refuses it, with a task.
  if (!tracking) return { kind: 'courierStatus', externalId, version: 'malformed', eventAt: null, payload: {} }
  if (tracking.tag === 'Pending') return null
  const times = (tracking.checkpoints ?? []).map(({ tag, checkpoint_time }) => ({ tag, at: timeOf(checkpoint_time, utcOffset) }))
  const latest = (of: typeof times) =>
    of.reduce<string | null>((last, { at }) => (at && (!last || Date.parse(at) >= Date.parse(last)) ? at : last), null)
  const since = latest(times.filter(({ tag }) => tag === tracking.tag))
  return {
    kind: 'courierStatus',
    externalId,
    // Not `updated_at`: it moves without news, and the same news by webhook and by asking is one.
    version: [tracking.slug, tracking.subtag || tracking.tag, since ?? latest(times)].map((part) => part || '-').join('@'),
    eventAt: since ?? timeOf(tracking.updated_at, utcOffset) ?? timeOf(tracking.created_at, utcOffset),
    payload: {
      slug: tracking.slug ?? null,
      orderId: tracking.order_id ?? null,
      tag: tracking.tag ?? null,
      subtag: tracking.subtag || null,
      message: tracking.subtag_message ?? '',
      returnToSender: tracking.return_to_sender ?? false,
    },
  }
}

const MEANINGS: Readonly<Record<string, ParcelMeaning>> = {
  InfoReceived: 'announced',
  InTransit: 'inTransit',
  OutForDelivery: 'outForDelivery',
  AttemptFail: 'attemptFailed',
  AvailableForPickup: 'arrivedAtPickup',
  Delivered: 'delivered',
  Exception: 'problem',
  Expired: 'problem', // no news for long: a person looks
  // The two sub-statuses that the SDK explains; every other means what its tag means.
  Exception_010: 'returning',
  Exception_011: 'returned',
}
const BACK: Readonly<Record<string, ParcelMeaning>> = {
  InTransit: 'returning',
  OutForDelivery: 'returning',
  AttemptFail: 'returning',
  AvailableForPickup: 'returning',
  Delivered: 'problem', // to the sender or, after all, to the customer: a person looks
}
/** @param returnToSender one of its checkpoints said that it goes back: what comes later is about the way back. */
export function meaningOf(tag: string, subtag: string | null, returnToSender: boolean): ParcelMeaning {
  const back = returnToSender ? BACK[tag] : undefined
  return back ?? MEANINGS[subtag ?? ''] ?? MEANINGS[tag] ?? 'unknown'
}

const Payload = z.object({
  orderId: z.string().nullable().default(null),
  tag: z.string().min(1),
  subtag: z.string().nullable().default(null),
  message: z.string().default(''),
  returnToSender: z.boolean().default(false),
})
/** @throws OmnisagaError Invalid for a report without status or time. */
export function mapReport(record: {
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
}): ParcelReport {
  const { data } = Payload.safeParse(record.payload)
  if (!data || !record.eventAt)
    throw new OmnisagaError('Invalid', `AfterShip report of ${record.externalId} without ${data ? 'time' : 'status'}`, {
      code: 'malformed',
      remedy: 'Look the parcel up at AfterShip; the next report may be whole.',
    })
  return {
    reference: data.orderId || null,
    courierBookingId: null,
    waybill: record.externalId,
    code: data.subtag ?? data.tag,
    meaning: meaningOf(data.tag, data.subtag, data.returnToSender),
    detail: data.message.slice(0, 200),
    eventAt: record.eventAt,
  }
}
