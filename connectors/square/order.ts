/** Square's order -> canonical order, or a sale at the till. Pure (Orders API). Amounts are minor units already. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { IncomingOrder, PaidBack } from '../../domain/order.ts'
import { isMasked, parseAddress, parsePhone } from '../../mappings/normalise/index.ts'
import { readOrderRecord } from '../kit/incoming.ts'
import { keyIn } from '../kit/refundKeys.ts'
import type { Connection, ExternalSale } from '../kit/types.ts'
import type { SquareConfig } from './config.ts'
import { Order, type Fulfillment, type Line } from './schemas.ts'

/** OrderState, complete. A draft is no order yet. */
export const ORDER: ReadonlyMap<string, 'open' | 'done' | 'cancelled' | 'hold'> = new Map([
  ['OPEN', 'open'],
  ['COMPLETED', 'done'],
  ['CANCELED', 'cancelled'],
  ['DRAFT', 'hold'],
])
/** FulfillmentState, complete. A shipment is COMPLETED when it leaves. */
export const FULFILMENT: ReadonlyMap<string, 'toShip' | 'gone' | 'cancelled' | 'hold'> = new Map([
  ['PROPOSED', 'toShip'],
  ['RESERVED', 'toShip'],
  ['PREPARED', 'toShip'],
  ['COMPLETED', 'gone'],
  ['CANCELED', 'cancelled'],
  ['FAILED', 'hold'],
])

const shown = (value: string | null | undefined): string | null => (isMasked(value) ? null : value?.trim() || null)
const REMEDY = 'Look it up in the Square Dashboard.'
const invalid = (id: string, field: string, why: string) =>
  new OmnisagaError('Invalid', `Square order ${id}: field ${field}: ${why}`, { code: field, remedy: REMEDY })

/** @throws OmnisagaError Invalid with the field and the remedy. */
export function readOrder(record: {
  externalId: string
  payload: Record<string, unknown>
}): Order & { skus: Map<string, string> } {
  const order = readOrderRecord(Order, record, { vendor: 'Square', place: 'the Square Dashboard' })
  const skus = record.payload.skus
  return { ...order, skus: new Map(Object.entries((skus ?? {}) as Record<string, string>)) }
}

/** Custom amounts and gift cards are no goods. */
export const isGoods = (line: Line): boolean => line.item_type === 'ITEM' || !line.item_type
/** @throws Invalid: what is sold by weight is not counted here. */
function piecesOf(id: string, line: Line): number {
  const pieces = Number(line.quantity)
  if (!Number.isInteger(pieces)) throw invalid(id, 'quantity', `${line.quantity} is not a number of pieces`)
  return pieces
}

const recipientIn = (fulfilment: Fulfillment | undefined) =>
  (fulfilment?.shipment_details ?? fulfilment?.pickup_details ?? fulfilment?.delivery_details)?.recipient
function recipientOf(fulfilment: Fulfillment | undefined): IncomingOrder['recipient'] {
  const told = recipientIn(fulfilment)
  if (!told) return { name: null, phone: null, address: null, masked: true }
  const at = told.address
  const street = [at?.address_line_1, at?.address_line_2].map(shown).filter(Boolean).join(' ')
  const { problem: _problem, ...address } = parseAddress(street, {
    postalCode: shown(at?.postal_code),
    city: shown(at?.locality),
    district: shown(at?.sublocality),
    province: shown(at?.administrative_district_level_1),
    country: shown(at?.country),
  })
  return {
    name: shown(told.display_name),
    phone: parsePhone(shown(told.phone_number)).e164,
    address: street === '' ? null : address,
    masked: isMasked(told.display_name) || isMasked(at?.address_line_1) || isMasked(told.phone_number),
  }
}

function deliveryOf(order: Order, fulfilment: Fulfillment | undefined, config: SquareConfig): IncomingOrder['delivery'] {
  const base = { service: null, cvs: null, location: config.locations[order.location_id] ?? null, promisedBy: null }
  if (fulfilment?.type === 'PICKUP')
    return { ...base, method: 'storePickup', promisedBy: timeOf(fulfilment.pickup_details?.pickup_at) }
  const promisedBy = timeOf(fulfilment?.delivery_details?.deliver_at)
  // Square's own courier fetches it at the store.
  if (fulfilment?.delivery_details?.managed_delivery) return { ...base, method: 'handOver', promisedBy }
  const told = [fulfilment?.shipment_details?.shipping_type, fulfilment?.shipment_details?.carrier]
  const service = told.flatMap((each) => (each && Object.hasOwn(config.services, each) ? [config.services[each]!] : []))[0]
  return { ...base, method: 'home', location: null, promisedBy, service: service ?? null }
}
const timeOf = (time: string | null | undefined): string | null =>
  time && !Number.isNaN(Date.parse(time)) ? new Date(time).toISOString() : null

/** RefundStatus; the others are PENDING and APPROVED. */
const PAID_NOTHING: ReadonlySet<string> = new Set(['REJECTED', 'FAILED'])
const paidBackOf = (refunds: NonNullable<Order['refunds']>): PaidBack[] =>
  refunds
    .filter(({ status }) => !PAID_NOTHING.has(status ?? ''))
    .map(({ id, reason, amount_money: money }) => ({ id, amountMinor: money?.amount ?? 0, key: keyIn(reason) }))

/** @throws OmnisagaError Invalid with the field and the remedy. An unknown state is put on hold and shown in the notes. */
export function mapOrder(
  connection: Connection<SquareConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): IncomingOrder {
  const order = readOrder(record)
  const { config } = connection
  const fulfilments = order.fulfillments ?? []
  const open = fulfilments.filter((each) => each.state !== 'CANCELED')
  const first = open[0] ?? fulfilments[0]
  const stage = ORDER.get(order.state)
  const states = fulfilments.map((each) => FULFILMENT.get(each.state))
  const lines = (order.line_items ?? []).filter((line) => isGoods(line) && Number(line.quantity) > 0)
  if (lines.length === 0) throw invalid(order.id, 'line_items', 'no goods are ordered')
  const cancelled = stage === 'cancelled' || (fulfilments.length > 0 && open.length === 0)
  const fulfilled = !cancelled && (stage === 'done' || (open.length > 0 && open.every((each) => each.state === 'COMPLETED')))
  const totalMinor = order.total_money?.amount ?? null
  const paidMinor = (order.tenders ?? []).reduce((sum, tender) => sum + (tender.amount_money?.amount ?? 0), 0)
  const due = order.net_amount_due_money?.amount ?? (totalMinor ?? 0) - paidMinor
  const paid = due <= 0 || stage === 'done'
  const unknown = [
    ...(stage ? [] : [order.state]),
    ...fulfilments.flatMap((each) => [
      ...(FULFILMENT.has(each.state) ? [] : [each.state]),
      ...(['SHIPMENT', 'PICKUP', 'DELIVERY'].includes(each.type) ? [] : [each.type]),
    ]),
  ]
  const details = first?.shipment_details?.shipping_note ?? first?.pickup_details?.note ?? first?.delivery_details?.note
  const held = stage === 'hold' || states.includes('hold') || unknown.length > 0 || !paid
  const recipient = recipientIn(first)
  return {
    channel: 'square',
    shop: config.merchantId,
    connection: connection.name,
    externalId: order.id,
    externalVersion: order.updated_at,
    placedAt: order.created_at,
    kind: 'online',
    buyer: {
      name: shown(recipient?.display_name),
      phone: parsePhone(shown(recipient?.phone_number)).e164,
      email: shown(recipient?.email_address),
      memberId: order.customer_id ?? null,
    },
    recipient: recipientOf(first),
    delivery: deliveryOf(order, first, config),
    ...(order.refunds ? { paidBack: paidBackOf(order.refunds) } : {}),
    payment: {
      method: 'prepaid',
      state: paid ? 'paid' : 'pending',
      amountDueMinor: 0,
      currency: order.total_money?.currency ?? 'USD',
    },
    lines: lines.map((line, at) => {
      const quantity = piecesOf(order.id, line)
      const sku = line.catalog_object_id ? (order.skus.get(line.catalog_object_id) ?? null) : null
      return {
        lineId: line.uid ?? String(at),
        sku,
        externalSku: sku ?? line.catalog_object_id ?? null,
        name: shown(line.name),
        variant: shown(line.variation_name),
        quantity,
        unitPriceMinor: line.total_money ? Math.round(line.total_money.amount / quantity) : null,
        gift: false,
      }
    }),
    totals: {
      itemsMinor: null,
      shippingMinor: order.total_service_charge_money?.amount ?? null,
      discountMinor: order.total_discount_money?.amount ?? null,
      totalMinor,
    },
    notes: [shown(details), ...unknown.map((state) => `Square state ${state}`)].filter(Boolean).join('\n') || null,
    priority: 0,
    cancelled,
    onHold: !cancelled && !fulfilled && held,
    fulfilled,
  }
}

/** What moves: sold lines, and with a minus what was brought back. */
export function movesOf(order: Order): { lineId: string; catalogId: string | null; name: string | null; quantity: number }[] {
  const move = (sign: 1 | -1) => (line: Line, at: number) => ({
    lineId: line.uid ?? `${sign > 0 ? 'sold' : 'back'}-${at}`,
    catalogId: line.catalog_object_id ?? null,
    name: line.name ?? null,
    quantity: sign * piecesOf(order.id, line),
  })
  return [
    ...(order.line_items ?? []).filter(isGoods).map(move(1)),
    ...(order.returns ?? [])
      .flatMap((each) => each.return_line_items ?? [])
      .filter(isGoods)
      .map(move(-1)),
  ].filter(({ quantity }) => quantity !== 0)
}

/** @throws OmnisagaError Invalid with the field and the remedy. */
export function mapSale(
  connection: Connection<SquareConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): ExternalSale {
  const order = readOrder(record)
  return {
    externalId: order.id,
    externalLocation: order.location_id,
    location: connection.config.locations[order.location_id] ?? null,
    at: order.closed_at ?? order.updated_at,
    lines: movesOf(order).map(({ lineId, catalogId, name, quantity }) => ({
      lineId,
      externalSku: (catalogId === null ? null : (order.skus.get(catalogId) ?? catalogId)) ?? name ?? lineId,
      quantity,
    })),
  }
}
