/** Every id and idempotency key is minted here, so that the same business thing always gets the same one. */
import { createHash } from 'node:crypto'

const short = (text: string, length: number) => createHash('sha256').update(text).digest('hex').slice(0, length)

/** An order's identity is channel, shop and external id. */
export const orderIdOf = (channel: string, shop: string, externalId: string): string =>
  `o-${short([channel, shop, externalId].join('\u0000'), 16)}`

/** Starting twice is harmless: one order, one workflow id. */
export const workflowIdOf = (orderId: string): string => `order/${orderId}`

/** `serial` counts the units of one order from 1. */
export const unitIdOf = (orderId: string, serial: number): string => `${orderId}-u${serial}`

/** `attempt` counts the bookings of one unit from 1; a refused booking's parcel is kept and the next attempt is a new one. */
export const parcelIdOf = (unitId: string, attempt: number): string => `${unitId}-p${attempt}`

/** The number a courier knows a parcel by (ECPay MerchantTradeNo: at most 20 letters and digits). */
export const courierReferenceOf = (parcelId: string): string => `OS${short(parcelId, 18).toUpperCase()}`

/** `key` is the one of the request: asked twice, it is one appointment. */
export const appointmentIdOf = (key: string): string => `a-${short(key, 16)}`

/** `key` is the one of who asks: asked twice, it is one transfer. */
export const transferIdOf = (key: string): string => `t-${short(key, 16)}`

export const contentHash = (content: unknown): string =>
  short(typeof content === 'string' ? content : JSON.stringify(content), 32)
