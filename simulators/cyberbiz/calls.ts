/** The calls of the shop, each with the checks of the v1 reference. */
import type { SimAnswer, SimRequest } from '../kit/server.ts'
import type { CyberbizSimulatorOptions, SimOrder, SimVariant } from './types.ts'

export interface ShopState {
  orders: Map<number, SimOrder>
  variants: Map<number, SimVariant>
  posShops: { id: number; name: string }[]
  /** Any change moves the update time. @throws RangeError for an unknown order. */
  edit(id: number, change: (order: SimOrder) => void): SimOrder
  clock(): string
}

const CANCEL_REASONS = new Set([
  'customer',
  'duplicate',
  'not_pay',
  'fraud',
  'inventory',
  'forgot',
  'not_shipped_yet',
  'pos_sp_return',
  'card_paid_fail',
  'other',
])
const no = (status: number, message: string): SimAnswer => ({ status, body: { error: [message] } })
const TIME = /^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/
const bodyOf = (request: SimRequest) =>
  typeof request.json === 'object' && request.json ? (request.json as Record<string, unknown>) : {}

export function createCalls(shop: ShopState, options: CyberbizSimulatorOptions): (request: SimRequest) => SimAnswer {
  let lastFulfilment = 23_000_000

  function paged(items: unknown[], { query }: SimRequest): SimAnswer {
    const perPage = Number(query.per_page ?? 50)
    const page = Number(query.page ?? 1)
    if (!Number.isInteger(perPage) || perPage < 1 || perPage > 50) return no(422, 'per_page 必須介於 1 到 50')
    const size = Math.min(perPage, options.pageCap ?? 50)
    const pages = Math.ceil(items.length / size)
    return {
      headers: {
        'x-page': String(page),
        'x-per-page': String(size),
        'x-offset': '0',
        'x-total': String(items.length),
        'x-total-pages': String(pages),
        'x-next-page': page < pages ? String(page + 1) : '',
        'x-prev-page': page > 1 ? String(page - 1) : '',
      },
      body: items.slice((page - 1) * size, page * size),
    }
  }

  function listOrders(request: SimRequest): SimAnswer {
    const { query } = request
    const [from, to] = [query.updated_at_start_time, query.updated_at_end_time]
    if ([from, to].some((time) => time !== undefined && !TIME.test(time))) return no(422, '時間格式錯誤')
    const found = [...shop.orders.values()]
      .filter((order) => (from === undefined || order.updated_at >= from) && (to === undefined || order.updated_at <= to))
      .filter((order) => !query.data_source || (query.data_source === 'pos') === (order.pos_info.pos_shop_id !== null))
      .filter((order) => !query.statuses || query.statuses.split(',').includes(order.statuses.order_status))
      .sort((a, b) => a.id - b.id)
    return paged(
      found.map((order) => ({ ...order, token: 'list-only' })),
      request,
    )
  }

  function customShipping(order: SimOrder, request: SimRequest): SimAnswer {
    const body = bodyOf(request)
    const { line_item_ids: ids, tracking_number: number, tracking_company: company } = body
    if (typeof ids !== 'string' || typeof number !== 'string' || typeof company !== 'string') return no(422, '缺少必要參數')
    if (order.statuses.order_status !== 'open') return no(403, '訂單狀態不允許出貨')
    const asked = ids.split(',').map(Number)
    const lines = order.line_items.filter((line) => asked.includes(line.id))
    const sent = new Set(order.fulfillments.flatMap((each) => each.line_items.map((line) => line.id)))
    if (lines.length !== asked.length) return no(422, '找不到商品')
    if (lines.some((line) => sent.has(line.id))) return no(422, '商品已出貨')
    const at = shop.clock()
    const fulfilment = {
      id: ++lastFulfilment,
      tracking_company: company,
      tracking_number: number,
      fulfilled_at: at,
      received_at: null,
      status: 'fulfilled',
      line_items: lines,
    }
    shop.edit(order.id, (each) => {
      each.fulfillments.push(fulfilment)
      const whole = each.line_items.every((line) => sent.has(line.id) || asked.includes(line.id))
      each.statuses.fulfillment_status = whole ? 'fulfilled' : 'partial'
    })
    return { status: 201, body: fulfilment }
  }

  function act(order: SimOrder, action: string, request: SimRequest): SimAnswer {
    const status = order.statuses
    if (action === 'POST fulfillments/custom_shipping') return customShipping(order, request)
    if (action === 'POST fulfillments/received') {
      if (!['fulfilled', 'arrived'].includes(status.fulfillment_status)) return no(403, '訂單尚未出貨')
      return { status: 201, body: shop.edit(order.id, (each) => void (each.statuses.fulfillment_status = 'received')) }
    }
    if (action === 'PUT preparing')
      return { body: shop.edit(order.id, (each) => void (each.statuses.fulfillment_status = 'preparing')) }
    if (action === 'PUT cancelled') {
      const reason = bodyOf(request).cancel_reason
      if (typeof reason !== 'string' || !CANCEL_REASONS.has(reason)) return no(422, 'cancel_reason 錯誤')
      if (status.order_status === 'cancelled') return no(403, '訂單已取消')
      return {
        body: shop.edit(order.id, (each) => {
          each.statuses.order_status = 'cancelled'
          each.timings.cancelled_at = shop.clock()
          each.cancel_reason = reason
        }),
      }
    }
    return no(404, 'Not Found')
  }

  const shown = ({ posShopId: _shop, title: _title, ...variant }: SimVariant) => variant
  const variantsOf = (productId: number) => [...shop.variants.values()].filter((variant) => variant.product_id === productId)

  function listProducts(request: SimRequest): SimAnswer {
    const ids = [...new Set([...shop.variants.values()].map((variant) => variant.product_id))].sort((a, b) => a - b)
    const items = ids.map((id) => {
      const variants = variantsOf(id)
      const posShopId = variants[0]?.posShopId ?? null
      return {
        id,
        title: variants[0]?.title ?? '',
        pos_shop: posShopId === null ? null : { id: posShopId, name: '門市' },
        product_variants: variants.map(shown),
      }
    })
    return paged(items, request)
  }

  function updateVariant(productId: number, variantId: number, request: SimRequest): SimAnswer {
    const variant = shop.variants.get(variantId)
    if (variant?.product_id !== productId) return no(404, '找不到規格')
    const quantity = bodyOf(request).inventory_quantity
    if (typeof quantity !== 'number' || !Number.isInteger(quantity)) return no(422, 'inventory_quantity 錯誤')
    if (!options.hasPos) variant.inventory_quantity = quantity
    const { id: _id, ...detail } = shown(variant)
    return { body: detail }
  }

  function adjust(request: SimRequest): SimAnswer {
    const { pos_shop_id: shopId, items } = bodyOf(request)
    if (typeof shopId !== 'number' || !Array.isArray(items)) return no(422, '缺少必要參數')
    for (const item of items as { sku: string; quantity: number; type: string }[]) {
      const variant = [...shop.variants.values()].find((each) => each.sku === item.sku && (each.posShopId ?? 0) === shopId)
      if (!variant) return no(422, `找不到 SKU ${item.sku}`)
      variant.inventory_quantity += ['surplus', 'return'].includes(item.type) ? item.quantity : -item.quantity
    }
    return { status: 201, body: { id: 1, items } }
  }

  return (request) => {
    const { method, path } = request
    if (method === 'GET' && path === '/v1/orders') return listOrders(request)
    const one = /^\/v1\/orders\/(\d+)(?:\/(.+))?$/.exec(path)
    if (one) {
      const order = shop.orders.get(Number(one[1]))
      if (!order) return no(404, '找不到訂單')
      return one[2] === undefined && method === 'GET' ? { body: order } : act(order, `${method} ${one[2] ?? ''}`, request)
    }
    if (method === 'GET' && path === '/v1/products') return listProducts(request)
    const product = /^\/v1\/products\/(\d+)\/product_variants(?:\/(\d+))?$/.exec(path)
    if (product && method === 'GET' && !product[2]) return { body: variantsOf(Number(product[1])).map(shown) }
    if (product?.[2] && method === 'PUT') return updateVariant(Number(product[1]), Number(product[2]), request)
    if (method === 'POST' && path === '/v1/stock_adjustments') return adjust(request)
    if (method === 'GET' && path === '/v1/pos_shops') return paged(shop.posShops, request)
    const pos = /^\/v1\/pos_shops\/(\d+)\/product_variants$/.exec(path)
    if (pos && method === 'GET')
      return paged([...shop.variants.values()].filter((variant) => variant.posShopId === Number(pos[1])).map(shown), request)
    return no(404, 'Not Found')
  }
}
