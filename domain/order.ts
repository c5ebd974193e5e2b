/**
 * The canonical order: what every command and route shows, whatever the source was.
 * Times are ISO 8601 with offset, amounts ISO 4217 minor units (NT$ 590 is 59000).
 * What a source masks or lacks is null, never invented.
 */
import { z } from 'zod'

export const OrderKind = z.enum(['online', 'store', 'tryOn', 'groupBuy', 'replenishment'])
export type OrderKind = z.infer<typeof OrderKind>

export const DeliveryMethod = z.enum(['home', 'cvs', 'storePickup', 'handOver'])
export type DeliveryMethod = z.infer<typeof DeliveryMethod>

export const CvsChain = z.enum(['UNIMART', 'FAMI', 'HILIFE', 'OKMART'])
export type CvsChain = z.infer<typeof CvsChain>

const minor = z.number().int()
const isoTime = z.iso.datetime({ offset: true })

export const Address = z.object({
  postalCode: z.string().nullable(),
  city: z.string().nullable(),
  district: z.string().nullable(),
  /** What follows the district: road, lane, number, floor. */
  line: z.string().nullable(),
  /** The address as it was written; kept whatever parsing made of it. */
  raw: z.string().nullable(),
  /** ISO 3166-1 alpha-2. */
  country: z.string().length(2).nullable(),
  /** State or province, where the country has one. */
  province: z.string().nullable().optional(),
})
export type Address = z.infer<typeof Address>

export const Buyer = z.object({
  name: z.string().nullable(),
  /** E.164. */
  phone: z.string().nullable(),
  email: z.string().nullable(),
  memberId: z.string().nullable(),
  /** The id by which the brand's LINE account knows them. */
  lineUserId: z.string().nullable().optional(),
  /** True when they do not want to be written to. */
  optOut: z.boolean().optional(),
})
export type Buyer = z.infer<typeof Buyer>

export const Recipient = z.object({
  name: z.string().nullable(),
  /** E.164, e.g. +886912345678. */
  phone: z.string().nullable(),
  address: Address.nullable(),
  /** True when the channel hides the recipient; its own label carries the rest. */
  masked: z.boolean().optional(),
})
export type Recipient = z.infer<typeof Recipient>

export const Delivery = z.object({
  method: DeliveryMethod,
  /** Courier service wished for, e.g. `TCAT`, or `channel` when the channel's own logistics carry the parcel. */
  service: z.string().nullable(),
  cvs: z.object({ chain: CvsChain, storeId: z.string().nullable() }).nullable(),
  /** Our own location that hands over (storePickup, handOver) or where a try-on happens. */
  location: z.string().nullable(),
  promisedBy: isoTime.nullable(),
  /** Time the customer asked for, in the customer's words or a courier's slot. */
  askedTime: z.string().nullable().optional(),
})
export type Delivery = z.infer<typeof Delivery>

export const Payment = z.object({
  method: z.enum(['prepaid', 'cod']),
  state: z.enum(['pending', 'paid', 'due', 'collected', 'refunded']),
  /** What the courier must collect; 0 when prepaid. */
  amountDueMinor: minor,
  /** ISO 4217. */
  currency: z.string().length(3),
})
export type Payment = z.infer<typeof Payment>

export const OrderLine = z.object({
  lineId: z.string(),
  sku: z.string().nullable(),
  externalSku: z.string().nullable(),
  name: z.string().nullable(),
  variant: z.string().nullable(),
  quantity: z.number().int().positive(),
  unitPriceMinor: minor.nullable(),
  gift: z.boolean(),
})
export type OrderLine = z.infer<typeof OrderLine>

export const Totals = z.object({
  itemsMinor: minor.nullable(),
  shippingMinor: minor.nullable(),
  discountMinor: minor.nullable(),
  totalMinor: minor.nullable(),
})
export type Totals = z.infer<typeof Totals>

/** A refund as the source tells it: made by its own people, or ours that came through it. */
export const PaidBack = z.object({
  /** The source's own. */
  id: z.string(),
  amountMinor: minor.nonnegative(),
  /** Ours, where the refund bears one. */
  key: z.string().nullable(),
})
export type PaidBack = z.infer<typeof PaidBack>

/** An order as a source tells it, before it is stored. */
export const IncomingOrder = z.object({
  channel: z.string(),
  /** The account within the channel; identity is channel, shop and externalId. */
  shop: z.string(),
  connection: z.string(),
  externalId: z.string(),
  /** Grows with every edit at the source; compared as text within one source. Null when the source has none. */
  externalVersion: z.string().nullable(),
  placedAt: isoTime.nullable(),
  kind: OrderKind,
  /** The group-buy or promotion it belongs to: it holds from what is allotted to that. */
  campaign: z.string().nullable().optional(),
  buyer: Buyer,
  recipient: Recipient,
  delivery: Delivery,
  payment: Payment,
  lines: z.array(OrderLine).min(1),
  totals: Totals,
  /** What the source has paid back, all of it; absent: it does not say. */
  paidBack: z.array(PaidBack).optional(),
  notes: z.string().nullable(),
  priority: z.number().int(),
  /** True when the source says the order is cancelled. */
  cancelled: z.boolean().optional(),
  /** True when the source will not let goods be shipped yet (unpaid, being cancelled). */
  onHold: z.boolean().optional(),
  /** True when the source says the goods have already left; an order first seen so was not ours to ship. */
  fulfilled: z.boolean().optional(),
  /** The order and the return whose goods this one replaces. */
  exchangeOf: z.object({ orderId: z.string(), returnId: z.string(), until: isoTime }).nullable().optional(),
  /** Customs papers for a parcel that leaves the country. */
  customs: z
    .object({ invoiceNumber: z.string(), hsCodes: z.array(z.string()).min(1) })
    .nullable()
    .optional(),
})
export type IncomingOrder = z.infer<typeof IncomingOrder>

/** Pieces of a line, as a channel is told of them. A line's id is the vendor's own line id where it has one. */
export type ToldLine = Pick<OrderLine, 'lineId' | 'sku' | 'externalSku' | 'quantity'>

export const Phase = z.enum([
  'received',
  'blocked',
  'waitingStock',
  'reserved',
  'tryOn',
  'confirming',
  'confirmed',
  'picking',
  'packed',
  'shipped',
  'delivered',
  'returning',
  'returned',
  'cancelling',
  'cancelled',
])
export type Phase = z.infer<typeof Phase>

export const CanonicalOrder = IncomingOrder.omit({ cancelled: true, onHold: true, fulfilled: true }).extend({
  id: z.string(),
  phase: Phase,
})
export type CanonicalOrder = z.infer<typeof CanonicalOrder>
