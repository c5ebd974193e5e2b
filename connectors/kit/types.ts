/**
 * What a connector is. One folder a system, the only code that knows its vendor. Requests and parsing are pure functions in
 * pairs (`xRequest`, `parseX`); one file does the I/O. A connector offers the capabilities it has; the rest stay undefined.
 * Every error that leaves a connector is an OmnisagaError.
 */
import type { z } from 'zod'
import type { CvsChain, IncomingOrder } from '../../domain/order.ts'
import type {
  Booking,
  CheckResult,
  Connection,
  ConnectorContext,
  ParcelReport,
  ParcelRequest,
  RawRecord,
  ShipmentAdvice,
  WarehouseAnswers,
  Wave,
} from './basics.ts'
import type {
  BookedParcel,
  ChannelReturn,
  Document,
  ErpSide,
  ExternalSale,
  NotifySide,
  Pickup,
  PickupChoice,
  PickupPoint,
  PickupRequest,
  RefundRequest,
  Remittance,
  ReturnRequest,
  StockSide,
  TrackerSide,
  Tracking,
} from './sides.ts'

export type * from './basics.ts'
export type * from './sides.ts'

export type ConnectorKind = 'marketplace' | 'shop' | 'pos' | 'erp' | 'warehouse' | 'courier' | 'tracker' | 'notify' | 'file'

export interface Connector<C = unknown> {
  name: string
  /** As people call the system, e.g. `Shopee Open Platform v2`. */
  title: string
  kind: ConnectorKind
  /** `secretFields` name the keys of the config that are stored encrypted and never shown. */
  configSchema: z.ZodType<C>
  secretFields: readonly string[]
  check(ctx: ConnectorContext<C>): Promise<CheckResult>

  /** Marketplace: every record changed in [from, to], page by page; the caller makes each page durable before asking for the next. */
  pullOrders?(ctx: ConnectorContext<C>, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]>
  /** These orders as they are now; a webhook's record whose payload is {lookAt: ...} only says that one should be fetched. */
  fetchOrders?(ctx: ConnectorContext<C>, externalIds: string[]): Promise<RawRecord[]>
  /** Pure. @throws OmnisagaError Invalid with the field and the remedy. */
  mapOrder?(connection: Connection<C>, record: { externalId: string; payload: Record<string, unknown> }): IncomingOrder
  /** The channel to which orders of this connection belong, e.g. {channel: 'shopee', shop: '600000'}. */
  identity?(connection: Connection<C>): { channel: string; shop: string }
  /** The order is stored here: the channel may stop offering it. Telling it twice is harmless. */
  acknowledgeOrder?(ctx: ConnectorContext<C>, args: { externalId: string; orderId: string }): Promise<void>
  writeTracking?(ctx: ConnectorContext<C>, args: Tracking): Promise<void>
  /** The goods of this waybill are with the customer. */
  writeDelivered?(ctx: ConnectorContext<C>, args: { externalId: string; waybill: string; at: string }): Promise<void>
  cancelOrder?(ctx: ConnectorContext<C>, args: { externalId: string; reason: string }): Promise<void>
  /** The buyer of a cancelled order gets the money back from the channel itself, as at a marketplace; absent: never. Pure. */
  paysBackItself?(config: C): boolean
  /** @throws OutcomeUnknown: asked again with the same key it must not pay twice (the vendor's key, or a look-up first). */
  refund?(ctx: ConnectorContext<C>, args: RefundRequest): Promise<{ refundId: string }>

  /** Goods that have left already, or come back, without an order of ours: a sale at the till, one the platform shipped itself. Pure. */
  mapSale?(connection: Connection<C>, record: { externalId: string; payload: Record<string, unknown> }): ExternalSale
  /** Sales changed in [from, to], as records of kind `sale`; pulled like orders, with a cursor of their own. */
  pullSales?(ctx: ConnectorContext<C>, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]>

  /** Returns changed in [from, to], as records of kind `return`; pulled like orders, with a cursor of their own. */
  pullReturns?(ctx: ConnectorContext<C>, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]>
  /** Pure. */
  mapReturn?(connection: Connection<C>, record: { externalId: string; payload: Record<string, unknown> }): ChannelReturn

  stock?: StockSide<C>
  erp?: ErpSide<C>
  notify?: NotifySide<C>
  tracker?: TrackerSide<C>

  /** Verifies the raw bytes (fails closed: throws Rejected with code `forged`) and returns what to store. */
  receiveWebhook?(
    ctx: ConnectorContext<C>,
    request: { headers: Record<string, string>; rawBody: Buffer },
  ): { records: RawRecord[]; answer: { status: number; contentType: string; body: string } }

  courier?: {
    /** @throws Rejected (the vendor says no; code `storeClosed`: another pickup store is to be chosen), OutcomeUnknown (look it up before anything else). */
    book(ctx: ConnectorContext<C>, parcel: ParcelRequest): Promise<Booking>
    /** Whether it insures the value that a request names; absent: never. Pure. */
    insures?(config: C): boolean
    /** Was this reference booked? Null: certainly not. */
    lookUp(ctx: ConnectorContext<C>, parcel: ParcelRequest): Promise<Booking | null>
    /** @throws Rejected when it cannot be cancelled any more, or the courier has no such call. */
    cancel(
      ctx: ConnectorContext<C>,
      args: { reference: string; courierBookingId: string; waybill: string | null; service: string },
    ): Promise<void>
    /** Pure. */
    mapReport(record: { externalId: string; payload: Record<string, unknown>; eventAt: string | null }): ParcelReport
    /** The label as the courier prints it, for one parcel or a sheet of several; printing again books nothing. */
    labels?(ctx: ConnectorContext<C>, parcels: BookedParcel[]): Promise<Document>
    /** Asks how these parcels are; one record of kind `courierStatus` for each piece of news. For couriers that do not report by themselves. */
    track?(ctx: ConnectorContext<C>, parcels: BookedParcel[]): Promise<RawRecord[]>
    pickupPoints?(ctx: ConnectorContext<C>, args: { chain: CvsChain }): Promise<PickupPoint[]>
    /** Where a customer picks a store on the courier's own map: an HTML page that posts itself there. */
    pickupMap?(ctx: ConnectorContext<C>, args: { chain: CvsChain; replyUrl: string; extra: string; cod: boolean }): Document
    /** What the map sends to `replyUrl`. The caller proves `extra` (at most 20 letters and digits). @throws Rejected, code `forged`. */
    readMapReply?(ctx: ConnectorContext<C>, request: { headers: Record<string, string>; rawBody: Buffer }): PickupChoice
    /** Another pickup store for a parcel that is booked. @throws Rejected when the courier does not take it any more. */
    changeStore?(ctx: ConnectorContext<C>, parcel: BookedParcel, storeId: string): Promise<void>
    /** A parcel from the customer back to us. @throws as `book`. */
    bookReturn?(ctx: ConnectorContext<C>, parcel: ReturnRequest): Promise<Booking>
    /** The paper a driver signs. */
    manifest?(ctx: ConnectorContext<C>, parcels: BookedParcel[]): Promise<Document>
    /** Asks the courier to come; with `lookUpPickup`. @throws Rejected (in the courier's words), OutcomeUnknown (look it up before anything else). */
    requestPickup?(ctx: ConnectorContext<C>, asked: PickupRequest): Promise<Pickup>
    /** Does it come for this reference? Null: certainly not. */
    lookUpPickup?(ctx: ConnectorContext<C>, reference: string): Promise<Pickup | null>
    /** How it comes where it cannot be asked by a call; for people. */
    comes?: string
    /**
     * Cash collected at the door and paid out to us on these days (ISO 8601 dates, both included). `open`: parcels that collected and
     * are not known to be paid out, for couriers that only answer about single ones.
     */
    remittances?(ctx: ConnectorContext<C>, window: { from: string; to: string; open: BookedParcel[] }): Promise<Remittance[]>
    /** The services of this courier by delivery method, e.g. {home: 'TCAT', cvs: 'UNIMART'}. */
    serviceFor(config: C, delivery: { method: 'home' | 'cvs'; chain: CvsChain | null; wished: string | null }): string
  }
  warehouse?: {
    /** Writes the whole wave or nothing; writing the same wave again leaves one file. @returns the file's name. */
    sendWave(ctx: ConnectorContext<C>, wave: Wave): Promise<string>
    sendCancel(ctx: ConnectorContext<C>, args: { unitId: string; reason: string; key: string }): Promise<void>
    /** The waybill and label facts for the box of a unit. */
    sendLabel(
      ctx: ConnectorContext<C>,
      args: { unitId: string; waybill: string; courier: string; amountDueMinor: number; notes: string | null; key: string },
    ): Promise<void>
    readAnswers(ctx: ConnectorContext<C>): Promise<WarehouseAnswers>
    /** Pure. */
    mapAdvice(record: { payload: Record<string, unknown> }): ShipmentAdvice
  }
}
