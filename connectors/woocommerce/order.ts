/** WooCommerce's order -> canonical order. Pure (REST v3, Orders; the documents' examples). */
import { OmnisagaError } from '../../domain/errors.ts'
import type { CvsChain, IncomingOrder, OrderLine, PaidBack } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import { keyIn } from '../kit/refundKeys.ts'
import type { Connection } from '../kit/types.ts'
import type { WooConfig } from './config.ts'
import { Order, type LineItem, type Person, type Refund } from './schemas.ts'

export type Stage = 'unpaid' | 'ship' | 'hold' | 'fulfilled' | 'cancelled'
/** Core's statuses, complete; those of plugins come with the configuration. `refunded` in full: nothing may leave any more. */
export const STATUS: Readonly<Record<string, Stage>> = {
  pending: 'unpaid',
  processing: 'ship',
  'on-hold': 'unpaid',
  completed: 'fulfilled',
  cancelled: 'cancelled',
  refunded: 'hold',
  failed: 'unpaid',
  trash: 'cancelled',
}

export function stageOf(
  config: Pick<WooConfig, 'statuses' | 'shippedStatus' | 'deliveredStatus'>,
  status: string,
): Stage | undefined {
  if (Object.hasOwn(config.statuses, status)) return config.statuses[status]
  if (Object.hasOwn(STATUS, status)) return STATUS[status]
  // Our own word comes back.
  return status === config.shippedStatus || status === config.deliveredStatus ? 'fulfilled' : undefined
}

const clean = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value).trim() || null : null
/** What is masked or empty is null, never invented. */
const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : clean(value))

/** Digits after the point by ISO 4217; TWD has two. */
export const digitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
const minorOf =
  (currency: string) =>
  (...amounts: (string | null | undefined)[]): number | null =>
    amounts.every((amount) => amount === null || amount === undefined || amount === '')
      ? null
      : Math.round(amounts.reduce((sum, amount) => sum + Number(amount || 0), 0) * 10 ** digitsOf(currency))

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  ndash: '–',
  mdash: '—',
  nbsp: ' ',
}
/** Names come with the entities of a web page. */
export const plainText = (text: string): string =>
  text.replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (whole, decimal, hex, name) => {
    const code = decimal ? Number(decimal) : hex ? parseInt(String(hex), 16) : null
    if (code !== null) return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole
    return ENTITIES[String(name).toLowerCase()] ?? whole
  })

/** @throws OmnisagaError Invalid with the field and the remedy. */
export const readOrder = (record: { externalId: string; payload: Record<string, unknown> }): Order =>
  readOrderRecord(Order, record, { vendor: 'WooCommerce', place: "the shop's back office" })

/** What the buyer chose: attributes are shown, the notes of plugins (`_…`) are not. */
function variantOf(line: LineItem): string | null {
  const chosen = (line.meta_data ?? []).filter((meta) => !meta.key.startsWith('_')).map((meta) => clean(meta.value))
  return chosen.filter(Boolean).join(' / ') || null
}

function lineOf(line: LineItem, minor: ReturnType<typeof minorOf>): OrderLine {
  const sku = clean(line.sku)
  const total = minor(line.total, line.total_tax)
  return {
    lineId: String(line.id),
    sku,
    externalSku: sku ?? [line.product_id, line.variation_id].filter(Boolean).join(':'),
    name: line.name ? plainText(line.name) : null,
    variant: variantOf(line),
    quantity: line.quantity,
    unitPriceMinor: total === null ? null : Math.round(total / line.quantity),
    gift: false,
  }
}

/** Chinese names are written without a space, family name first. */
function nameOf(person: Person): string | null {
  const [first, last] = [shown(person.first_name), shown(person.last_name)]
  const han = /\p{Script=Han}/u.test(`${first ?? ''}${last ?? ''}`)
  return (han ? [last, first] : [first, last]).filter(Boolean).join(han ? '' : ' ') || null
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const { billing, shipping } = order
  const hasShipping = [shipping?.address_1, shipping?.last_name, shipping?.first_name].some((part) => clean(part) !== null)
  const person = hasShipping ? shipping : (billing ?? shipping)
  if (!person) return { name: null, phone: null, address: null, masked: true }
  const raw = [person.address_1, person.address_2].map(shown).filter(Boolean).join(' ')
  const [state, city] = [shown(person.state), shown(person.city)]
  // Plugins for Taiwan keep 縣市 in the state and 鄉鎮市區 in the city.
  const inTaiwan = person.country === 'TW' && state !== null && /[市縣]$/.test(state)
  const { problem: _problem, ...address } = parseAddress(raw, {
    postalCode: shown(person.postcode),
    country: shown(person.country),
    ...(inTaiwan ? { city: state, district: city } : { city, province: state }),
  })
  const phone = parsePhone(clean(person.phone) ?? clean(billing?.phone))
  return {
    name: nameOf(person),
    phone: phone.e164,
    address: raw === '' && city === null ? null : { ...address, raw: [state, city, raw].filter(Boolean).join(' ') },
    masked: isMasked(person.last_name) || isMasked(person.address_1) || phone.masked,
  }
}

const CHAINS: [RegExp, CvsChain][] = [
  [/7-?\s?(11|eleven)|_711|統一超商/i, 'UNIMART'],
  [/fami|全家/i, 'FAMI'],
  [/hilife|萊爾富/i, 'HILIFE'],
  [/okmart|OK超商|_ok\b/i, 'OKMART'],
]

function deliveryOf(order: Order, config: WooConfig): IncomingOrder['delivery'] {
  const line = order.shipping_lines?.[0]
  const method = clean(line?.method_id) ?? ''
  const told = [method, clean(line?.method_title) ?? '']
  const base = { service: config.services[method] ?? null, cvs: null, location: null, promisedBy: null }
  if (/^(local_pickup|pickup_location)\b/.test(method))
    return { ...base, method: 'storePickup', service: null, location: config.pickupLocation }
  const metas = [...(order.meta_data ?? []), ...(line?.meta_data ?? [])]
  const storeId =
    config.cvsStoreMeta.map((key) => clean(metas.find((meta) => meta.key === key)?.value)).find((value) => value !== null) ?? null
  const named = CHAINS.find(([pattern]) => told.some((text) => pattern.test(text)))?.[1] ?? null
  const chain = config.cvsMethods[method] ?? (storeId !== null || /cvs|超商/i.test(told.join(' ')) ? named : null)
  if (chain) return { ...base, method: 'cvs', cvs: { chain, storeId } }
  return { ...base, method: storeId === null ? 'home' : 'cvs' }
}

function paymentOf(order: Order, stage: Stage | undefined, totalMinor: number, config: WooConfig): IncomingOrder['payment'] {
  const { currency } = order
  const isCod = config.codMethods.includes(order.payment_method ?? '')
  // Never `collected`: the shop marks every completed order as paid, and completed means shipped here.
  if (isCod)
    return {
      method: 'cod',
      state: order.status === 'refunded' ? 'refunded' : 'due',
      amountDueMinor: totalMinor,
      currency,
    }
  const paid = Boolean(order.date_paid_gmt) || stage === 'ship' || stage === 'fulfilled'
  return {
    method: 'prepaid',
    state: order.status === 'refunded' ? 'refunded' : paid ? 'paid' : 'pending',
    amountDueMinor: 0,
    currency,
  }
}

/** Of the order's refunds their totals, below zero, are shown (REST v3, Orders, `refunds`); also those that the owner paid by hand. */
const paidBackOf = (refund: Refund, minor: ReturnType<typeof minorOf>): PaidBack => ({
  id: String(refund.id),
  amountMinor: Math.abs(minor(refund.total) ?? 0),
  key: keyIn(refund.reason),
})

const gmt = (time: string | null | undefined): string | null => (time ? `${time.slice(0, 19)}Z` : null)

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown status is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<WooConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record)
  const { config } = connection
  const stage = stageOf(config, order.status)
  const minor = minorOf(order.currency)
  const lines = order.line_items.filter((line) => line.quantity > 0).map((line) => lineOf(line, minor))
  if (lines.length === 0)
    throw new OmnisagaError('Invalid', `WooCommerce order ${order.id}: field line_items has no quantity`, {
      code: 'line_items',
      remedy: "Look the order up in the shop's back office.",
    })
  const items = order.line_items.map((line) => minor(line.subtotal, line.subtotal_tax))
  const totalMinor = minor(order.total) ?? 0
  const buyer = order.billing
  return {
    channel: 'woocommerce',
    shop: new URL(config.baseUrl).host,
    connection: connection.name,
    externalId: String(order.id),
    externalVersion: order.date_modified_gmt,
    placedAt: gmt(order.date_created_gmt),
    kind: 'online',
    buyer: {
      name: buyer ? nameOf(buyer) : null,
      phone: parsePhone(clean(buyer?.phone)).e164,
      email: shown(buyer?.email),
      memberId: order.customer_id ? String(order.customer_id) : null,
    },
    recipient: recipientOf(order),
    delivery: deliveryOf(order, config),
    payment: paymentOf(order, stage, totalMinor, config),
    lines,
    totals: {
      itemsMinor: items.includes(null) ? null : items.reduce<number>((sum, item) => sum + (item ?? 0), 0),
      shippingMinor: minor(order.shipping_total, order.shipping_tax),
      discountMinor: minor(order.discount_total, order.discount_tax),
      totalMinor,
    },
    ...(order.refunds ? { paidBack: order.refunds.map((each) => paidBackOf(each, minor)) } : {}),
    notes: [clean(order.customer_note), stage ? null : `WooCommerce status ${order.status}`].filter(Boolean).join('\n') || null,
    priority: 0,
    cancelled: stage === 'cancelled',
    onHold: stage === undefined || stage === 'hold' || stage === 'unpaid',
    fulfilled: stage === 'fulfilled',
  }
}
