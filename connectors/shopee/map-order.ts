/** Shopee's order detail -> canonical order. Pure (v2.order.get_order_detail). */
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder, OrderLine } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import type { Connection } from '../kit/types.ts'
import { channelLogistics, ownCarrierChain } from './channels.ts'
import type { ShopeeConfig } from './config.ts'
import { Order, type Item, type RecipientAddress } from './schemas.ts'

/** The source will not let goods be shipped yet. */
const ON_HOLD = new Set(['UNPAID', 'IN_CANCEL', 'PENDING', 'INVOICE_PENDING'])
const TO_SHIP = new Set(['READY_TO_SHIP', 'PROCESSED', 'RETRY_SHIP'])
/** The goods have left. */
const FULFILLED = new Set(['SHIPPED', 'TO_CONFIRM_RECEIVE', 'COMPLETED', 'TO_RETURN'])
const CANCELLED = 'CANCELLED'

/** ISO 4217 currencies of Shopee's regions that have no hundredths. */
const WHOLE = new Set(['VND', 'CLP'])
const ZONE = '+08:00'
const ZONE_MS = 8 * 60 * 60_000

/** Seconds to ISO 8601 in Taiwan's zone. */
const atTaipei = (seconds: number): string => new Date(seconds * 1000 + ZONE_MS).toISOString().replace(/\.\d+Z$/, ZONE)

const clean = (value: string | null | undefined): string | null => value?.trim() || null
/** What is masked or empty is null, never invented. */
const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : clean(value))

/** Amounts arrive as decimals of the currency. */
export const minorOf =
  (currency: string) =>
  (amount: number): number =>
    Math.round(amount * (WHOLE.has(currency) ? 1 : 100))

/** @throws OmnisagaError Invalid with the field and the remedy. */
const readOrder = (record: { externalId: string; payload: Record<string, unknown> }): Order =>
  readOrderRecord(Order, record, { vendor: 'Shopee', place: 'the Seller Center' })

/** Within a bundle the vendor writes 0, since the bundle's price is not split over its items. */
const unitPrice = (item: Item): number | null =>
  item.promotion_type === 'bundle_deal' && item.model_discounted_price === 0 ? null : (item.model_discounted_price ?? null)

function lines(order: Order): OrderLine[] {
  const minor = minorOf(order.currency)
  const used = new Map<string, number>()
  const mapped = order.item_list.map((item) => {
    // The same name the Excel export has for it (商品ID_規格ID); one model may stand on several lines.
    const model = `${item.item_id}_${item.model_id}`
    const nth = (used.get(model) ?? 0) + 1
    used.set(model, nth)
    const sku = clean(item.model_sku) ?? clean(item.item_sku)
    const price = unitPrice(item)
    return {
      lineId: nth === 1 ? model : `${model}#${nth}`,
      sku,
      externalSku: sku ?? model,
      name: clean(item.item_name),
      variant: clean(item.model_name),
      quantity:
        order.order_status === CANCELLED ? item.model_quantity_purchased : (item.active_qty ?? item.model_quantity_purchased),
      unitPriceMinor: price === null ? null : minor(price),
      gift: /free_gift_sub/.test(item.promotion_type ?? ''),
    }
  })
  return mapped.filter((line) => line.quantity > 0)
}

/** Which of the four fields holds the city differs by region: it is the first that ends like one, and the district the next. */
function areaOf(told: RecipientAddress): { city: string | null; district: string | null } {
  const fields = [told.state, told.city, told.district, told.town].map(shown).filter((field) => field !== null)
  const at = Math.max(
    0,
    fields.findIndex((field) => /[市縣]$/.test(field)),
  )
  return { city: fields[at] ?? null, district: fields[at + 1] ?? null }
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const told = order.recipient_address
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const parcel = order.package_list?.[0]
  const phone = parsePhone(told.phone)
  // Taiwan's sellers with a courier of their own are given a number that is put through to the buyer.
  const virtual = clean(parcel?.virtual_contact_number)
  const full = shown(told.full_address)
  const { problem: _problem, ...address } = parseAddress(full ?? '', {
    postalCode: shown(told.zipcode),
    country: clean(told.region),
    ...areaOf(told),
  })
  return {
    name: shown(told.name),
    phone: phone.e164 ?? (virtual ? parsePhone(virtual).e164 : null),
    address: full === null ? null : address,
    masked: isMasked(told.name) || isMasked(told.full_address) || (phone.masked && !virtual),
  }
}

function paymentOf(order: Order, totalMinor: number | null): IncomingOrder['payment'] {
  const { currency } = order
  if (order.cod) {
    if (totalMinor === null)
      throw new OmnisagaError(
        'Invalid',
        `Shopee order ${order.order_sn}: field total_amount is missing, so what a courier must collect is not known`,
        { code: 'total_amount', remedy: 'Look the order up in the Seller Center.' },
      )
    return {
      method: 'cod',
      state: order.order_status === 'COMPLETED' ? 'collected' : 'due',
      amountDueMinor: totalMinor,
      currency,
    }
  }
  const paid = Boolean(order.pay_time) || TO_SHIP.has(order.order_status) || FULFILLED.has(order.order_status)
  return { method: 'prepaid', state: paid ? 'paid' : 'pending', amountDueMinor: 0, currency }
}

function notesOf(order: Order, known: boolean): string | null {
  const query = clean(order.package_list?.[0]?.package_query_number)
  const notes = [
    clean(order.message_to_seller),
    clean(order.note),
    query && `包裹查詢碼 ${query}`,
    known ? null : `Shopee order_status ${order.order_status}`,
  ]
  return notes.filter(Boolean).join('\n') || null
}

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown status is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<ShopeeConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record)
  const status = order.order_status
  const known = status === CANCELLED || ON_HOLD.has(status) || TO_SHIP.has(status) || FULFILLED.has(status)
  const carried = channelLogistics(connection.config, order)
  const ownChain = carried ? null : ownCarrierChain(order)
  const chain = carried ? carried.chain : ownChain
  const orderLines = lines(order)
  // Everything of it was cancelled piece by piece.
  const emptied = orderLines.length === 0
  const kept = emptied ? lines({ ...order, order_status: CANCELLED }) : orderLines
  const prices = kept.map((line) => (line.unitPriceMinor === null ? null : line.unitPriceMinor * line.quantity))
  const itemsMinor = prices.includes(null) ? null : prices.reduce<number>((sum, price) => sum + (price ?? 0), 0)
  const totalMinor = typeof order.total_amount === 'number' ? minorOf(order.currency)(order.total_amount) : null
  return {
    channel: 'shopee',
    shop: String(connection.config.shopId),
    connection: connection.name,
    externalId: order.order_sn,
    externalVersion: String(order.update_time),
    placedAt: atTaipei(order.create_time),
    kind: 'online',
    buyer: {
      name: shown(order.buyer_username),
      phone: null,
      email: null,
      memberId: order.buyer_user_id ? String(order.buyer_user_id) : null,
    },
    recipient: recipientOf(order),
    delivery: {
      method: carried?.method ?? (ownChain ? 'cvs' : 'home'),
      service: carried ? 'channel' : ownChain ? null : connection.config.ownCourier,
      cvs: chain ? { chain, storeId: null } : null,
      location: null,
      promisedBy: null,
    },
    payment: paymentOf(order, totalMinor),
    lines: kept,
    // What the buyer paid for shipping, and what vouchers took off, is not in the order's detail.
    totals: { itemsMinor, shippingMinor: null, discountMinor: null, totalMinor },
    notes: notesOf(order, known),
    priority: 0,
    cancelled: status === CANCELLED || emptied,
    onHold: ON_HOLD.has(status) || !known || order.advance_package === true || order.fulfillment_flag === 'fulfilled_by_shopee',
    fulfilled: FULFILLED.has(status),
  }
}
