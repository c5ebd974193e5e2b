/** Vendure's order -> canonical order. Pure. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder, PaidBack } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import { keyIn } from '../kit/refundKeys.ts'
import type { Connection } from '../kit/types.ts'
import { changedAt, Order } from './api.ts'
import type { VendureConfig } from './config.ts'

/** What the default order process calls its states once the customer has placed the order. */
const GOING = new Set(['PaymentAuthorized', 'PaymentSettled', 'PartiallyShipped', 'Shipped', 'PartiallyDelivered', 'Delivered'])
const ON_HOLD = new Set(['Modifying', 'ArrangingAdditionalPayment', 'Draft', 'Created', 'AddingItems', 'ArrangingPayment'])
const CANCELLED = 'Cancelled'
/** Fulfilments in these states have left the house. */
const LEFT = new Set(['Shipped', 'Delivered'])

const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : value?.trim() || null)

/** One that failed has paid nothing. */
const paidBackOf = (order: Order): PaidBack[] =>
  (order.payments ?? [])
    .flatMap(({ refunds }) => refunds)
    .filter(({ state }) => state !== 'Failed')
    .map(({ id, total, reason }) => ({ id, amountMinor: total, key: keyIn(reason) }))

/** @throws Invalid that names the field. */
export const readOrder = (externalId: string, payload: Record<string, unknown>): Order =>
  readOrderRecord(Order, { externalId, payload }, { vendor: 'Vendure', place: "the shop's administration" })

/** Pieces of each line that have left already. */
function leftOf(order: Order): Map<string, number> {
  const left = new Map<string, number>()
  for (const { state, lines } of order.fulfillments ?? [])
    if (LEFT.has(state))
      for (const { orderLineId, quantity } of lines) left.set(orderLineId, (left.get(orderLineId) ?? 0) + quantity)
  return left
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const told = order.shippingAddress
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const street = [told.streetLine1, told.streetLine2].map(shown).filter(Boolean).join(' ')
  const places = [told.province, told.city].map(shown).filter((place) => place !== null)
  // Which of the two holds a Taiwanese city is the shop's habit: the one that ends like one.
  const city = places.find((place) => /[市縣]$/.test(place)) ?? shown(told.city)
  const district = places.find((place) => place !== city && /[區鄉鎮市]$/.test(place)) ?? null
  const { problem: _problem, ...address } = parseAddress(street, {
    postalCode: shown(told.postalCode),
    city,
    district,
    province: shown(told.province),
    country: shown(told.countryCode)?.toUpperCase() ?? null,
  })
  const { customer } = order
  return {
    name: shown(told.fullName) ?? nameOf(customer),
    phone: parsePhone(told.phoneNumber ?? customer?.phoneNumber).e164,
    address: street === '' ? null : address,
    masked: isMasked(told.fullName) || isMasked(told.streetLine1) || isMasked(told.phoneNumber),
  }
}

/** Han names are written without a space, family name first. */
function nameOf(customer: Order['customer']): string | null {
  const [first, last] = [shown(customer?.firstName), shown(customer?.lastName)]
  if (first !== null && last !== null && /\p{Script=Han}/u.test(first + last)) return last + first
  return [first, last].filter(Boolean).join(' ') || null
}

function paymentOf(order: Order, config: VendureConfig): IncomingOrder['payment'] {
  const good = (order.payments ?? []).filter(({ state }) => state === 'Authorized' || state === 'Settled')
  const currency = order.currencyCode
  const settledMinor = good.reduce((sum, { state, amount }) => sum + (state === 'Settled' ? amount : 0), 0)
  if (good.some(({ method }) => config.codMethods.includes(method))) {
    // Collected only at the end: Vendure's own state says nothing about the courier.
    return { method: 'cod', state: 'due', amountDueMinor: order.totalWithTax, currency }
  }
  const paid = settledMinor >= order.totalWithTax
  return { method: 'prepaid', state: paid ? 'paid' : 'pending', amountDueMinor: 0, currency }
}

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown state is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<VendureConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record.externalId, record.payload)
  const { config } = connection
  const cancelled = order.state === CANCELLED
  const known = cancelled || GOING.has(order.state) || ON_HOLD.has(order.state)
  const lines = order.lines
    // Cancelled pieces are taken off the line; of a cancelled order nothing would be left.
    .map((line) => ({ ...line, quantity: cancelled ? line.orderPlacedQuantity : line.quantity }))
    .filter(({ quantity }) => quantity > 0)
  if (lines.length === 0)
    throw new OmnisagaError('Invalid', `Vendure order ${order.code}: field lines: nothing is ordered`, {
      code: 'lines',
      remedy: "Look the order up in the shop's administration.",
    })
  const left = leftOf(order)
  const methodCode = order.shippingLines?.[0]?.shippingMethod?.code
  const discounts = order.discounts ?? []
  return {
    channel: 'vendure',
    shop: shopOf(config),
    connection: connection.name,
    externalId: order.code,
    externalVersion: changedAt(order),
    placedAt: order.orderPlacedAt ?? null,
    kind: 'online',
    buyer: {
      name: nameOf(order.customer),
      phone: parsePhone(order.customer?.phoneNumber).e164,
      email: shown(order.customer?.emailAddress),
      memberId: order.customer?.id ?? null,
    },
    recipient: recipientOf(order),
    delivery: {
      method: 'home',
      service: (methodCode === undefined ? undefined : config.services[methodCode]) ?? null,
      cvs: null,
      location: null,
      promisedBy: null,
    },
    payment: paymentOf(order, config),
    lines: lines.map((line) => ({
      lineId: line.id,
      sku: shown(line.productVariant.sku),
      externalSku: shown(line.productVariant.sku) ?? line.productVariant.id,
      name: shown(line.productVariant.name),
      variant: null,
      quantity: line.quantity,
      // Discounts of the line and of the order are spread over the pieces in it.
      unitPriceMinor: line.proratedUnitPriceWithTax,
      gift: false,
    })),
    totals: cancelled
      ? { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null }
      : {
          itemsMinor: order.subTotalWithTax,
          shippingMinor: order.shippingWithTax,
          discountMinor: discounts.length === 0 ? 0 : null,
          totalMinor: order.totalWithTax,
        },
    paidBack: paidBackOf(order),
    notes: known ? null : `Vendure state ${order.state}`,
    priority: 0,
    cancelled,
    onHold: !cancelled && (!known || ON_HOLD.has(order.state)),
    fulfilled: !cancelled && lines.every((line) => (left.get(line.id) ?? 0) >= line.quantity),
  }
}

export const shopOf = (config: VendureConfig): string => config.shop ?? new URL(config.baseUrl).host
