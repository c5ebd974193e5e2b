/**
 * Batches and pickups of EasyPost's stand-in (docs.easypost.com/docs/pickups, /docs/batches): a batch is filled after it was made, a
 * pickup gets rates of its shipments' carrier, one of them is bought once.
 */
import type { SimAnswer } from '../kit/server.ts'

type Json = Record<string, unknown>
export interface PickupShipment {
  id: string
  bought: { carrier: string } | null
  refund_status: string | null
  batch_id: string | null
}
export interface SimPickup {
  id: string
  reference: string | null
  status: 'unknown' | 'scheduled' | 'canceled'
  min_datetime: string
  max_datetime: string
  is_account_address: boolean
  instructions: string | null
  address: Json
  confirmation: string | null
  messages: Json[]
  pickup_rates: { id: string; carrier: string; service: string; rate: string; currency: string }[]
  /** Of which shipments. */
  shipments: string[]
}
interface SimBatch {
  id: string
  shipments: string[]
  /** How often it still says that it is being filled. */
  filling: number
}

export interface Vendor {
  idOf(prefix: string): string
  shipment(id: string): PickupShipment | undefined
  error(status: number, code: string, message: string): SimAnswer
}

const SERVICES: [service: string, rate: string][] = [
  ['Same-day Pickup', '14.95'],
  ['NextDay', '3.00'],
]
const missing = (vendor: Vendor) => vendor.error(404, 'NOT_FOUND', 'The requested resource could not be found.')

/** As it is sent: which shipments it is for is not told. */
const shown = ({ shipments: _shipments, ...rest }: SimPickup): Json => ({
  ...rest,
  object: 'Pickup',
  mode: 'test',
  carrier_accounts: [],
})

export function createPickups(vendor: Vendor) {
  const pickups: SimPickup[] = []
  const batches = new Map<string, SimBatch>()
  let purchases = 0

  function createBatch(json: Json): SimAnswer {
    const ids = (((json.batch as Json | undefined)?.shipments ?? []) as Json[]).map(({ id }) => String(id))
    const found = ids.map((id) => vendor.shipment(id))
    if (found.some((shipment) => !shipment)) return missing(vendor)
    const batch: SimBatch = { id: vendor.idOf('batch'), shipments: ids, filling: 1 }
    batches.set(batch.id, batch)
    for (const shipment of found) if (shipment) shipment.batch_id = batch.id
    return { body: batchShown(batch, true) }
  }
  const batchShown = ({ id, shipments }: SimBatch, isFilling: boolean): Json => ({
    id,
    object: 'Batch',
    mode: 'test',
    state: isFilling ? 'creating' : 'created',
    num_shipments: shipments.length,
    reference: null,
    scan_form: null,
    shipments: isFilling ? [] : shipments.map((shipment) => ({ id: shipment, batch_status: 'postage_purchased' })),
    pickup: null,
    label_url: null,
  })
  function showBatch(id: string): SimAnswer {
    const batch = batches.get(id)
    if (!batch) return missing(vendor)
    return { body: batchShown(batch, batch.filling-- > 0) }
  }

  function create(json: Json): SimAnswer {
    const asked = (json.pickup ?? {}) as Json
    const [from, until] = [Date.parse(String(asked.min_datetime)), Date.parse(String(asked.max_datetime))]
    if (Number.isNaN(from) || Number.isNaN(until) || until <= from)
      return vendor.error(422, 'PICKUP.REQUEST.INVALID', 'max_datetime must be later than min_datetime.')
    const address = (asked.address ?? {}) as Json
    if (asked.is_account_address !== true)
      for (const field of ['street1', 'city', 'country', 'phone'])
        if (!address[field]) return vendor.error(422, 'PARAMETER.REQUIRED', `Missing required parameter: address.${field}.`)
    const [one, many] = [(asked.shipment as Json | undefined)?.id, (asked.batch as Json | undefined)?.id]
    const batch = batches.get(String(many))
    if ((one !== undefined && !vendor.shipment(String(one))) || (many !== undefined && !batch)) return missing(vendor)
    const ids = batch ? (batch.filling > 0 ? [] : batch.shipments) : one === undefined ? [] : [String(one)]
    const found = ids.map((id) => vendor.shipment(id))
    if (found.length === 0 || found.some((shipment) => !shipment?.bought || shipment.refund_status))
      return vendor.error(
        422,
        'PICKUP.REQUEST.INVALID',
        'Invalid request, a batch with shipments or a shipment is required to create a Pickup.',
      )
    const carriers = new Set(found.map((shipment) => shipment?.bought?.carrier ?? ''))
    const [carrier = ''] = carriers
    if (carriers.size > 1)
      return vendor.error(
        422,
        'PICKUP.BATCH_CARRIER.INCONSISTENT',
        'Unable to create pickup, the carrier associated with the batch shipments is inconsistent.',
      )
    const isPast = until <= Date.now()
    const pickup: SimPickup = {
      id: vendor.idOf('pickup'),
      reference: typeof asked.reference === 'string' ? asked.reference : null,
      status: 'unknown',
      min_datetime: new Date(from).toISOString(),
      max_datetime: new Date(until).toISOString(),
      is_account_address: asked.is_account_address === true,
      instructions: typeof asked.instructions === 'string' ? asked.instructions : null,
      address,
      confirmation: null,
      messages: isPast ? [{ carrier, type: 'rate_error', message: 'The Date you supplied occurs in the past.' }] : [],
      pickup_rates: isPast
        ? []
        : SERVICES.map(([service, rate]) => ({ id: vendor.idOf('pickuprate'), carrier, service, rate, currency: 'USD' })),
      shipments: ids,
    }
    pickups.push(pickup)
    return { body: shown(pickup) }
  }

  function buy(pickup: SimPickup, json: Json): SimAnswer {
    if (pickup.status !== 'unknown')
      return vendor.error(422, 'PICKUP.BUY.ALREADY_SCHEDULED', `The pickup is ${pickup.status} already.`)
    if (!pickup.pickup_rates.some(({ carrier, service }) => carrier === json.carrier && service === json.service))
      return vendor.error(
        422,
        'PICKUP.BUY.NO_MATCHING_RATES',
        'Unable to purchase pickup, no rates matching your request were found.',
      )
    purchases += 1
    pickup.status = 'scheduled'
    pickup.confirmation = `WTC${String(63_814_700 + purchases)}`
    return { body: shown(pickup) }
  }

  return {
    all: () => pickups,
    /** How often a carrier was asked to come. */
    purchases: () => purchases,
    /** Null: no such resource. */
    handle(method: string, resource: string, id: string, action: string | undefined, json: Json): SimAnswer | null {
      if (resource === 'batches') {
        if (action) return missing(vendor)
        return method === 'POST' ? createBatch(json) : showBatch(id)
      }
      if (resource !== 'pickups') return null
      if (!id && method === 'POST') return create(json)
      const pickup = pickups.find((each) => each.id === id || each.reference === id)
      if (!pickup) return missing(vendor)
      if (!action && method === 'GET') return { body: shown(pickup) }
      return action === 'buy' && method === 'POST' ? buy(pickup, json) : missing(vendor)
    },
  }
}
