/** What buyers ask to give back: the list of v2.returns.get_return_list, and what happens to one. */
import { refusal } from './auth.ts'
import type { Call } from './calls.ts'
import type { Shop } from './state.ts'

export interface SimReturn {
  returnSn: string
  orderSn: string
  /** REQUESTED and so on; text, so that one nobody has heard of can be set. */
  status: string
  updateTime: number
  reason: string
  textReason: string
  refundAmount: number
  /** False: the buyer keeps the goods. */
  needsLogistics: boolean
  trackingNumber: string
  items: { itemId: number; modelId: number; amount: number }[]
}
export type SimReturnEdit = Partial<Omit<SimReturn, 'returnSn' | 'orderSn' | 'updateTime'>>

export interface Returns {
  /** The buyer asks; the order stands at TO_RETURN. Default: all of it. @throws RangeError for an unknown order. */
  ask(orderSn: string, given?: SimReturnEdit): SimReturn
  /** Any change moves the update time. @throws RangeError for an unknown return. */
  edit(returnSn: string, change: SimReturnEdit): SimReturn
  list: Call
}

const MAX_WINDOW_SECONDS = 15 * 86_400
const MAX_PAGE = 100
const whole = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? Number(text) : null)

export function createReturns(shop: Shop, now: () => Date): Returns {
  const returns = new Map<string, SimReturn>()
  const seconds = () => Math.floor(now().getTime() / 1000)

  return {
    ask(orderSn, given = {}) {
      const order = shop.find(orderSn)
      if (!order) throw new RangeError(`no order ${orderSn}`)
      shop.edit(orderSn, { status: 'TO_RETURN' })
      const items = order.items.map(({ itemId, modelId, quantity }) => ({ itemId, modelId, amount: quantity }))
      const made: SimReturn = {
        returnSn: `R${orderSn}${returns.size}`,
        orderSn,
        status: 'REQUESTED',
        updateTime: seconds(),
        reason: 'PHYSICAL_DMG',
        textReason: '',
        refundAmount: order.totalAmount,
        needsLogistics: true,
        trackingNumber: '',
        items,
        ...given,
      }
      returns.set(made.returnSn, made)
      return structuredClone(made)
    },
    edit(returnSn, change) {
      const found = returns.get(returnSn)
      if (!found) throw new RangeError(`no return ${returnSn}`)
      Object.assign(found, change, { updateTime: seconds() })
      return structuredClone(found)
    },
    list({ query }) {
      const [pageNo, pageSize] = [whole(query.page_no), whole(query.page_size)]
      const [from, to] = [whole(query.update_time_from), whole(query.update_time_to)]
      if (pageNo === null || pageSize === null || pageSize < 1 || pageSize > MAX_PAGE)
        return refusal('error_param', 'Wrong parameters, detail: page_no and page_size.')
      if (from !== null && to !== null && from >= to)
        return refusal('error_param', 'The update_time_to should be later than update_time_from.')
      if (from !== null && to !== null && to - from > MAX_WINDOW_SECONDS)
        return refusal('error_param', 'The period between update_time_from and update_time_to must not more than 15 days.')
      const found = [...returns.values()].filter(
        ({ updateTime }) => (from === null || updateTime >= from) && (to === null || updateTime <= to),
      )
      const page = found.slice(pageNo * pageSize, (pageNo + 1) * pageSize)
      return { response: { more: (pageNo + 1) * pageSize < found.length, return: page.map(detailOf) } }
    },
  }
}

const detailOf = (each: SimReturn) => ({
  image: [],
  reason: each.reason,
  text_reason: each.textReason,
  reassessed_request_reason: 'NONE',
  return_sn: each.returnSn,
  refund_amount: each.refundAmount,
  currency: 'TWD',
  create_time: each.updateTime,
  update_time: each.updateTime,
  status: each.status,
  due_date: each.updateTime + 2 * 86_400,
  tracking_number: each.trackingNumber,
  needs_logistics: each.needsLogistics,
  user: { username: '****', email: '', portrait: '' },
  item: each.items.map(({ itemId, modelId, amount }) => ({ item_id: itemId, model_id: modelId, amount, item_price: 0 })),
  order_sn: each.orderSn,
  return_solution: each.needsLogistics ? 0 : 1,
})
