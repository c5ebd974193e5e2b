/** Medusa's order -> canonical order. Pure. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder, PaidBack } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import { keyIn } from '../kit/refundKeys.ts'
import type { Connection } from '../kit/types.ts'
import { changedAt, Order } from './api.ts'
import type { MedusaConfig } from './config.ts'

/** Orders of Medusa stay `pending` until somebody completes them, shipped or not. */
const GOING = new Set(['pending', 'completed'])
const ON_HOLD = new Set(['draft', 'requires_action'])
const CANCELLED = 'canceled'
/** The order stands, whoever archived it; the fulfilments say whether its goods have left. */
const ARCHIVED = 'archived'
const CAPTURED = new Set(['captured', 'partially_refunded'])
const AUTHORISED = new Set(['authorized', 'partially_captured'])
const WAITING = new Set(['not_paid', 'awaiting', 'partially_authorized', 'requires_action', 'canceled'])

export const minorOf = (amount: number): number => Math.round(amount * 100)
const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : value?.trim() || null)

/** @throws Invalid that names the field. */
export const readOrder = (externalId: string, payload: Record<string, unknown>): Order =>
  readOrderRecord(Order, { externalId, payload }, { vendor: 'Medusa', place: "the shop's administration" })

/** Han names are written without a space, family name first. */
function nameOf(told: NonNullable<Order['shipping_address']>): string | null {
  const [first, last] = [shown(told.first_name), shown(told.last_name)]
  if (first !== null && last !== null && /\p{Script=Han}/u.test(first + last)) return last + first
  return [first, last].filter(Boolean).join(' ') || null
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const told = order.shipping_address
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const street = [told.address_1, told.address_2].map(shown).filter(Boolean).join(' ')
  const places = [told.province, told.city].map(shown).filter((place) => place !== null)
  // Which of the two holds a Taiwanese city is the shop's habit: the one that ends like one.
  const city = places.find((place) => /[市縣]$/.test(place)) ?? shown(told.city)
  const district = places.find((place) => place !== city && /[區鄉鎮市]$/.test(place)) ?? null
  const { problem: _problem, ...address } = parseAddress(street, {
    postalCode: shown(told.postal_code),
    city,
    district,
    province: shown(told.province),
    country: shown(told.country_code)?.toUpperCase() ?? null,
  })
  return {
    name: nameOf(told),
    phone: parsePhone(told.phone).e164,
    address: street === '' ? null : address,
    masked: [told.first_name, told.last_name, told.address_1, told.phone].some((value) => isMasked(value)),
  }
}

function paymentOf(order: Order, config: MedusaConfig): IncomingOrder['payment'] {
  const currency = order.currency_code.toUpperCase()
  const providers = (order.payment_collections ?? []).flatMap((one) => one.payments ?? []).map((payment) => payment.provider_id)
  if (providers.some((provider) => config.codProviders.includes(provider ?? '')))
    return { method: 'cod', state: 'due', amountDueMinor: minorOf(order.total), currency }
  const status = order.payment_status
  const paid =
    CAPTURED.has(status) ||
    (AUTHORISED.has(status) && config.paidWhen === 'authorized') ||
    (status === 'not_paid' && order.total === 0)
  const state = status === 'refunded' ? 'refunded' : paid ? 'paid' : 'pending'
  return { method: 'prepaid', state, amountDueMinor: 0, currency }
}

const paidBackOf = (order: Order): PaidBack[] =>
  (order.payment_collections ?? [])
    .flatMap((one) => one.payments ?? [])
    .flatMap((payment) => payment.refunds ?? [])
    .map(({ id, amount, note }) => ({ id, amountMinor: minorOf(amount), key: keyIn(note) }))

/** What is not known is told to people. */
function notesOf(order: Order): string | null {
  const notes = []
  if (![CANCELLED, ARCHIVED].includes(order.status) && !GOING.has(order.status) && !ON_HOLD.has(order.status))
    notes.push(`Medusa status ${order.status}`)
  const status = order.payment_status
  if (status !== 'refunded' && !CAPTURED.has(status) && !AUTHORISED.has(status) && !WAITING.has(status))
    notes.push(`Medusa payment_status ${status}`)
  return notes.join('\n') || null
}

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown status is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<MedusaConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record.externalId, record.payload)
  const { config } = connection
  const cancelled = order.status === CANCELLED
  const goods = order.items.filter(({ quantity, requires_shipping: ships }) => quantity > 0 && ships !== false)
  // Gift cards and downloads alone: nothing for a warehouse.
  const items = goods.length > 0 ? goods : order.items.filter(({ quantity }) => quantity > 0)
  if (items.length === 0)
    throw new OmnisagaError('Invalid', `Medusa order ${order.id}: field items: nothing is ordered`, {
      code: 'items',
      remedy: "Look the order up in the shop's administration.",
    })
  const method = order.shipping_methods?.[0]?.name ?? ''
  const notes = notesOf(order)
  const phone = parsePhone(order.shipping_address?.phone).e164
  return {
    channel: 'medusa',
    shop: shopOf(config),
    connection: connection.name,
    externalId: order.id,
    externalVersion: changedAt(order),
    placedAt: order.created_at,
    kind: 'online',
    buyer: {
      name: order.shipping_address ? nameOf(order.shipping_address) : null,
      phone,
      email: shown(order.email),
      memberId: order.customer_id ?? null,
    },
    recipient: recipientOf(order),
    delivery: { method: 'home', service: config.services[method] ?? null, cvs: null, location: null, promisedBy: null },
    payment: paymentOf(order, config),
    lines: items.map((item) => ({
      lineId: item.id,
      sku: shown(item.variant_sku),
      externalSku: shown(item.variant_sku) ?? item.variant_id ?? item.id,
      name: shown(item.title),
      variant: shown(item.variant_title),
      quantity: item.quantity,
      // With its discounts and its tax: `total` is what the customer pays for the line.
      unitPriceMinor: minorOf(item.total == null ? item.unit_price : item.total / item.quantity),
      gift: false,
    })),
    totals: {
      itemsMinor: goods.length === order.items.length && order.item_total != null ? minorOf(order.item_total) : null,
      shippingMinor: order.shipping_total == null ? null : minorOf(order.shipping_total),
      discountMinor: order.discount_total === 0 ? 0 : null,
      totalMinor: minorOf(order.total),
    },
    paidBack: paidBackOf(order),
    notes,
    priority: 0,
    cancelled,
    onHold: !cancelled && (notes !== null || ON_HOLD.has(order.status)),
    fulfilled: !cancelled && (goods.length === 0 || items.every((item) => (item.detail?.shipped_quantity ?? 0) >= item.quantity)),
  }
}

export const shopOf = (config: MedusaConfig): string => config.shop ?? new URL(config.baseUrl).host
