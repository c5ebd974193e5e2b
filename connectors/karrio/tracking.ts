/** karrio's trackers: what a parcel's news is, asked for or told by webhook. Pure. */
import { z } from 'zod'
import { momentOf } from '../../domain/localTime.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import type { Call } from '../kit/call.ts'
import { readShape, webhookJson } from '../kit/json.ts'
import { headerOf, verifySignature } from '../kit/signature.ts'
import type { ParcelMeaning, ParcelReport, RawRecord } from '../kit/types.ts'
import type { KarrioConfig } from './config.ts'
import { request } from './shipments.ts'

/**
 * TrackerStatus of karrio 2026.1.32, all twelve, and `created`, which its first event says (seen live). A delay is still under way:
 * the carrier goes on by itself.
 */
export const TRACKER_STATUS: Record<string, ParcelMeaning> = {
  created: 'announced',
  pending: 'announced',
  picked_up: 'shipped',
  in_transit: 'inTransit',
  delivery_delayed: 'inTransit',
  out_for_delivery: 'outForDelivery',
  ready_for_pickup: 'arrivedAtPickup',
  delivered: 'delivered',
  delivery_failed: 'attemptFailed',
  return_to_sender: 'returning',
  on_hold: 'problem',
  cancelled: 'problem',
  unknown: 'unknown',
}
/** ShipmentStatus, where a carrier has no tracker and people keep it by hand in karrio; `draft`, `created` and `cancelled` are no news. */
export const SHIPMENT_STATUS: Record<string, ParcelMeaning> = {
  shipped: 'shipped',
  in_transit: 'inTransit',
  out_for_delivery: 'outForDelivery',
  delivered: 'delivered',
  delivery_failed: 'attemptFailed',
  needs_attention: 'problem',
}

const Event = z.object({
  date: z.string().nullish(),
  time: z.string().nullish(),
  timestamp: z.string().nullish(),
  status: z.string().nullish(),
  code: z.string().nullish(),
  description: z.string().nullish(),
})
const Tracker = z.object({
  id: z.string().nullish(),
  tracking_number: z.string().min(1),
  status: z.string(),
  shipment_id: z.string().nullish(),
  updated_at: z.string().nullish(),
  events: z.array(Event).nullish(),
})
type Tracker = z.infer<typeof Tracker>

/** `10:05 AM` or `10:05` @returns `HH:MM` */
function clockOf(time: string | null | undefined): string | null {
  const found = /^(\d{1,2}):(\d{2})(?::\d{2})?\s*(AM|PM)?$/i.exec(time?.trim() ?? '')
  if (!found) return null
  const half = found[3]?.toUpperCase()
  const hour = (Number(found[1]) % (half ? 12 : 24)) + (half === 'PM' ? 12 : 0)
  return `${String(hour).padStart(2, '0')}:${found[2]}`
}
/** When it happened, as far as it is told: by timestamp, else by the day and time of the place. */
function momentOfEvent({ timestamp, date, time }: z.infer<typeof Event>, zone: string): string | null {
  if (timestamp && !Number.isNaN(Date.parse(timestamp))) return new Date(timestamp).toISOString()
  if (!date || !/^\d{4}-\d{2}-\d{2}$/.test(date)) return null
  return momentOf(date, clockOf(time) ?? '00:00', zone).toISOString()
}

const meaningOf = (status: string | null | undefined): ParcelMeaning | undefined =>
  status && Object.hasOwn(TRACKER_STATUS, status) ? TRACKER_STATUS[status] : undefined

/**
 * One record for each event that says its status, and one for the parcel's own status where no event says it. Names, places and
 * pictures are left behind. An event without a time is told at the time of the tracker's change.
 */
function newsOf(tracker: Tracker, config: KarrioConfig, now: Date): RawRecord[] {
  const seenAt = new Date(tracker.updated_at ?? now).toISOString()
  const news = (tracker.events ?? []).map((event) => ({ ...event, at: momentOfEvent(event, config.timeZone) }))
  const latest = news.toSorted((a, b) => (b.at ?? '').localeCompare(a.at ?? ''))[0]
  const told = news.filter(({ status }) => status)
  const whole = told.some(
    ({ status }) => status === tracker.status || (meaningOf(status) ?? status) === meaningOf(tracker.status),
  )
    ? []
    : [
        {
          status: tracker.status,
          code: latest?.code ?? null,
          description: latest?.description ?? null,
          at: latest?.at ?? null,
        },
      ]
  return [...told, ...whole].map(({ status, code, description, at }) => ({
    kind: 'courierStatus',
    externalId: tracker.tracking_number,
    version: [status, code ?? '', at ?? ''].join('|'),
    eventAt: at ?? seenAt,
    payload: {
      waybill: tracker.tracking_number,
      courierBookingId: tracker.shipment_id ?? null,
      status,
      code: code ?? null,
      detail: description ?? null,
    },
  }))
}

export const trackersRequest = (config: KarrioConfig, waybill: string): Call =>
  request(config, 'GET', `/v1/trackers?${new URLSearchParams({ tracking_number: waybill, limit: '20' }).toString()}`)
/** @returns null: karrio does not follow this parcel */
export function parseTrackers(json: unknown, args: { waybill: string; config: KarrioConfig; now: Date }): RawRecord[] | null {
  const { results } = readShape(z.object({ results: z.array(Tracker) }), json, 'karrio trackers')
  const tracker = results.find((each) => each.tracking_number === args.waybill)
  return tracker ? newsOf(tracker, args.config, args.now) : null
}

/** What karrio's own status of a shipment says; it has no time, so it is news at `now`, once. */
export function newsOfShipment(shipment: { id: string; status: string }, waybill: string, now: Date): RawRecord[] {
  if (!Object.hasOwn(SHIPMENT_STATUS, shipment.status)) return []
  return [
    {
      kind: 'courierStatus',
      externalId: waybill,
      version: `shipment|${shipment.status}`,
      eventAt: now.toISOString(),
      payload: {
        waybill,
        courierBookingId: shipment.id,
        shipmentStatus: shipment.status,
        status: null,
        code: null,
        detail: null,
      },
    },
  ]
}

/**
 * karrio signs nothing: it sends the webhook's secret itself as `X-Event-Id` (events/task_definitions/base/webhook.py), so the
 * header proves who sent, not what. Events of other things than trackers are taken and hold no news.
 * @throws OmnisagaError Rejected, code `forged`; Invalid for a body that is no event.
 */
export function readWebhook(
  config: KarrioConfig,
  { headers, rawBody, now }: { headers: Record<string, string>; rawBody: Buffer; now: Date },
): RawRecord[] {
  verifySignature({
    vendor: 'karrio',
    secret: config.webhookSecret,
    given: headerOf(headers, 'x-event-id'),
    expected: (secret) => secret,
  })
  const json = webhookJson(rawBody, 'karrio')
  const { event, data } = readShape(z.object({ event: z.string(), data: z.unknown() }), json, 'karrio webhook')
  return event === 'tracker_created' || event === 'tracker_updated'
    ? newsOf(readShape(Tracker, data, 'karrio webhook'), config, now)
    : []
}

const Report = z.object({
  waybill: z.string().min(1),
  courierBookingId: z.string().nullish(),
  shipmentStatus: z.string().nullish(),
  status: z.string().nullish(),
  code: z.string().nullish(),
  detail: z.string().nullish(),
})
/** An unknown status stays `unknown` and is shown as it came. */
export function mapReport(record: { payload: Record<string, unknown>; eventAt: string | null }): ParcelReport {
  const report = readShape(Report, record.payload, 'karrio report')
  if (record.eventAt === null)
    throw new OmnisagaError('Invalid', 'karrio report: no time at eventAt', {
      code: 'event-at',
      remedy: 'Look the parcel up in karrio and decide by hand.',
    })
  const status = report.shipmentStatus ?? report.status ?? ''
  const table = report.shipmentStatus ? SHIPMENT_STATUS : TRACKER_STATUS
  return {
    reference: null,
    courierBookingId: report.courierBookingId ?? null,
    waybill: report.waybill,
    code: status,
    meaning: Object.hasOwn(table, status) ? (table[status] ?? 'unknown') : 'unknown',
    detail: [report.code, report.detail].filter(Boolean).join(' '),
    eventAt: record.eventAt,
  }
}
