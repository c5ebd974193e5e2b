/** EasyPost's tracker statuses (docs.easypost.com/docs/trackers): the status says what, the detail why; a few details change the what. */
import type { ParcelMeaning } from '../kit/types.ts'

type Known = Exclude<ParcelMeaning, 'unknown'>

export const STATUSES: Readonly<Record<string, Known>> = {
  unknown: 'announced', // the carrier has told nothing yet
  pre_transit: 'announced',
  in_transit: 'inTransit',
  out_for_delivery: 'outForDelivery',
  delivered: 'delivered',
  available_for_pickup: 'arrivedAtPickup',
  return_to_sender: 'returning',
  failure: 'problem',
  cancelled: 'problem', // the label was voided
  error: 'problem',
}

/** Null: as the status says. */
export const DETAILS: Readonly<Record<string, Known | null>> = {
  address_correction: 'wrongAddress',
  arrived_at_destination: null,
  arrived_at_facility: null,
  arrived_at_pickup_location: 'arrivedAtPickup',
  awaiting_information: 'problem',
  cancelled: 'problem',
  damaged: 'problem',
  delayed: null,
  delivery_exception: 'attemptFailed',
  departed_facility: null,
  departed_origin_facility: 'shipped',
  expired: 'problem',
  failure: 'problem',
  held: 'problem',
  in_transit: null,
  label_created: null,
  lost: 'lost',
  missorted: null,
  out_for_delivery: null,
  received_at_destination_facility: null,
  received_at_origin_facility: 'shipped',
  refused: 'refused',
  return: 'returning',
  status_update: null,
  transferred_to_destination_carrier: null,
  transit_exception: null,
  unknown: null,
  weather_delay: null,
}

/** Where a detail may change what the status says: on its way, or failed. */
const OPEN = new Set(['in_transit', 'failure', 'error'])

export function meaningOf(status: string, detail: string | null): ParcelMeaning {
  const meaning = STATUSES[status] ?? 'unknown'
  const told = detail && OPEN.has(status) ? DETAILS[detail] : null
  return told ?? meaning
}
