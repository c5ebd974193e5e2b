/** News of parcels: webhooks (docs.easypost.com/docs/webhooks) and trackers, as records of the same shape and version. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { webhookJson } from '../kit/json.ts'
import { hmac, headerOf, verifySignature } from '../kit/signature.ts'
import type { ParcelReport, RawRecord } from '../kit/types.ts'
import type { EasypostConfig } from './config.ts'
import { Tracker } from './shipments.ts'
import { meaningOf } from './status.ts'

const PREFIX = 'hmac-sha256-hex='

/** EasyPost signs its own writing of the numbers: a whole weight is written N.0 there. */
const asSigned = (body: string): string => body.replace(/("weight":\s*)(\d+)(\s*)(?=,|\})/g, '$1$2.0')

export const signatureOf = (secret: string, body: string): string =>
  PREFIX + hmac('sha256', secret.normalize('NFKD'), asSigned(body), 'hex')

const Event = z.looseObject({ description: z.string(), result: z.unknown() })

/** @throws OmnisagaError Rejected, code `forged`; Invalid when a signed event cannot be read. */
export function readEvent(config: EasypostConfig, request: { headers: Record<string, string>; rawBody: Buffer }): RawRecord[] {
  const body = request.rawBody.toString('utf8')
  verifySignature({
    vendor: 'EasyPost',
    secret: config.webhookSecret,
    given: headerOf(request.headers, 'x-hmac-signature'),
    expected: (secret) => signatureOf(secret, body),
  })
  const malformed = (why: string) => new OmnisagaError('Invalid', `EasyPost event: ${why}`, { code: 'malformed' })
  const json = webhookJson(request.rawBody, 'EasyPost')
  const event = Event.safeParse(json)
  if (!event.success) throw malformed('not as documented')
  if (!event.data.description.startsWith('tracker.')) return []
  const tracker = Tracker.safeParse(event.data.result)
  if (!tracker.success) throw malformed(`tracker ${tracker.error.issues[0]?.path.join('.') ?? ''}`)
  return recordsOf(tracker.data)
}

/** One record for each step the tracker lists; the status now as one of its own when no step says so. */
export function recordsOf(tracker: z.infer<typeof Tracker>): RawRecord[] {
  const steps = (tracker.tracking_details ?? []).map(({ status, status_detail: detail, datetime, message }) => ({
    status,
    detail: detail ?? null,
    at: datetime ?? null,
    message: message ?? '',
  }))
  const now = { status: tracker.status, detail: tracker.status_detail ?? null, at: tracker.updated_at ?? null, message: '' }
  const told = steps.some(({ status }) => status === now.status) || now.status === 'unknown'
  return [...steps, ...(told ? [] : [now])].map(({ status, detail, at, message }) => ({
    kind: 'courierStatus' as const,
    externalId: tracker.id,
    version: `${status}/${detail ?? '-'}@${at ?? '-'}`,
    eventAt: at,
    payload: {
      shipmentId: tracker.shipment_id ?? null,
      trackingCode: tracker.tracking_code,
      carrier: tracker.carrier ?? null,
      status,
      statusDetail: detail,
      message,
    },
  }))
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Pure. */
export function mapReport(record: {
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
}): ParcelReport {
  const { payload, eventAt } = record
  const [status, detail] = [text(payload.status), text(payload.statusDetail) || null]
  if (!status || !eventAt || Number.isNaN(Date.parse(eventAt))) {
    throw new OmnisagaError('Invalid', `EasyPost tracker ${record.externalId} without ${status ? 'time' : 'status'}`, {
      code: 'malformed',
      remedy: 'Look the tracker up at EasyPost; the next report may be whole.',
    })
  }
  return {
    reference: null,
    courierBookingId: text(payload.shipmentId) || null,
    waybill: text(payload.trackingCode) || null,
    code: detail && detail !== 'unknown' ? `${status}/${detail}` : status,
    meaning: meaningOf(status, detail),
    detail: text(payload.message).slice(0, 200),
    eventAt,
  }
}
