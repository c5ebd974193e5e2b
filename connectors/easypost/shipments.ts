/**
 * Shipments (docs.easypost.com/docs/shipments): made, then bought. Our reference is the shipment's `reference`, by which it can be asked
 * for; EasyPost does not keep it unique, so that a shipment which is there is bought and not made anew.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { MINOR_PER_MAJOR } from '../../domain/money.ts'
import { readShape } from '../kit/json.ts'
import type { Booking, ParcelRequest } from '../kit/types.ts'
import type { EasypostConfig } from './config.ts'

const GRAMS_PER_OUNCE = 28.349_523_125

const Rate = z.looseObject({
  id: z.string(),
  carrier: z.string(),
  service: z.string(),
  rate: z.string(),
  currency: z.string().nullish(),
})
const Detail = z.looseObject({
  status: z.string(),
  status_detail: z.string().nullish(),
  datetime: z.string().nullish(),
  message: z.string().nullish(),
})
export const Tracker = z.looseObject({
  id: z.string(),
  tracking_code: z.string(),
  status: z.string(),
  status_detail: z.string().nullish(),
  updated_at: z.string().nullish(),
  shipment_id: z.string().nullish(),
  carrier: z.string().nullish(),
  tracking_details: z.array(Detail).nullish(),
})
export const Shipment = z.looseObject({
  id: z.string(),
  reference: z.string().nullish(),
  tracking_code: z.string().nullish(),
  rates: z.array(Rate).nullish(),
  messages: z.array(z.looseObject({ carrier: z.string().nullish(), message: z.unknown() })).nullish(),
  selected_rate: Rate.nullish(),
  postage_label: z.looseObject({ label_url: z.string().nullish(), label_pdf_url: z.string().nullish() }).nullish(),
  refund_status: z.string().nullish(),
  insurance: z.string().nullish(),
  tracker: Tracker.nullish(),
  scan_form: z.looseObject({ id: z.string(), form_url: z.string().nullish() }).nullish(),
})
export type Shipment = z.infer<typeof Shipment>

export const shipmentOf = (json: unknown): Shipment => readShape(Shipment, json, 'EasyPost shipment')

const invalid = (field: string, what: string, remedy: string) =>
  new OmnisagaError('Invalid', `${field}: ${what}`, { code: field, remedy })

/** @throws OmnisagaError Invalid, its code the field. */
export function createRequest(config: EasypostConfig, parcel: ParcelRequest): Record<string, unknown> {
  const { recipient } = parcel
  if (parcel.amountDueMinor > 0)
    throw invalid('amountDueMinor', 'EasyPost collects no cash', 'Let the customer pay before, or send it by another courier.')
  if (parcel.weightGrams === null || parcel.weightGrams <= 0)
    throw invalid('parcel.weight', 'carriers need the weight', 'Give the products their weight.')
  const street1 = [recipient.district, recipient.address].filter(Boolean).join(' ')
  if (!street1 || !recipient.city)
    throw invalid('to_address', 'the address is not complete', 'Complete the address: street and city.')
  const country = recipient.country ?? config.defaultCountry
  const ounces = Math.ceil((parcel.weightGrams / GRAMS_PER_OUNCE) * 10) / 10
  const to = {
    name: recipient.name,
    phone: recipient.phone,
    street1,
    city: recipient.city,
    ...(recipient.province ? { state: recipient.province } : {}),
    ...(recipient.postalCode ? { zip: recipient.postalCode } : {}),
    country,
  }
  return {
    shipment: {
      reference: parcel.reference,
      from_address: config.from,
      to_address: to,
      parcel: { weight: ounces },
      options: { label_format: config.labelFormat, print_custom_1: parcel.reference },
      ...(country === config.from.country ? {} : { customs_info: customsOf(config, parcel, ounces) }),
      ...(config.carrierAccounts.length > 0 ? { carrier_accounts: config.carrierAccounts } : {}),
    },
  }
}

function customsOf(config: EasypostConfig, parcel: ParcelRequest, ounces: number): Record<string, unknown> {
  const { customs } = config
  if (!customs) throw invalid('customs_info', 'the parcel leaves the country', 'Set customs of the connection.')
  return {
    contents_type: 'merchandise',
    restriction_type: 'none',
    non_delivery_option: 'return',
    customs_certify: true,
    customs_signer: customs.signer,
    customs_items: [
      {
        description: parcel.goodsName.slice(0, 100),
        quantity: 1,
        value: (parcel.goodsAmountMinor / MINOR_PER_MAJOR).toFixed(2),
        currency: 'TWD',
        weight: ounces,
        hs_tariff_number: customs.hsTariffNumber,
        origin_country: customs.originCountry,
      },
    ],
  }
}

/** `insurance` of /buy: US dollars with cents, rounded up (docs.easypost.com/docs/insurance); null: nothing is asked for, or no rate is known. */
export function insuranceOf({ usdRate }: EasypostConfig, { insured }: Pick<ParcelRequest, 'insured'>): string | null {
  const rate = insured?.currency === 'USD' ? 1 : usdRate
  if (insured == null || rate === null) return null
  return (Math.ceil(insured.valueMinor / rate) / MINOR_PER_MAJOR).toFixed(2)
}

/** @throws OmnisagaError Rejected: no carrier offers it; its messages say why. */
export function rateFor(shipment: Shipment, service: string): { id: string } {
  const rates = shipment.rates ?? []
  const [carrier = '', name = ''] = service.toLowerCase().split('/')
  const offered =
    service === 'cheapest'
      ? rates
      : rates.filter((rate) => rate.carrier.toLowerCase() === carrier && rate.service.toLowerCase() === name)
  const [best] = offered.toSorted((a, b) => Number(a.rate) - Number(b.rate))
  if (best) return best
  const why = (shipment.messages ?? []).map(
    ({ carrier: from, message }) => `${from ?? ''}: ${typeof message === 'string' ? message : 'refused'}`,
  )
  throw new OmnisagaError(
    'Rejected',
    `EasyPost: nobody offers ${service} (${[...new Set(why)].join('; ').slice(0, 150) || 'no rates'})`,
    {
      code: 'no-rate',
      remedy: `Choose another service: ${[...new Set(rates.map((rate) => `${rate.carrier}/${rate.service}`))].slice(0, 8).join(', ') || 'check address and weight'}.`,
    },
  )
}

/** Null: it was made, but not bought. */
export function bookingOf(shipment: Shipment, { insured }: Pick<ParcelRequest, 'insured'> = {}): Booking | null {
  if (!shipment.tracking_code || !shipment.postage_label) return null
  const { carrier, service, rate, currency } = shipment.selected_rate ?? {}
  return {
    waybill: shipment.tracking_code,
    courierBookingId: shipment.id,
    labelAmountMinor: 0,
    insuredMinor: Number(shipment.insurance ?? 0) > 0 ? (insured?.valueMinor ?? null) : null,
    label: { carrier: carrier ?? null, service: service ?? null, postage: rate ?? null, currency: currency ?? null },
  }
}
