/** CYBERBIZ' order -> canonical order. Pure (GET /v1/orders; recorded answers). */
import { OmnisagaError } from '../../domain/errors.ts'
import type { CvsChain, IncomingOrder, OrderLine } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import type { Connection } from '../kit/types.ts'
import { isoOf } from './api.ts'
import type { CyberbizConfig } from './config.ts'
import { Order, type LineItem } from './schemas.ts'
import { FINANCIAL, FULFILMENT, ORDER, RETURN } from './status.ts'

const clean = (value: string | null | undefined): string | null => value?.trim() || null
/** What is masked or empty is null, never invented. */
const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : clean(value))
const minorOf = (amount: number | null | undefined): number | null =>
  amount === null || amount === undefined ? null : Math.round(amount * 100)

/** @throws OmnisagaError Invalid with the field and the remedy. */
export const readOrder = (record: { externalId: string; payload: Record<string, unknown> }): Order =>
  readOrderRecord(Order, record, { vendor: 'CYBERBIZ', place: "the shop's back office" })

/** @returns the vendor's line of one of ours. */
export const vendorLineId = (lineId: string): string => lineId.split(/[.+]/)[0] ?? lineId

/**
 * A line of a bundle stands for its parts, which are what lies on the shelf. Each is named as domain/bundle.ts names parts
 * (`LINE+2xSKU`: two in every piece of the line), so that the shop is told of the whole once; `LINE.VARIANT` where the buyer chose
 * different parts for each set, or a part has no SKU.
 */
function partsOf(line: LineItem): OrderLine[] {
  const parts = new Map<number, OrderLine>()
  for (const set of line.related_items ?? []) {
    for (const item of set.items ?? []) {
      const quantity = (set.quantity ?? 1) * item.quantity
      const known = parts.get(item.product_variant_id)
      // What this part costs within the bundle: its own price less the difference that CYBERBIZ tells.
      const share = minorOf(
        item.price === null || item.price === undefined || typeof item.combo_product_price_difference !== 'number'
          ? null
          : item.price - item.combo_product_price_difference,
      )
      const sku = clean(item.sku)
      parts.set(item.product_variant_id, {
        lineId: `${line.id}.${item.product_variant_id}`,
        sku,
        externalSku: sku ?? String(item.product_variant_id),
        name: clean(item.title),
        variant: clean(item.variant_title),
        quantity: quantity + (known?.quantity ?? 0),
        unitPriceMinor: known && known.unitPriceMinor !== share ? null : share,
        gift: line.item_type === 'gift',
      })
    }
  }
  return [...parts.values()].map((part) => {
    const per = part.quantity / line.quantity
    return part.sku !== null && Number.isInteger(per) && per > 0 ? { ...part, lineId: `${line.id}+${per}x${part.sku}` } : part
  })
}

export function linesOf(order: Order): OrderLine[] {
  return order.line_items
    .flatMap((line) => {
      const parts = partsOf(line)
      if (parts.length > 0) return parts
      const sku = clean(line.sku)
      return [
        {
          lineId: String(line.id),
          sku,
          externalSku: sku ?? String(line.product_variant_id ?? line.id),
          name: clean(line.title),
          variant: clean(line.variant_title),
          quantity: line.quantity,
          unitPriceMinor: minorOf(line.price),
          gift: line.item_type === 'gift',
        },
      ]
    })
    .filter((line) => line.quantity > 0)
}

const CHAINS: [RegExp, CvsChain][] = [
  [/seven|7-?\s?(11|eleven)|統一超商/i, 'UNIMART'],
  [/family|全家/i, 'FAMI'],
  [/hilife|萊爾富/i, 'HILIFE'],
  [/\bok_?(mart|超商)?\b|OK超商/i, 'OKMART'],
]
const SERVICES: Readonly<Record<string, string>> = { ezcat: 'TCAT', postserv: 'POST' }

function deliveryOf(order: Order, config: CyberbizConfig): IncomingOrder['delivery'] {
  const told = [order.shipping_vendor?.type, order.shipping_type, order.shipping_name].map(clean)
  const storeId = clean(order.receiver?.cvs_store_id)
  const [vendor, type] = told
  const services = { ...SERVICES, ...config.services }
  const service = services[vendor ?? ''] ?? services[type ?? ''] ?? null
  const base = { service, cvs: null, location: null, promisedBy: null, ...askedOf(order) }
  if (order.branch_store) {
    const location = config.locations[clean(order.branch_store.store_no) ?? ''] ?? null
    return { ...base, method: 'storePickup', service: null, location }
  }
  const chain = CHAINS.find(([pattern]) => told.some((text) => text !== null && pattern.test(text)))?.[1] ?? null
  if (chain) return { ...base, method: 'cvs', cvs: { chain, storeId } }
  // A store without a known chain is no address: a person names the courier.
  return { ...base, method: storeId ? 'cvs' : 'home' }
}

function askedOf(order: Order): { askedTime?: string } {
  const date = clean(order.delivery_date)?.slice(0, 10) ?? null
  const slot = order.delivery_time ?? 0
  const asked = [date, slot > 0 ? `slot ${slot}` : null].filter(Boolean).join(' ')
  return asked ? { askedTime: asked } : {}
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const told = order.receiver
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const abroad = clean(told.country_calling_code)?.replace(/\D/g, '') ?? ''
  const number = clean(told.phone)
  const phone = parsePhone(number && abroad && abroad !== '886' ? `+${abroad}${number.replace(/^0/, '')}` : number)
  const detail = told.detail_address
  const raw = shown(told.address) ?? shown([detail?.address1, detail?.address2].map(clean).filter(Boolean).join(' '))
  const { problem: _problem, ...address } = parseAddress(raw ?? '', {
    postalCode: shown(detail?.zip),
    city: shown(detail?.city),
    district: shown(detail?.district),
    province: shown(detail?.province),
    country: shown(detail?.country),
  })
  return {
    name: shown(told.name),
    phone: phone.e164,
    address: raw === null ? null : address,
    masked: isMasked(told.name) || isMasked(told.address) || phone.masked,
  }
}

const isCod = (order: Order): boolean =>
  order.statuses.financial_status === 'cod' ||
  /(^|_)cod($|_)/i.test(`${order.shipping_type ?? ''} ${order.payment_name ?? ''}`.replaceAll(' ', '_')) ||
  /貨到付款/.test(`${order.payment_name ?? ''}${order.payment_method ?? ''}`)

function paymentOf(order: Order, config: CyberbizConfig, totalMinor: number | null): IncomingOrder['payment'] {
  const currency = 'TWD'
  const status = order.statuses.financial_status
  const known = status === 'remitted' && config.remittedIsPaid ? 'paid' : (FINANCIAL.get(status)?.state ?? 'pending')
  if (!isCod(order)) return { method: 'prepaid', state: known === 'due' ? 'pending' : known, amountDueMinor: 0, currency }
  if (totalMinor === null)
    throw new OmnisagaError(
      'Invalid',
      `CYBERBIZ order ${order.id}: field prices.total_price is missing, so what a courier must collect is not known`,
      {
        code: 'prices.total_price',
        remedy: "Look the order up in the shop's back office.",
      },
    )
  const state = known === 'refunded' ? 'refunded' : known === 'paid' ? 'collected' : 'due'
  return { method: 'cod', state, amountDueMinor: totalMinor, currency }
}

/** Statuses that the tables do not have, to be shown. */
function unknownOf(order: Order): string[] {
  const { order_status, financial_status, fulfillment_status, return_status } = order.statuses
  const asked: [string, string | null | undefined, ReadonlyMap<string, unknown>][] = [
    ['order_status', order_status, ORDER],
    ['financial_status', financial_status, FINANCIAL],
    ['fulfillment_status', fulfillment_status, FULFILMENT],
    ['return_status', return_status, RETURN],
  ]
  return asked.flatMap(([name, value, table]) => (value && !table.has(value) ? [`CYBERBIZ ${name} ${value}`] : []))
}

function isHeld(order: Order, config: CyberbizConfig): boolean {
  const { financial_status: money, fulfillment_status: goods, return_status: back } = order.statuses
  // Cash on delivery is not paid before it is shipped; a reported transfer is trusted where the shop says so.
  const trusted = (money === 'pending' && isCod(order)) || (money === 'remitted' && config.remittedIsPaid)
  return (
    (!trusted && (FINANCIAL.get(money)?.hold ?? true)) ||
    FULFILMENT.get(goods) === 'hold' ||
    (back ? RETURN.get(back) === 'asked' : false)
  )
}

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown status is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<CyberbizConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record)
  const { config } = connection
  const lines = linesOf(order)
  const emptied = lines.length === 0
  const unknown = unknownOf(order)
  const [itemsMinor, shippingMinor, totalMinor] = [
    minorOf(order.prices?.total_line_items_price),
    minorOf(order.prices?.shipping_rate_price),
    minorOf(order.prices?.total_price),
  ]
  const told = itemsMinor !== null && shippingMinor !== null && totalMinor !== null
  const stage = ORDER.get(order.statuses.order_status)
  const goods = FULFILMENT.get(order.statuses.fulfillment_status)
  const phone = parsePhone(clean(order.customer?.mobile) ?? clean(order.buyer?.mobile))
  return {
    channel: 'cyberbiz',
    shop: config.shopDomain,
    connection: connection.name,
    externalId: String(order.id),
    externalVersion: isoOf(order.updated_at),
    placedAt: isoOf(order.created_at),
    kind: 'online',
    buyer: {
      name: shown(order.customer?.name),
      phone: phone.e164,
      email: shown(order.customer?.email) ?? shown(order.buyer?.email),
      memberId: order.customer?.id ? String(order.customer.id) : null,
    },
    recipient: recipientOf(order),
    delivery: deliveryOf(order, config),
    payment: paymentOf(order, config, totalMinor),
    // Everything of it may have been taken off: the lines then say what it was.
    lines: emptied ? linesOf({ ...order, line_items: order.line_items.map((line) => ({ ...line, quantity: 1 })) }) : lines,
    totals: {
      itemsMinor,
      shippingMinor,
      discountMinor: told ? itemsMinor + shippingMinor - totalMinor : null,
      totalMinor,
    },
    notes: [clean(order.note), ...unknown].filter(Boolean).join('\n') || null,
    priority: 0,
    cancelled: stage === 'cancelled' || emptied,
    onHold: isHeld(order, config) || unknown.length > 0,
    fulfilled: stage === 'done' || goods === 'gone' || RETURN.get(order.statuses.return_status ?? '') === 'back',
  }
}
