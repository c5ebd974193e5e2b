/** What Shopee's own logistics report, by `logistics_status` of a package (Data Definition, LogisticsStatus). */
import type { ParcelMeaning, ParcelReport, RawRecord } from '../kit/types.ts'
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { channelLogistics } from './channels.ts'
import type { ShopeeConfig } from './config.ts'
import { Order } from './schemas.ts'

/** `LOGISTICS_READY` and `READY` are both in use. */
export const logisticsStatus = (raw: string | null | undefined): string => (raw ?? '').trim().replace(/^LOGISTICS_/, '')

const MEANING: ReadonlyMap<string, ParcelMeaning> = new Map<string, ParcelMeaning>([
  ['REQUEST_CREATED', 'announced'],
  ['PICKUP_DONE', 'shipped'],
  ['PICKUP_RETRY', 'announced'],
  ['PICKUP_FAILED', 'problem'],
  ['DELIVERY_DONE', 'delivered'],
  ['DELIVERY_FAILED', 'problem'], // it comes back or is lost: the status does not say which
  ['REQUEST_CANCELED', 'problem'],
  ['COD_REJECTED', 'problem'],
  ['LOST', 'lost'],
])
/** Nothing has been arranged yet. */
export const NOT_ARRANGED: ReadonlySet<string> = new Set([
  'NOT_STARTED',
  'READY',
  'PENDING_ARRANGE',
  'INVALID',
  'REQUEST_CANCELED',
])
const SILENT = new Set(['', 'NOT_STARTED', 'READY', 'PENDING_ARRANGE', 'INVALID'])

/** A record a package that Shopee's own logistics carry, once something has been arranged for it. */
export function logisticsRecords(config: ShopeeConfig, detail: Record<string, unknown>): RawRecord[] {
  const parsed = Order.safeParse(detail)
  if (!parsed.success || channelLogistics(config, parsed.data) === null) return [] // mapping the order tells what is malformed
  const order = parsed.data
  return (order.package_list ?? []).flatMap((parcel) => {
    const status = logisticsStatus(parcel.logistics_status)
    if (SILENT.has(status)) return []
    const at = status === 'PICKUP_DONE' && order.pickup_done_time ? order.pickup_done_time : order.update_time
    return [
      {
        kind: 'courierStatus' as const,
        externalId: order.order_sn,
        version: `${parcel.package_number ?? ''}-${status}`,
        eventAt: new Date(at * 1000).toISOString(),
        payload: {
          order_sn: order.order_sn,
          package_number: parcel.package_number ?? null,
          logistics_status: parcel.logistics_status,
        },
      },
    ]
  })
}

/** Pure. An unknown status is kept and shown. */
export function mapReport(record: {
  externalId: string
  payload: Record<string, unknown>
  eventAt: string | null
}): ParcelReport {
  const raw = record.payload.logistics_status
  if (typeof raw !== 'string' || record.eventAt === null)
    throw new OmnisagaError(
      'Invalid',
      `Shopee parcel report ${contentHash(record.payload)}: logistics_status or its time is missing`,
      { code: 'logistics_status', remedy: 'Look the order up in the Seller Center.' },
    )
  const status = logisticsStatus(raw)
  return {
    reference: null,
    courierBookingId: record.externalId,
    waybill: null,
    code: raw,
    meaning: MEANING.get(status) ?? 'unknown',
    detail: status.toLowerCase().replaceAll('_', ' '),
    eventAt: record.eventAt,
  }
}
