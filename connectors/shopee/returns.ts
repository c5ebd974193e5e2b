/**
 * Returns asked for at Shopee (v2.returns.get_return_list). Shopee arranges how the goods come and pays the buyer itself. The calls by
 * which a seller answers are not in the documents that we have: a person answers in the Seller Center.
 */
import { z } from 'zod'
import { contentHash } from '../../domain/ids.ts'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { ChannelReturn, Connection, RawRecord } from '../kit/types.ts'
import { splitWindows, type Window } from '../kit/window.ts'
import { endOf, MAX_WINDOW_SECONDS, type ShopeeCall } from './api.ts'
import type { ShopeeConfig } from './config.ts'
import { minorOf } from './map-order.ts'
import { shopCall, type ShopeeContext } from './transport.ts'

const LIST = '/api/v2/returns/get_return_list'
const PAGE_SIZE = 100
/** Far more than a shop has in a day: a list that never ends is the vendor's fault. */
const MAX_PAGES = 500

const text = z.string().nullish()
export const Return = z.looseObject({
  return_sn: z.string().min(1),
  order_sn: z.string().min(1),
  status: z.string().min(1),
  reason: text,
  text_reason: text,
  currency: z.string().length(3),
  refund_amount: z.number().nullish(),
  update_time: z.number().int().positive(),
  needs_logistics: z.boolean().nullish(),
  /** 0: return and refund; 1: refund only. */
  return_solution: z.number().int().nullish(),
  tracking_number: text,
  item: z
    .array(z.looseObject({ item_id: z.number().int(), model_id: z.number().int(), amount: z.number().int().positive() }))
    .nullish(),
})
const Page = z.object({ more: z.boolean(), return: z.array(z.looseObject({ return_sn: z.string().min(1) })).nullish() })

/** Times in seconds, at most 15 days apart; `page_no` from 0. */
export const returnListRequest = (window: Window, pageNo: number): ShopeeCall => ({
  method: 'GET',
  path: LIST,
  query: {
    page_no: String(pageNo),
    page_size: String(PAGE_SIZE),
    update_time_from: String(window.from),
    update_time_to: String(endOf(window)),
  },
  body: null,
  write: false,
})

export const parseReturnList = (response: unknown): z.infer<typeof Page> => readShape(Page, response, `Shopee ${LIST}`)

/** Who the buyer is and their pictures are nothing that we need. */
function returnRecord({ user: _user, image: _image, ...rest }: Record<string, unknown> & { return_sn: string }): RawRecord {
  const updated = rest.update_time
  const isTime = typeof updated === 'number' && Number.isSafeInteger(updated) && updated > 0
  return {
    kind: 'return',
    externalId: rest.return_sn,
    version: `${isTime ? updated : 'malformed'}-${contentHash(rest).slice(0, 8)}`,
    eventAt: isTime ? new Date(updated * 1000).toISOString() : null,
    payload: rest,
  }
}

/**
 * Whether `page_no` counts pages or entries the document leaves open: each number is asked for in turn until there is no more, and what
 * comes twice counts once.
 */
export async function* pullReturns(ctx: ShopeeContext, window: { from: Date; to: Date }): AsyncGenerator<RawRecord[]> {
  if (!ctx.connection.config.readReturns) return
  const seen = new Set<string>()
  for (const part of splitWindows(window.from, window.to, MAX_WINDOW_SECONDS)) {
    for (let pageNo = 0, more = true; more; pageNo++) {
      if (pageNo === MAX_PAGES) throw new OmnisagaError('Transient', `Shopee ${LIST}: the list has no end`)
      const page = parseReturnList(await shopCall(ctx, returnListRequest(part, pageNo)))
      const records = (page.return ?? []).map(returnRecord).filter(({ externalId, version }) => {
        const isNew = !seen.has(`${externalId} ${version}`)
        seen.add(`${externalId} ${version}`)
        return isNew
      })
      if (records.length > 0) yield records
      more = page.more
    }
  }
}

/** The values that the documents show; the vendor has more, which are kept and shown as they are. */
const STATE: ReadonlyMap<string, ChannelReturn['state']> = new Map([
  ['REQUESTED', 'asked'],
  ['ACCEPTED', 'accepted'],
  ['CANCELLED', 'cancelled'],
])

/** @throws OmnisagaError Invalid with the field. */
export function mapReturn(
  _connection: Connection<ShopeeConfig>,
  record: { externalId: string; payload: Record<string, unknown> },
): ChannelReturn {
  const told = readShape(Return, record.payload, `Shopee return ${record.externalId}`)
  const items = told.item ?? []
  return {
    externalId: told.order_sn,
    number: told.return_sn,
    state: STATE.get(told.status) ?? 'unknown',
    status: told.status,
    reason: [told.reason, told.text_reason].filter(Boolean).join(': ').slice(0, 300) || 'no reason given',
    lines: items.map(({ item_id, model_id, amount }) => ({ lineId: `${item_id}_${model_id}`, quantity: amount })),
    unclear: items.length === 0 ? 'Shopee does not say which pieces come back' : null,
    goodsComeBack: told.needs_logistics !== false && told.return_solution !== 1,
    paysBack: true,
    refundMinor: typeof told.refund_amount === 'number' ? minorOf(told.currency)(told.refund_amount) : null,
    waybill: told.tracking_number?.trim() || null,
  }
}
