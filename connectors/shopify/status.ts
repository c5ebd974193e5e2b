/** Shopify's statuses, complete against the Admin API's enums. A value that is not here is unknown: kept on hold and shown. */
import type { Payment } from '../../domain/order.ts'

/** OrderDisplayFinancialStatus. `hold`: nothing may leave. */
export const FINANCIAL: ReadonlyMap<string, { state: Payment['state']; hold: boolean }> = new Map([
  ['AUTHORIZED', { state: 'pending', hold: true }],
  ['EXPIRED', { state: 'pending', hold: true }],
  ['PAID', { state: 'paid', hold: false }],
  ['PARTIALLY_PAID', { state: 'pending', hold: true }],
  ['PARTIALLY_REFUNDED', { state: 'paid', hold: false }],
  ['PENDING', { state: 'pending', hold: true }],
  ['REFUNDED', { state: 'refunded', hold: true }],
  ['VOIDED', { state: 'pending', hold: true }],
])

/** OrderDisplayFulfillmentStatus. `gone`: the goods have left, or nothing is to be shipped. */
export const FULFILMENT: ReadonlyMap<string, 'toShip' | 'gone' | 'hold'> = new Map([
  ['FULFILLED', 'gone'],
  ['FULFILLMENT_NOT_REQUIRED', 'gone'],
  ['IN_PROGRESS', 'toShip'],
  ['ON_HOLD', 'hold'],
  ['OPEN', 'toShip'],
  ['PARTIALLY_FULFILLED', 'toShip'],
  ['PENDING_FULFILLMENT', 'toShip'],
  ['REQUEST_DECLINED', 'hold'],
  ['RESTOCKED', 'hold'],
  ['SCHEDULED', 'hold'],
  ['UNFULFILLED', 'toShip'],
])

/** FulfillmentStatus of a parcel that is not one any more. */
export const FAILED_PARCEL: ReadonlySet<string> = new Set(['CANCELLED', 'ERROR', 'FAILURE'])
