/** The calls of a shop, each with the checks of its document (REST v3). */
import type { SimAnswer, SimRequest } from '../kit/server.ts'
import { failure } from './auth.ts'
import type { SimMeta, SimNote, SimOrder, SimProduct, SimRefund, WooSimulatorOptions } from './types.ts'

export interface ShopState {
  orders: Map<number, SimOrder>
  notes: Map<number, SimNote[]>
  refunds: Map<number, SimRefund[]>
  products: Map<number, SimProduct>
  clock(): string
}

const CORE = ['pending', 'processing', 'on-hold', 'completed', 'cancelled', 'refunded', 'failed']
const MAX = 100
const bad = (name: string) => failure(400, 'rest_invalid_param', `Invalid parameter(s): ${name}`)
const noOrder = () => failure(404, 'woocommerce_rest_shop_order_invalid_id', 'Invalid ID.')
const bodyOf = (request: SimRequest) =>
  typeof request.json === 'object' && request.json ? (request.json as Record<string, unknown>) : {}

export interface Calls {
  answer(request: SimRequest): SimAnswer
  refund(order: SimOrder, asked: Record<string, unknown>): SimAnswer
}

export function createCalls(shop: ShopState, options: WooSimulatorOptions): Calls {
  let lastId = 100_000
  const statuses = new Set([...CORE, ...(options.statuses ?? [])])
  const total = (order: SimOrder) => Number(order.total) + order.refunds.reduce((sum, each) => sum + Number(each.total), 0)

  function paged(items: unknown[], { query }: SimRequest): SimAnswer {
    const perPage = Number(query.per_page ?? 10)
    const page = Number(query.page ?? 1)
    if (!Number.isInteger(perPage) || perPage < 1 || perPage > MAX) return bad('per_page')
    const size = Math.min(perPage, options.pageCap ?? MAX)
    const headers = { 'x-wp-total': String(items.length), 'x-wp-totalpages': String(Math.ceil(items.length / size)) }
    return { headers, body: items.slice((page - 1) * size, page * size) }
  }

  function listOrders(request: SimRequest): SimAnswer {
    const { query } = request
    const wanted = query.status ?? 'any'
    if (wanted !== 'any' && wanted !== 'trash' && !statuses.has(wanted)) return bad('status')
    if (query.orderby && !['date', 'modified', 'id', 'include', 'title', 'slug'].includes(query.orderby)) return bad('orderby')
    // The stand-in's site keeps GMT alone.
    if (query.dates_are_gmt !== 'true') return bad('dates_are_gmt')
    const found = [...shop.orders.values()]
      .filter((order) => (wanted === 'any' ? order.status !== 'trash' : order.status === wanted))
      // Both limits leave their own second out, as WP_Date_Query does.
      .filter((order) => !query.modified_after || order.date_modified_gmt > query.modified_after)
      .filter((order) => !query.modified_before || order.date_modified_gmt < query.modified_before)
      .sort((a, b) => (query.order === 'asc' ? a.id - b.id : b.id - a.id))
    return paged(found, request)
  }

  /** An entry without an id is updated by its key. */
  function mergeMeta(known: SimMeta[], given: unknown): void {
    if (!Array.isArray(given)) return
    for (const { key, value } of given as SimMeta[]) {
      const same = known.find((meta) => meta.key === key)
      if (same) same.value = value
      else known.push({ id: ++lastId, key, value })
    }
  }

  function updateOrder(order: SimOrder, request: SimRequest): SimAnswer {
    const { status, meta_data: metas } = bodyOf(request)
    if (status !== undefined && (typeof status !== 'string' || !statuses.has(status))) return bad('status')
    if (typeof status === 'string') order.status = status
    if (status === 'completed') order.date_paid_gmt ??= shop.clock()
    mergeMeta(order.meta_data, metas)
    order.date_modified_gmt = shop.clock()
    return { body: order }
  }

  function createRefund(order: SimOrder, asked: Record<string, unknown>): SimAnswer {
    const { amount, reason, meta_data: metas, api_refund: pays } = asked
    if (typeof amount !== 'string' || !/^\d+(\.\d+)?$/.test(amount)) return bad('amount')
    if (Number(amount) > total(order) + 1e-9)
      return failure(500, 'woocommerce_rest_cannot_create_order_refund', 'Invalid refund amount.')
    const refund: SimRefund = {
      id: ++lastId,
      amount,
      reason: String(reason ?? ''),
      refunded_payment: pays !== false,
      meta_data: [],
    }
    mergeMeta(refund.meta_data, metas)
    shop.refunds.set(order.id, [...(shop.refunds.get(order.id) ?? []), refund])
    order.refunds.push({ id: refund.id, reason: refund.reason, total: `-${amount}` })
    if (total(order) <= 0) order.status = 'refunded'
    order.date_modified_gmt = shop.clock()
    return { status: 201, body: { ...refund } }
  }

  function ofOrder(order: SimOrder, rest: string | undefined, request: SimRequest): SimAnswer {
    const { method } = request
    if (rest === undefined && method === 'GET') return { body: order }
    if (rest === undefined && method === 'PUT') return updateOrder(order, request)
    const notes = shop.notes.get(order.id) ?? []
    if (rest === 'notes' && method === 'GET') return { body: notes }
    if (rest === 'notes' && method === 'POST') {
      const { note, customer_note: toCustomer } = bodyOf(request)
      if (typeof note !== 'string' || !note) return bad('note')
      const added = { id: ++lastId, note, customer_note: toCustomer === true }
      shop.notes.set(order.id, [...notes, added])
      return { status: 201, body: added }
    }
    if (rest === 'refunds' && method === 'GET') return paged(shop.refunds.get(order.id) ?? [], request)
    if (rest === 'refunds' && method === 'POST') return createRefund(order, bodyOf(request))
    return failure(404, 'rest_no_route', 'No route was found matching the URL and request method.')
  }

  function batch(
    known: { id: number; manage_stock: boolean | string; stock_quantity: number | null }[],
    request: SimRequest,
  ): SimAnswer {
    const { update } = bodyOf(request)
    if (!Array.isArray(update)) return bad('update')
    if (update.length > MAX)
      return failure(413, 'woocommerce_rest_request_entity_too_large', 'Unable to accept more than 100 items for this request.')
    return {
      body: {
        update: (update as { id: number; manage_stock?: boolean; stock_quantity?: number }[]).map((change) => {
          const item = known.find((each) => each.id === change.id)
          if (!item)
            return {
              id: change.id,
              error: { code: 'woocommerce_rest_product_invalid_id', message: 'Invalid ID.', data: { status: 400 } },
            }
          if (change.manage_stock !== undefined) item.manage_stock = change.manage_stock
          if (change.stock_quantity !== undefined && item.manage_stock === true) item.stock_quantity = change.stock_quantity
          return item
        }),
      },
    }
  }

  const answer = (request: SimRequest): SimAnswer => {
    const { method } = request
    const path = request.path.replace(/^\/wp-json\/wc\/v3/, '')
    if (path === request.path) return failure(404, 'rest_no_route', 'No route was found matching the URL and request method.')
    if (path === '/orders' && method === 'GET') return listOrders(request)
    const order = /^\/orders\/(\d+)(?:\/(\w+))?$/.exec(path)
    if (order) {
      const found = shop.orders.get(Number(order[1]))
      return found ? ofOrder(found, order[2], request) : noOrder()
    }
    const products = [...shop.products.values()].sort((a, b) => a.id - b.id)
    if (path === '/products' && method === 'GET')
      return paged(
        products.map((product) => ({ ...product, variations: product.variations.map((each) => each.id) })),
        request,
      )
    if (path === '/products/batch' && method === 'POST') return batch(products, request)
    const variations = /^\/products\/(\d+)\/variations(\/batch)?$/.exec(path)
    const parent = variations && shop.products.get(Number(variations[1]))
    if (variations && !parent) return failure(404, 'woocommerce_rest_product_invalid_id', 'Invalid ID.')
    if (parent && variations[2] && method === 'POST') return batch(parent.variations, request)
    if (parent && !variations[2] && method === 'GET') return paged(parent.variations, request)
    return failure(404, 'rest_no_route', 'No route was found matching the URL and request method.')
  }
  return { answer, refund: createRefund }
}
