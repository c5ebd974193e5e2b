/** CYBERBIZ' four statuses, complete against the v1 reference. A value that is not here is unknown: kept on hold and shown. */
import type { Payment } from '../../domain/order.ts'

/** `order_status` */
export const ORDER: ReadonlyMap<string, 'open' | 'done' | 'cancelled'> = new Map([
  ['open', 'open'],
  ['closed', 'done'],
  ['cancelled', 'cancelled'],
])

export interface Money {
  state: Payment['state']
  /** Nothing may leave. */
  hold: boolean
}
/** `financial_status`. Of cash on delivery `paid` means collected; see paymentOf. */
export const FINANCIAL: ReadonlyMap<string, Money> = new Map([
  ['paid', { state: 'paid', hold: false }],
  ['pending', { state: 'pending', hold: true }],
  ['cod', { state: 'due', hold: false }],
  ['failed', { state: 'pending', hold: true }],
  ['abandoned', { state: 'pending', hold: true }],
  ['refunded', { state: 'refunded', hold: true }],
  ['no_refunded', { state: 'paid', hold: false }],
  ['pending_refund', { state: 'paid', hold: true }],
  ['processing', { state: 'pending', hold: true }],
  ['remitted', { state: 'pending', hold: true }],
  ['pending_partial_refund', { state: 'paid', hold: false }],
  ['partial_refunded', { state: 'paid', hold: false }],
  ['refunding', { state: 'paid', hold: true }],
  ['refund_failed', { state: 'paid', hold: true }],
])

/** `fulfillment_status`: `gone` the goods have left, or nothing is to be shipped; `partly` some have. */
export const FULFILMENT: ReadonlyMap<string, 'toShip' | 'partly' | 'gone' | 'hold'> = new Map([
  ['unshipped', 'toShip'],
  ['preparing', 'toShip'],
  ['cancel', 'hold'],
  ['fulfilled', 'gone'],
  ['partial', 'partly'],
  ['arrived', 'gone'],
  ['received', 'gone'],
  ['returned', 'gone'],
  ['expired', 'gone'],
  ['problem', 'gone'],
  ['no_need', 'gone'],
])

/** `return_status`: `asked` stops what has not left yet; `back` the goods were with the buyer. */
export const RETURN: ReadonlyMap<string, 'none' | 'asked' | 'back'> = new Map([
  ['no_need', 'none'],
  ['request_return', 'asked'],
  ['returning', 'back'],
  ['checking', 'back'],
  ['returned', 'back'],
  ['in_hub', 'back'],
  ['problem', 'back'],
  ['processing', 'asked'],
  ['in_origin_cvs', 'back'],
  ['refused', 'none'],
  ['partial_return', 'back'],
])
