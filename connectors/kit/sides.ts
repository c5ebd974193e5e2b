/** The sides a connector may have besides orders, courier and warehouse, and the words they use. See Connector in types.ts. */
import type { CvsChain, ToldLine } from '../../domain/order.ts'
import type { ConnectorContext, ParcelReport, ParcelRequest, RawRecord } from './basics.ts'

export type { ToldLine }

/** A label, a manifest, a page; as the vendor gave it. */
export interface Document {
  /** e.g. `application/pdf`, `text/html; charset=utf-8` */
  contentType: string
  bytes: Buffer
}

// ── What a channel is told ──────────────────────────────────────────────────────────────────────────────────────
export interface Tracking {
  externalId: string
  /** Of this telling: the same parcel told again has the same key. */
  key: string
  waybill: string
  /** The courier's service, e.g. `TCAT`. */
  courier: string
  /** What is in the parcel. */
  lines: ToldLine[]
}
export interface RefundRequest {
  externalId: string
  key: string
  amountMinor: number
  currency: string
  lines: ToldLine[]
  reason: string
}

// ── Stock ───────────────────────────────────────────────────────────────────────────────────────────────────────
/** What a channel offers for sale. With no variants `variantId` is null. */
export interface Listing {
  listingId: string
  variantId: string | null
  externalSku: string | null
  title: string | null
}
/** The level a channel shall show: absolute, newest wins. `version` grows with every level of the listing. */
export interface ListingLevel extends Listing {
  quantity: number
  version: number
}
export interface ListingOutcome {
  listingId: string
  variantId: string | null
  /** Null: accepted. */
  error: { kind: 'Rejected' | 'Invalid'; code: string; message: string } | null
}
/** What a system says lies at a location. `location` is ours; null when the connection's config maps the vendor's to none of ours. */
export interface ExternalLevel {
  externalSku: string
  externalLocation: string
  location: string | null
  onHand: number
  /** ISO 8601; null when the system does not say. */
  at: string | null
}
export interface ExternalSale {
  externalId: string
  externalLocation: string
  location: string | null
  at: string
  /** Negative: brought back. */
  lines: { lineId: string; externalSku: string; quantity: number }[]
}
/** A return as a channel tells it. */
export interface ChannelReturn {
  /** The order's number at the channel. */
  externalId: string
  /** The return's own number there; the order's where it has none. */
  number: string
  /** `closed`: all is done there. `unknown`: kept and shown, never guessed. */
  state: 'asked' | 'accepted' | 'closed' | 'cancelled' | 'unknown'
  /** In the vendor's words. */
  status: string
  reason: string
  /** By the vendor's line ids; `quantity` null: all of the line. Null: all that the customer has. */
  lines: { lineId: string; quantity: number | null }[] | null
  /** Why it is not known which pieces come back; a person says so. */
  unclear: string | null
  /** False: money is asked for, and the customer keeps the goods. */
  goodsComeBack: boolean
  /** The channel pays the customer by itself. */
  paysBack: boolean
  refundMinor: number | null
  waybill: string | null
}
export interface StockSide<C = unknown> {
  /** How many levels one push may carry. */
  batchSize: number
  /** Every listing of the account, page by page. */
  listListings?(ctx: ConnectorContext<C>): AsyncGenerator<Listing[]>
  /** At most `batchSize` levels. What the vendor refuses of single listings is an outcome, not an error. */
  push?(ctx: ConnectorContext<C>, levels: ListingLevel[]): Promise<ListingOutcome[]>
  /** What the system itself counts, page by page. */
  read?(ctx: ConnectorContext<C>): AsyncGenerator<ExternalLevel[]>
}

// ── ERP ─────────────────────────────────────────────────────────────────────────────────────────────────────────
export interface ErpParty {
  name: string | null
  phone: string | null
  email: string | null
  address: {
    postalCode: string | null
    city: string | null
    district: string | null
    line: string | null
    country: string | null
  } | null
}
export interface ErpLine {
  lineId: string
  sku: string
  name: string | null
  quantity: number
  unitPriceMinor: number
}
/** `reference` is the order's id: written twice, the vendor holds one document (looked up first where it has no key). */
export interface ErpSale {
  reference: string
  channel: string
  externalId: string
  placedAt: string | null
  currency: string
  buyer: ErpParty
  recipient: ErpParty
  lines: ErpLine[]
  shippingMinor: number
  discountMinor: number
  totalMinor: number
}
/** `reference` is the unit's id. */
export interface ErpShipment {
  reference: string
  saleReference: string
  location: string
  waybill: string | null
  courier: string | null
  shippedAt: string
  lines: ErpLine[]
}
export interface ErpReturn {
  reference: string
  saleReference: string
  location: string
  at: string
  lines: ErpLine[]
}
export interface ErpDocument {
  /** The vendor's id and its number as people read it. */
  id: string
  number: string | null
}
export interface ErpProduct {
  sku: string
  name: string | null
  barcode: string | null
  weightGrams: number | null
}
export interface ErpSide<C = unknown> {
  writeSale(ctx: ConnectorContext<C>, sale: ErpSale): Promise<ErpDocument>
  /** @throws Transient, code `no-sale`, when the sale is not written yet. */
  writeShipment(ctx: ConnectorContext<C>, shipment: ErpShipment): Promise<ErpDocument>
  /** Of a sale that was not shipped. @throws Rejected when the ERP will not let it go. */
  cancelSale(ctx: ConnectorContext<C>, args: { reference: string; reason: string }): Promise<void>
  writeReturn?(ctx: ConnectorContext<C>, goods: ErpReturn): Promise<ErpDocument>
  readProducts?(ctx: ConnectorContext<C>): AsyncGenerator<ErpProduct[]>
}

// ── Customers ───────────────────────────────────────────────────────────────────────────────────────────────────
export interface Notice {
  /** The same notice sent again has the same key: the customer hears it once where the vendor can tell. */
  key: string
  to: { email: string | null; lineUserId: string | null; phone: string | null; name: string | null }
  template: string
  subject: string
  /** Plain text, in the customer's language. */
  text: string
}
export interface NotifySide<C = unknown> {
  /** Whether this customer can be reached this way. Pure. */
  reaches(config: C, to: Notice['to']): boolean
  send(ctx: ConnectorContext<C>, notice: Notice): Promise<void>
}

// ── Parcels ─────────────────────────────────────────────────────────────────────────────────────────────────────
export interface BookedParcel {
  reference: string
  courierBookingId: string
  waybill: string | null
  service: string
  /** What the booking gave us (Booking.label). */
  label: Record<string, unknown>
}
/** The courier shall come for these parcels, to the address that its connection's configuration names as the sender's. */
export interface PickupRequest {
  /** The same at every repeat: a courier that was asked already comes once. */
  reference: string
  fromIso: string
  untilIso: string
  parcels: BookedParcel[]
  /** For the driver. */
  instructions: string | null
}
export interface Pickup {
  pickupId: string
  /** The number to name on the telephone. */
  confirmation: string | null
  fromIso: string
  untilIso: string
}
export interface PickupPoint {
  chain: CvsChain
  storeId: string
  name: string
  address: string
  phone: string | null
}
/** What a customer chose on the courier's map. `extra` is what `pickupMap` was given. */
export interface PickupChoice {
  chain: CvsChain
  storeId: string
  name: string | null
  extra: string
}
/** As a booking, with the customer as sender. `original` is the parcel that brought the goods, when there was one. */
export type ReturnRequest = ParcelRequest & { original: BookedParcel | null }
export interface Remittance {
  reference: string | null
  courierBookingId: string
  collectedMinor: number
  feeMinor: number
  /** ISO 8601 date. */
  paidOutOn: string
}
/** Follows parcels that others carry. */
export interface TrackerSide<C = unknown> {
  /** Registering twice is harmless. What the vendor does not take of single parcels is returned. */
  register(
    ctx: ConnectorContext<C>,
    parcels: { waybill: string; courier: string; service: string; reference: string }[],
  ): Promise<{ waybill: string; error: string }[]>
  poll?(ctx: ConnectorContext<C>, waybills: string[]): Promise<RawRecord[]>
  /** Pure. */
  mapReport(record: { externalId: string; payload: Record<string, unknown>; eventAt: string | null }): ParcelReport
}
