/** Shopee's own logistics in Taiwan, by `logistics_channel_id`, and what the carrier's name says about the rest. */
import type { CvsChain } from '../../domain/order.ts'
import type { LogisticsChannel, ShopeeConfig } from './config.ts'
import type { Order, Package } from './schemas.ts'

/** Only 30005 is told to be a certain chain (7-11); the others take it from the carrier's name. */
const TAIWAN: ReadonlyMap<number, LogisticsChannel> = new Map([
  [30005, { method: 'cvs', chain: 'UNIMART' }],
  ...[30006, 30007, 30014, 30015, 30017, 30029].map((id): [number, LogisticsChannel] => [id, { method: 'cvs', chain: null }]),
])

const CHAINS: [RegExp, CvsChain][] = [
  [/7-?\s?(11|eleven)|統一超商/i, 'UNIMART'],
  [/全家|family\s?mart/i, 'FAMI'],
  [/萊爾富|hi-?\s?life/i, 'HILIFE'],
  [/\bOK\s?(mart|超商)/i, 'OKMART'],
]
const HOME = /宅配|到家|home|郵政|黑貓/i

/** The vendor masks the recipient wholly for its own logistics in Taiwan (v2.order.get_order_detail, recipient_address). */
function whollyMasked(order: Order): boolean {
  const recipient = order.recipient_address
  return (
    Boolean(recipient) &&
    [recipient?.name, recipient?.phone, recipient?.full_address].every((value) => /^\*+$/.test(value?.trim() ?? ''))
  )
}

const chainIn = (carrier: string): CvsChain | null => CHAINS.find(([pattern]) => pattern.test(carrier))?.[1] ?? null

/** @returns the chain at which the seller hands the parcel in by a contract of their own; its store is told by the export alone. */
export const ownCarrierChain = (order: Order): CvsChain | null =>
  chainIn(order.package_list?.[0]?.shipping_carrier || order.shipping_carrier || '')

/** @returns how Shopee's own logistics carry this order, or null when the seller ships with a courier of their own. */
export function channelLogistics(config: Pick<ShopeeConfig, 'channels'>, order: Order): LogisticsChannel | null {
  const parcel: Package | undefined = order.package_list?.[0]
  const id = parcel?.logistics_channel_id ?? null
  const carrier = parcel?.shipping_carrier || order.shipping_carrier || ''
  const known = id === null ? undefined : (config.channels[String(id)] ?? TAIWAN.get(id))
  if (!known && !whollyMasked(order)) return null
  if (known?.chain) return known
  const chain = chainIn(carrier)
  if (chain) return { method: 'cvs', chain }
  return { method: HOME.test(carrier) ? 'home' : (known?.method ?? 'cvs'), chain: null }
}
