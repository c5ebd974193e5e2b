/** What an order of CYBERBIZ says of goods that come back: `return_status` of the order and of its lines (v1 reference). */
import { contentHash } from '../../domain/ids.ts'
import { readShape } from '../kit/json.ts'
import type { ChannelReturn, Connection, RawRecord } from '../kit/types.ts'
import { z } from 'zod'
import type { CyberbizConfig } from './config.ts'

const Told = z.object({
  id: z.number().int(),
  returnStatus: z.string().min(1),
  lines: z.array(z.object({ id: z.number().int(), returnStatus: z.string().nullable() })),
})

/** Nothing comes back, and nobody asked that it shall. */
const NONE = 'no_need'
const STATE: ReadonlyMap<string, ChannelReturn['state']> = new Map([
  ['request_return', 'asked'],
  ['processing', 'asked'],
  ['returning', 'accepted'],
  ['checking', 'accepted'],
  ['in_hub', 'accepted'],
  ['in_origin_cvs', 'accepted'],
  ['returned', 'closed'],
  ['partial_return', 'closed'],
  ['refused', 'cancelled'],
])

/** @returns the record of the return that an order tells of; none for most. */
export function returnsOf(order: RawRecord): RawRecord[] {
  const { statuses, line_items: items } = order.payload as {
    statuses?: { return_status?: unknown }
    line_items?: { id?: unknown; return_status?: unknown }[]
  }
  const status = statuses?.return_status
  if (typeof status !== 'string' || status === '' || status === NONE) return []
  const payload = {
    id: order.payload.id,
    returnStatus: status,
    lines: (Array.isArray(items) ? items : []).map(({ id, return_status }) => ({
      id,
      returnStatus: typeof return_status === 'string' ? return_status : null,
    })),
  }
  const version = `${status}-${contentHash(payload).slice(0, 12)}`
  return [{ kind: 'return', externalId: order.externalId, version, eventAt: order.eventAt, payload }]
}

/** An order has one return there. The shop's own people pay the money back: it goes the way of every refund. */
export function mapReturn(
  _connection: Connection<CyberbizConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): ChannelReturn {
  const { id, returnStatus, lines } = readShape(Told, record.payload, `CYBERBIZ return of order ${record.externalId}`)
  const named = lines.filter((line) => line.returnStatus !== null && line.returnStatus !== NONE)
  return {
    externalId: String(id),
    number: String(id),
    state: STATE.get(returnStatus) ?? 'unknown',
    status: returnStatus,
    reason: 'asked for at the shop',
    lines: named.length === 0 ? null : named.map((line) => ({ lineId: String(line.id), quantity: null })),
    unclear: named.length === 0 && returnStatus === 'partial_return' ? 'CYBERBIZ does not say which pieces came back' : null,
    goodsComeBack: true,
    paysBack: false,
    refundMinor: null,
    waybill: null,
  }
}
