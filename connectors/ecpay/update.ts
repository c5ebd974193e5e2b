/**
 * Another pickup store for a booked parcel, e.g. when the first has closed: /Express/UpdateStoreInfo for store-to-store parcels of 7-ELEVEN,
 * FamilyMart and OK (?p=22485), /Helper/UpdateShipmentInfo for bulk parcels (?p=22480). ECPay judges whether it still goes.
 */
import { OmnisagaError } from '../../domain/errors.ts'
import type { BookedParcel } from '../kit/types.ts'
import type { EcpayConfig } from './config.ts'
import { invalid } from './fields.ts'
import { signed } from './mac.ts'
import { numbersOf } from './numbers.ts'

const PICKUP_STORE = '01'

/** @throws OmnisagaError Rejected, code `no-such-call`; Invalid for a number that cannot be a store's. */
export function changeStoreRequest(
  config: EcpayConfig,
  parcel: BookedParcel,
  storeId: string,
): { url: string; fields: Record<string, string> } {
  if (!/^[A-Za-z0-9]{1,6}$/.test(storeId))
    throw invalid('ReceiverStoreID', `${JSON.stringify(storeId)} is not a store number`, 'Give the number of the pickup store.')
  const { service } = parcel
  const base = config.baseUrl.replace(/\/$/, '')
  const common: Record<string, string> = {
    MerchantID: config.merchantId,
    AllPayLogisticsID: parcel.courierBookingId,
    ReceiverStoreID: storeId,
    ...(config.platformId ? { PlatformID: config.platformId } : {}),
  }
  if (['UNIMARTC2C', 'FAMIC2C', 'OKMARTC2C'].includes(service)) {
    const { payment, validation } = numbersOf(parcel)
    const fields = {
      ...common,
      CVSPaymentNo: payment,
      ...(service === 'UNIMARTC2C' ? { CVSValidationNo: validation } : {}),
      StoreType: PICKUP_STORE,
    }
    return { url: `${base}/Express/UpdateStoreInfo`, fields: signed(fields, config) }
  }
  if (['UNIMART', 'UNIMARTFREEZE', 'FAMI', 'HILIFE'].includes(service))
    return { url: `${base}/Helper/UpdateShipmentInfo`, fields: signed({ ...common, ShipmentDate: '' }, config) }
  throw new OmnisagaError('Rejected', `ECPay has no call that moves a ${service} parcel to another store`, {
    code: 'no-such-call',
    remedy: 'Let it come back, and send it again to the other store.',
  })
}
