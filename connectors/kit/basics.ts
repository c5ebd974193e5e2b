/** What every connector's functions take and give: connection, HTTP, tokens, raw records, parcels, waves. See Connector in types.ts. */
import type { CvsChain } from '../../domain/order.ts'

/** One configured account. `config` is parsed by the connector's schema and includes the decrypted secrets. */
export interface Connection<C = unknown> {
  name: string
  connector: string
  version: number
  config: C
  paused: boolean
  /** Why it was stopped (Misconfigured); null while it runs. */
  stoppedReason?: string | null
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  url: string
  headers?: Record<string, string>
  /** Text or form bodies are sent as they are; objects as JSON. */
  body?: string | Record<string, unknown>
  timeoutMs?: number
  /** A write: when no answer came after sending, the error is OutcomeUnknown instead of Transient. */
  write?: boolean
  /** Of a write: the vendor guarantees that a 5xx did nothing (or drops repeats), so it is Transient instead of OutcomeUnknown. */
  serverErrorMeansNotDone?: boolean
  /** A status by which this vendor, besides 429, says that it was called too often; every process of the connection then pauses. */
  rateLimit?: { status: number; retryAfterMs: number }
}
export interface HttpResponse {
  status: number
  headers: Record<string, string>
  /** The answer read as UTF-8. */
  body: string
  /** The same as it came: labels and other files. */
  bytes?: Buffer
}

/**
 * The wrapped client: takes a quota token in PostgreSQL for every request, bounds time and concurrency, keeps connections alive,
 * maps transport failures and 401/429/5xx to OmnisagaError (Retry-After becomes `retryAfterMs`), never lets an axios error pass.
 * 2xx, 3xx and other 4xx are returned for the connector to judge.
 */
export interface HttpClient {
  request(request: HttpRequest): Promise<HttpResponse>
}

export interface Tokens {
  accessToken: string
  refreshToken: string
  expiresAt: Date
}
export interface TokenStore {
  read(): Promise<Tokens | null>
  /** One refresh at a time over all processes (row lock); rotation is saved before the tokens are used. `stale` is what failed. */
  refresh(stale: Tokens | null, exchange: (current: Tokens | null) => Promise<Tokens>): Promise<Tokens>
}

export interface ConnectorContext<C = unknown> {
  connection: Connection<C>
  http: HttpClient
  tokens: TokenStore
  now(): Date
}

/** A raw record and what identifies it; stored in the inbox before it is mapped. */
export interface RawRecord {
  /** `contact`: a customer follows or leaves us; kept to be read. */
  kind: 'order' | 'courierStatus' | 'shipmentAdvice' | 'sale' | 'contact' | 'return'
  externalId: string
  /** With kind and externalId the identity of this very report; a repeat is dropped. */
  version: string
  /** ISO 8601 with offset: when it happened at the vendor. */
  eventAt: string | null
  payload: Record<string, unknown>
}

export interface CheckResult {
  ok: boolean
  problems: { message: string; remedy: string }[]
}

export interface ParcelRequest {
  /** Minted by us, 20 letters and digits; the courier's idempotency and look-up key. */
  reference: string
  service: string
  method: 'home' | 'cvs'
  cvs: { chain: CvsChain; storeId: string } | null
  sender: { name: string; phone: string; postalCode: string; address: string }
  recipient: {
    name: string
    phone: string
    postalCode: string | null
    city: string | null
    district: string | null
    address: string | null
    /** ISO 3166-1 alpha-2, and the state or province where addresses have one; absent: the courier's own country. */
    country?: string | null
    province?: string | null
  }
  goodsName: string
  goodsAmountMinor: number
  /** 0 for prepaid. */
  amountDueMinor: number
  /** The value to be insured, where a rule asks; a courier that cannot insure leaves it. */
  insured?: { valueMinor: number; currency: string } | null
  weightGrams: number | null
  temperature: 'ambient' | 'chilled' | 'frozen'
  askedTime: string | null
  notes: string | null
  /** When the channel itself carries the parcel. */
  channelOrder: { externalId: string } | null
}
export interface Booking {
  waybill: string | null
  courierBookingId: string
  /** What the label says must be collected. */
  labelAmountMinor: number
  /** The value that is insured, in the request's currency; absent or null: none. */
  insuredMinor?: number | null
  label: Record<string, unknown>
}

export type ParcelMeaning =
  | 'announced' // booked, not yet with the courier
  | 'shipped' // the courier has it
  | 'inTransit'
  | 'arrivedAtPickup'
  | 'outForDelivery'
  | 'delivered'
  | 'attemptFailed' // not at home, postponed: the courier tries again
  | 'storeClosed' // the pickup store takes it no more: another is to be chosen
  | 'refused' // the recipient did not take it: it comes back
  | 'wrongAddress' // nobody of this name there, moved, not to be found: the courier asks
  | 'returning'
  | 'returned'
  | 'lost'
  | 'problem' // a person should look
  | 'unknown'
/** One courier report, mapped. `reference` or `courierBookingId` or `waybill` finds the parcel. */
export interface ParcelReport {
  reference: string | null
  courierBookingId: string | null
  waybill: string | null
  code: string
  meaning: ParcelMeaning
  detail: string
  eventAt: string
}

export interface WaveUnit {
  unitId: string
  orderId: string
  externalId: string
  priority: number
  notes: string | null
  askedTime: string | null
  recipient: { name: string | null; phone: string | null; postalCode: string | null; address: string | null }
  delivery: { method: string; service: string | null }
  lines: { lineId: string; sku: string; name: string | null; quantity: number }[]
}
export interface Wave {
  id: string
  location: string
  createdAt: string
  units: WaveUnit[]
}

/** The warehouse's answer about one unit. `shipped` also means packed; `short` lists what was not there. */
export interface ShipmentAdvice {
  unitId: string
  status: 'picked' | 'packed' | 'shipped' | 'cancelled' | 'cancelRefused'
  lines: { lineId: string; picked: number; short: number }[]
  weightGrams: number | null
  eventAt: string
  reason: string | null
}
export interface WarehouseAnswers {
  records: RawRecord[]
  /** Called once the records are durable: moves the files away. */
  acknowledge(): Promise<void>
  /** Files set aside because they could not be read. */
  rejected: { file: string; reason: string }[]
}
