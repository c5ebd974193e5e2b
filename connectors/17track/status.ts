/** 17TRACK's statuses, v2.4 (api.17track.net/en/doc?version=v2.4): 9 statuses and 30 sub-statuses; the sub-status says more. */
import type { ParcelMeaning } from '../kit/types.ts'

type Known = Exclude<ParcelMeaning, 'unknown'>

export const STATUSES: Readonly<Record<string, Known>> = {
  NotFound: 'announced', // the carrier does not know it yet
  InfoReceived: 'announced',
  InTransit: 'inTransit',
  Expired: 'problem', // no end after a long time
  AvailableForPickup: 'arrivedAtPickup',
  OutForDelivery: 'outForDelivery',
  DeliveryFailure: 'attemptFailed',
  Delivered: 'delivered',
  Exception: 'problem',
}

export const SUB_STATUSES: Readonly<Record<string, Known>> = {
  NotFound_Other: 'announced',
  NotFound_InvalidCode: 'problem', // the number cannot be right
  InfoReceived: 'announced',
  InTransit_PickedUp: 'shipped',
  InTransit_Other: 'inTransit',
  InTransit_Departure: 'inTransit',
  InTransit_Arrival: 'inTransit',
  InTransit_CustomsProcessing: 'inTransit',
  InTransit_CustomsReleased: 'inTransit',
  InTransit_CustomsRequiringInformation: 'problem',
  Expired_Other: 'problem',
  AvailableForPickup_Other: 'arrivedAtPickup',
  OutForDelivery_Other: 'outForDelivery',
  DeliveryFailure_Other: 'attemptFailed',
  DeliveryFailure_NoBody: 'attemptFailed',
  DeliveryFailure_Security: 'problem',
  DeliveryFailure_Rejected: 'refused',
  DeliveryFailure_InvalidAddress: 'wrongAddress',
  Delivered_Other: 'delivered',
  Exception_Other: 'problem',
  Exception_Returning: 'returning',
  Exception_Returned: 'returned',
  Exception_NoBody: 'problem',
  Exception_Security: 'problem',
  Exception_Damage: 'problem',
  Exception_Rejected: 'refused',
  Exception_Delayed: 'inTransit',
  Exception_Lost: 'lost',
  Exception_Destroyed: 'lost',
  Exception_Cancel: 'problem',
}

/** A sub-status that is not listed is not guessed from its status: it may be news of another kind. */
export const meaningOf = (status: string, subStatus: string | null): ParcelMeaning =>
  subStatus ? (SUB_STATUSES[subStatus] ?? 'unknown') : (STATUSES[status] ?? 'unknown')
