/**
 * Pickups (docs.easypost.com/docs/pickups): made with a time and an address, then one of the rates that carriers gave is bought. Can be
 * asked for by our reference, which EasyPost does not keep unique. For several parcels a batch of them is named.
 */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { BookedParcel, Pickup, PickupRequest } from '../kit/types.ts'
import type { EasypostConfig } from './config.ts'

const Rate = z.looseObject({ carrier: z.string(), service: z.string(), rate: z.string() })
const Made = z.looseObject({
  id: z.string(),
  status: z.string(),
  min_datetime: z.iso.datetime({ offset: true }),
  max_datetime: z.iso.datetime({ offset: true }),
  confirmation: z.string().nullish(),
  pickup_rates: z.array(Rate).nullish(),
  messages: z.array(z.looseObject({ carrier: z.string().nullish(), message: z.unknown() })).nullish(),
})
export type MadePickup = z.infer<typeof Made>
export const pickupOf = (json: unknown): MadePickup => readShape(Made, json, 'EasyPost pickup')

const Batch = z.looseObject({
  id: z.string(),
  state: z.string(),
  shipments: z.array(z.looseObject({ id: z.string() })),
})
export type Batch = z.infer<typeof Batch>
export const batchOf = (json: unknown): Batch => readShape(Batch, json, 'EasyPost batch')

/** Of several carriers EasyPost makes no pickup (PICKUP.BATCH_CARRIER.INCONSISTENT). Null: the bookings name none. @throws Rejected */
export function carrierOf(parcels: readonly BookedParcel[]): string | null {
  const carriers = [...new Set(parcels.flatMap(({ label: { carrier } }) => (typeof carrier === 'string' ? [carrier] : [])))]
  if (carriers.length <= 1) return carriers[0] ?? null
  throw new OmnisagaError('Rejected', `EasyPost asks one carrier to come, and these parcels go by ${carriers.join(', ')}`, {
    code: 'carriers',
    remedy: `Ask ${carriers.join(' and ')} by telephone. With one connection for each carrier (service CARRIER/SERVICE), each has a manifest of its own.`,
  })
}

export function pickupRequest(
  { from }: EasypostConfig,
  asked: PickupRequest,
  of: { shipment: { id: string } } | { batch: { id: string } },
): Record<string, unknown> {
  return {
    pickup: {
      reference: asked.reference,
      min_datetime: asked.fromIso,
      max_datetime: asked.untilIso,
      address: from,
      is_account_address: false,
      ...(asked.instructions === null ? {} : { instructions: asked.instructions }),
      ...of,
    },
  }
}

/** Null: the carrier was not asked. */
export const comingOf = ({ id, status, confirmation, min_datetime, max_datetime }: MadePickup): Pickup | null =>
  status === 'scheduled'
    ? {
        pickupId: id,
        confirmation: confirmation || null,
        fromIso: new Date(min_datetime).toISOString(),
        untilIso: new Date(max_datetime).toISOString(),
      }
    : null

/** The cheapest of the parcels' carrier. @throws Rejected, in the carriers' words */
export function buyRequest(
  { status, pickup_rates, messages }: MadePickup,
  carrier: string | null,
): { carrier: string; service: string } {
  if (status === 'canceled')
    throw new OmnisagaError('Rejected', 'EasyPost: this pickup was called off there', {
      code: 'canceled',
      remedy: 'Ask for another time.',
    })
  const offered = (pickup_rates ?? []).filter((rate) => carrier === null || rate.carrier.toLowerCase() === carrier.toLowerCase())
  const [best] = offered.toSorted((a, b) => Number(a.rate) - Number(b.rate))
  if (best) return { carrier: best.carrier, service: best.service }
  const why = (messages ?? []).map(
    ({ carrier: from, message }) => `${from ?? ''}: ${typeof message === 'string' ? message : 'refused'}`,
  )
  throw new OmnisagaError(
    'Rejected',
    `EasyPost: ${carrier ?? 'the carrier'} does not come then (${[...new Set(why)].join('; ').slice(0, 200) || 'no rates'})`,
    { code: 'no-rate', remedy: `Ask for another time, or ask ${carrier ?? 'the carrier'} by telephone.` },
  )
}
