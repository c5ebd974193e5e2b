/** Shopify's order -> canonical order. Pure (Admin GraphQL, Order). */
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder, PaidBack } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import { keyIn } from '../kit/refundKeys.ts'
import type { Connection } from '../kit/types.ts'
import { numberOf } from './api.ts'
import type { ShopifyConfig } from './config.ts'
import { Order, type LineItem } from './queries.ts'
import { FINANCIAL, FULFILMENT } from './status.ts'

const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : value?.trim() || null)

/** Digits after the point by ISO 4217; TWD has two. */
export const digitsOf = (currency: string): number =>
  new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
/** `590.0` of TWD is 59000. */
export const minorOf = (amount: string, currency: string): number => Math.round(Number(amount) * 10 ** digitsOf(currency))
export const amountText = (minor: number, currency: string): string =>
  (minor / 10 ** digitsOf(currency)).toFixed(digitsOf(currency))

/** @throws OmnisagaError Invalid with the field and the remedy. */
export const readOrder = (record: { externalId: string; payload: Record<string, unknown> }): Order =>
  readOrderRecord(Order, record, { vendor: 'Shopify', place: "the shop's admin" })

/** Chinese names are written without a space, family name first. */
function nameOf(person: Order['shippingAddress']): string | null {
  const [first, last] = [shown(person?.firstName), shown(person?.lastName)]
  if (/\p{Script=Han}/u.test(`${first ?? ''}${last ?? ''}`)) return `${last ?? ''}${first ?? ''}`
  return shown(person?.name) ?? ([first, last].filter(Boolean).join(' ') || null)
}

function recipientOf(order: Order): IncomingOrder['recipient'] {
  const told = order.shippingAddress
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const street = [told.address1, told.address2].map(shown).filter(Boolean).join(' ')
  const [city, province, country] = [shown(told.city), shown(told.province), shown(told.countryCodeV2)]
  // Taiwan has no provinces in Shopify: 縣市 or 鄉鎮市區 stands in the city, as the buyer wrote it.
  const inTaiwan = country === 'TW'
  const isCity = city !== null && /[市縣]$/.test(city)
  const raw = inTaiwan && city !== null && !street.includes(city) ? `${city}${street}` : street
  const { problem: _problem, ...address } = parseAddress(raw, {
    postalCode: shown(told.zip),
    country,
    ...(inTaiwan ? (isCity ? { city } : {}) : { city, province }),
  })
  const phone = parsePhone(shown(told.phone) ?? shown(order.phone))
  return {
    name: nameOf(told),
    phone: phone.e164,
    address: street === '' && city === null ? null : address,
    masked: isMasked(told.lastName) || isMasked(told.address1) || isMasked(told.phone) || phone.masked,
  }
}

const METHODS_AT_STORE: ReadonlySet<string> = new Set(['PICK_UP'])
/** Sold and handed over at the shop's own till. */
const isRetail = (order: Order): boolean => {
  const types = (order.fulfillmentOrders?.nodes ?? []).map((each) => each.deliveryMethod?.methodType)
  return types.length > 0 && types.every((type) => type === 'RETAIL')
}

function deliveryOf(order: Order, config: ShopifyConfig): IncomingOrder['delivery'] {
  const told = [order.shippingLine?.code, order.shippingLine?.title].filter((each) => typeof each === 'string')
  const named = <T>(table: Record<string, T>): T | null =>
    told.flatMap((each) => (Object.hasOwn(table, each) ? [table[each]!] : []))[0] ?? null
  const base = { service: named(config.services), cvs: null, location: null, promisedBy: null }
  const pickup = (order.fulfillmentOrders?.nodes ?? []).find((each) =>
    METHODS_AT_STORE.has(each.deliveryMethod?.methodType ?? ''),
  )
  if (pickup) {
    const location = pickup.assignedLocation?.location?.id
    const ours = location === undefined ? null : (config.pickupLocations[numberOf(location)] ?? null)
    return { ...base, method: 'storePickup', service: null, location: ours }
  }
  const attributes = new Map((order.customAttributes ?? []).map(({ key, value }) => [key, shown(value)]))
  const storeId = config.cvsStoreAttributes.map((key) => attributes.get(key)).find((value) => value) ?? null
  const chain = named(config.cvsMethods)
  if (chain) return { ...base, method: 'cvs', cvs: { chain, storeId } }
  return { ...base, method: storeId === null ? 'home' : 'cvs' }
}

/** What is still to be sent of each line; lines that need no shipping (gift cards, services) only where there is nothing else. */
function goodsOf(order: Order): { line: LineItem; quantity: number }[] {
  const all = order.lineItems.nodes.filter((line) => line.quantity > 0)
  const goods = all.some((line) => line.requiresShipping !== false) ? all.filter((line) => line.requiresShipping !== false) : all
  const left = goods.filter((line) => (line.currentQuantity ?? line.quantity) > 0)
  // Cancelled, refunded or taken out of the order: it is shown as it was ordered.
  const isAsOrdered = Boolean(order.cancelledAt) || left.length === 0
  return (isAsOrdered ? goods : left).map((line) => ({
    line,
    quantity: isAsOrdered ? line.quantity : (line.currentQuantity ?? line.quantity),
  }))
}

/** What the first ten refunds do not tell is one more. */
function paidBackOf(order: Order, minor: (money: Order['totalPriceSet']) => number | null): PaidBack[] {
  const told = (order.refunds ?? []).map(({ id, note, totalRefundedSet }) => ({
    id: numberOf(id),
    amountMinor: minor(totalRefundedSet) ?? 0,
    key: keyIn(note),
  }))
  const others = (minor(order.totalRefundedSet) ?? 0) - told.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
  return others > 0 ? [...told, { id: 'others', amountMinor: others, key: null }] : told
}

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown status is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<ShopifyConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record)
  const { config } = connection
  const currency = order.currencyCode
  const minor = (money: Order['totalPriceSet']) => (money ? minorOf(money.shopMoney.amount, currency) : null)
  const goods = goodsOf(order)
  if (goods.length === 0)
    throw new OmnisagaError('Invalid', `Shopify order ${record.externalId}: field lineItems has no quantity`, {
      code: 'lineItems',
      remedy: "Look the order up in the shop's admin.",
    })
  const cancelled = Boolean(order.cancelledAt)
  const nothingLeft = order.lineItems.nodes.every((line) => line.currentQuantity === 0)
  // An order that costs nothing has no financial status.
  const financial = order.displayFinancialStatus ?? 'PAID'
  const money = FINANCIAL.get(financial)
  const goodsStatus = isRetail(order) ? 'gone' : FULFILMENT.get(order.displayFulfillmentStatus)
  const isCod = financial === 'PENDING' && (order.paymentGatewayNames ?? []).some((name) => config.codGateways.includes(name))
  const mayLeave = isCod || (financial === 'AUTHORIZED' && config.shipWhenAuthorized) || money?.hold === false
  const totalMinor = minor(order.totalPriceSet)
  const unknown = [money ? null : financial, goodsStatus ? null : order.displayFulfillmentStatus].filter((each) => each !== null)
  return {
    channel: 'shopify',
    shop: config.shop,
    connection: connection.name,
    externalId: numberOf(order.id),
    externalVersion: order.updatedAt,
    placedAt: order.processedAt ?? order.createdAt ?? null,
    kind: isRetail(order) ? 'store' : 'online',
    buyer: {
      name: nameOf(order.billingAddress ?? order.shippingAddress),
      phone: parsePhone(shown(order.phone) ?? shown(order.billingAddress?.phone)).e164,
      email: shown(order.email),
      memberId: null,
    },
    recipient: recipientOf(order),
    delivery: deliveryOf(order, config),
    payment: isCod
      ? { method: 'cod', state: 'due', amountDueMinor: minor(order.totalOutstandingSet) ?? totalMinor ?? 0, currency }
      : { method: 'prepaid', state: money?.state ?? 'pending', amountDueMinor: 0, currency },
    lines: goods.map(({ line, quantity }) => ({
      lineId: numberOf(line.id),
      sku: shown(line.sku),
      externalSku: shown(line.sku) ?? (line.variant ? numberOf(line.variant.id) : null),
      name: shown(line.title),
      variant: shown(line.variantTitle),
      quantity,
      unitPriceMinor: minor(line.discountedUnitPriceAfterAllDiscountsSet),
      gift: false,
    })),
    totals: {
      itemsMinor: minor(order.subtotalPriceSet),
      shippingMinor: minor(order.totalShippingPriceSet),
      discountMinor: minor(order.totalDiscountsSet),
      totalMinor,
    },
    ...(order.refunds ? { paidBack: paidBackOf(order, minor) } : {}),
    notes: [shown(order.note), ...unknown.map((status) => `Shopify status ${status}`)].filter(Boolean).join('\n') || null,
    priority: 0,
    cancelled,
    onHold: !cancelled && goodsStatus !== 'gone' && (!mayLeave || goodsStatus !== 'toShip' || nothingLeft),
    fulfilled: !cancelled && goodsStatus === 'gone',
  }
}
