/** karrio's shipments (API 2026.1, /v1/shipments): requests and what the answers mean. Pure. */
import { z } from 'zod'
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { urlOf, type Call, type Told } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import type { Booking, Document, ParcelRequest } from '../kit/types.ts'
import type { KarrioConfig } from './config.ts'

export function request(config: KarrioConfig, method: Call['method'], path: string, more: Partial<Call> = {}): Call {
  return {
    method,
    url: urlOf(config.baseUrl, path),
    what: `karrio ${method} ${path.replace(/\?.*/, '').replace(/\/(shp|trk)_\w+/, '/…')}`,
    headers: { authorization: `Token ${config.apiKey}`, accept: 'application/json' },
    ...(method === 'GET' ? {} : { write: true }),
    ...more,
  }
}

const Problem = z.object({ code: z.string().nullish(), message: z.unknown() })
const Problems = z.object({ errors: z.array(Problem).nullish(), messages: z.array(Problem).nullish() })
/** What carriers and validators quote may be a name or an address. */
const withoutValues = (message: unknown) => (typeof message === 'string' ? message : '').replace(/(["']).*?\1/g, '…')
/** `errors` are karrio's own, `messages` the carrier's. */
export const told: Told = (json) => {
  const problems = Problems.safeParse(json)
  const all = problems.success ? [...(problems.data.errors ?? []), ...(problems.data.messages ?? [])] : []
  const message = all
    .map((each) => withoutValues(each.message))
    .filter(Boolean)
    .join('; ')
  return { ...(all[0]?.code ? { code: all[0].code } : {}), ...(message ? { message } : {}) }
}

const Rate = z.object({ id: z.string(), carrier_id: z.string(), service: z.string().nullish() })
const Shipment = z.object({
  id: z.string(),
  status: z.string(),
  reference: z.string().nullish(),
  tracking_number: z.string().nullish(),
  carrier_name: z.string().nullish(),
  carrier_id: z.string().nullish(),
  rates: z.array(Rate).nullish(),
  messages: z.array(Problem).nullish(),
  options: z.record(z.string(), z.unknown()).nullish(),
})
export type Shipment = z.infer<typeof Shipment>
export const parseShipment = (json: unknown): Shipment => readShape(Shipment, json, 'karrio shipment')

const missing = (field: string) =>
  new OmnisagaError('Invalid', `karrio needs the ${field} of the recipient`, {
    code: `missing-${field}`,
    remedy: `Enter the ${field} and book again.`,
  })

/** The service that a parcel names. @throws Misconfigured, code `no-service`. */
export function serviceOf(config: KarrioConfig, name: string): { carrierId: string; service: string } {
  const service = Object.hasOwn(config.services, name) ? config.services[name] : undefined
  if (service) return service
  throw new OmnisagaError('Misconfigured', `karrio: the connection has no service ${name}`, {
    code: 'no-service',
    remedy: `Add it to services, or choose one of ${Object.keys(config.services).join(', ')}.`,
  })
}

/** karrio has one currency a shipment: a value in another one is not insured. */
const insures = (config: KarrioConfig, { currency }: { currency: string }): boolean =>
  config.insurance && currency === config.currency

/** A draft under our reference: nothing is bought yet. @throws Rejected, Invalid, Misconfigured before anything is sent */
export function draftRequest(config: KarrioConfig, parcel: ParcelRequest): Call {
  const { carrierId, service } = serviceOf(config, parcel.service)
  const { sender, recipient } = parcel
  if (parcel.amountDueMinor > 0 && !config.cashOnDelivery)
    throw new OmnisagaError('Rejected', 'karrio: this connection collects no cash', {
      code: 'no-cod',
      remedy: 'Book with another courier, or set cashOnDelivery if the carrier collects.',
    })
  if (parcel.temperature !== 'ambient')
    throw new OmnisagaError('Rejected', `karrio: no carrier option for ${parcel.temperature} goods`, {
      code: 'temperature',
      remedy: 'Book with another courier.',
    })
  if (!recipient.address) throw missing('address')
  const body = {
    reference: parcel.reference,
    carrier_ids: [carrierId],
    services: [service],
    shipper: {
      person_name: sender.name,
      phone_number: sender.phone,
      postal_code: sender.postalCode,
      address_line1: sender.address,
      country_code: config.countryCode,
    },
    recipient: {
      person_name: recipient.name,
      phone_number: recipient.phone,
      postal_code: recipient.postalCode,
      city: recipient.city,
      address_line1: [recipient.district, recipient.address].filter(Boolean).join(''),
      country_code: config.countryCode,
    },
    parcels: [
      {
        weight: (parcel.weightGrams ?? config.defaultWeightGrams) / 1000,
        weight_unit: 'KG',
        description: parcel.goodsName,
        reference_number: parcel.reference,
      },
    ],
    options: {
      currency: config.currency,
      ...(parcel.amountDueMinor > 0 ? { cash_on_delivery: parcel.amountDueMinor / MINOR_PER_MAJOR } : {}),
      ...(parcel.insured != null && insures(config, parcel.insured)
        ? { insurance: parcel.insured.valueMinor / MINOR_PER_MAJOR }
        : {}),
    },
    label_type: config.labelType,
    metadata: { reference: parcel.reference },
  }
  return request(config, 'POST', '/v1/shipments', { body })
}

/** The rate of exactly our service: karrio also offers others of the carrier. @throws Rejected, code `no-rate`, with the carrier's words */
export function rateOf(config: KarrioConfig, parcel: ParcelRequest, draft: Shipment): string {
  const { carrierId, service } = serviceOf(config, parcel.service)
  const rate = draft.rates?.find((each) => each.carrier_id === carrierId && each.service === service)
  if (rate) return rate.id
  const words = told({ messages: draft.messages ?? [] }).message
  throw new OmnisagaError('Rejected', `karrio: ${carrierId} offers no ${service}${words ? `: ${words}` : ''}`.slice(0, 300), {
    code: 'no-rate',
    remedy: 'Book with another service, or correct the address or the carrier connection in karrio.',
  })
}

/** Buys the label. The row exists by now, so a lost answer can be looked up. */
export const purchaseRequest = (config: KarrioConfig, draft: Shipment, rateId: string): Call =>
  request(config, 'POST', `/v1/shipments/${draft.id}/purchase`, {
    body: { selected_rate_id: rateId, label_type: config.labelType },
    timeoutMs: 60_000,
  })

/** Finds by a part of the reference; parseFound keeps what is exactly ours. */
export const findRequest = (config: KarrioConfig, reference: string): Call =>
  request(config, 'GET', `/v1/shipments?${new URLSearchParams({ reference, limit: '100' }).toString()}`)
/** @returns booked ones first, drafts last, cancelled ones not at all */
export function parseFound(json: unknown, reference: string): Shipment[] {
  const { results } = readShape(z.object({ results: z.array(Shipment) }), json, 'karrio shipments')
  return results
    .filter((each) => each.reference === reference && each.status !== 'cancelled')
    .toSorted((a, b) => Number(isDraft(a)) - Number(isDraft(b)))
}
export const isDraft = (shipment: Shipment): boolean => shipment.status === 'draft'

export function bookingOf(shipment: Shipment, parcel: ParcelRequest): Booking {
  const collected = Number(shipment.options?.cash_on_delivery ?? 0)
  const insured = Number(shipment.options?.insurance ?? 0)
  return {
    waybill: shipment.tracking_number ?? null,
    courierBookingId: shipment.id,
    labelAmountMinor: Math.round(collected * MINOR_PER_MAJOR),
    insuredMinor: insured > 0 ? Math.round(insured * MINOR_PER_MAJOR) : null,
    label: { service: parcel.service, carrier: shipment.carrier_name ?? null, carrierId: shipment.carrier_id ?? null },
  }
}

export const cancelRequest = (config: KarrioConfig, id: string): Call =>
  request(config, 'POST', `/v1/shipments/${encodeURIComponent(id)}/cancel`)

/** Reads the label that was bought with the shipment; buys nothing. */
export const labelRequest = (config: KarrioConfig, id: string): Call =>
  request(config, 'POST', `/v1/shipments/${encodeURIComponent(id)}/documents/label`, { write: false, body: {} })
const CONTENT_TYPES: Record<string, string> = { PDF: 'application/pdf', ZPL: 'application/zpl', PNG: 'image/png' }
export function parseLabel(json: unknown): Document {
  const { format, base64 } = readShape(
    z.object({ format: z.string().nullish(), base64: z.string().min(1) }),
    json,
    'karrio label',
  )
  const type = (format ?? 'PDF').toUpperCase()
  return { contentType: CONTENT_TYPES[type] ?? 'application/octet-stream', bytes: Buffer.from(base64, 'base64') }
}
/** ZPL labels follow one another; pages of other forms cannot be joined here. @throws Rejected, code `one-label` */
export function joinLabels(labels: Document[]): Document {
  const [first] = labels
  if (!first) throw new OmnisagaError('Invalid', 'no parcel to print a label for', { code: 'no-parcels' })
  if (labels.length === 1) return first
  if (labels.every(({ contentType }) => contentType === CONTENT_TYPES.ZPL))
    return { contentType: first.contentType, bytes: Buffer.concat(labels.map(({ bytes }) => bytes)) }
  throw new OmnisagaError('Rejected', 'karrio gives one label a parcel, they cannot be put on one sheet', {
    code: 'one-label',
    remedy: 'Print the labels one by one.',
  })
}
