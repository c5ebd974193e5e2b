/** The mutations, each with the checks that shopify.dev documents; what is wrong with the input is told as userErrors. */
import { GraphqlError, type Field } from './graphql.ts'
import { seconds } from './seed.ts'
import type { SimOrder, SimVariant } from './types.ts'
import { gid } from './views.ts'

export interface Shop {
  orders: Map<string, SimOrder>
  variants: Map<string, SimVariant>
  /** Runs between the reading of a level and its writing, once. */
  meanwhile: (() => void) | null
  now(): Date
}
type Args = Record<string, unknown>
interface UserError {
  field: string[] | null
  message: string
  code?: string
}
const numberOf = (id: unknown): string => String(id).split('/').at(-1) ?? ''
const no = (name: string, payload: string, message: string, field: string[] | null = null, code?: string) => ({
  [payload]: null,
  [name]: [{ field, message, ...(code === undefined ? {} : { code }) } satisfies UserError],
})

export function createMutations(shop: Shop): Record<string, (args: Args, field: Field) => Record<string, unknown>> {
  let lastId = 90_000
  /** By key: what was asked and what was answered. */
  const kept = new Map<string, { asked: string; answer: Record<string, unknown> }>()
  const touch = (order: SimOrder) => {
    order.updatedAt = seconds(shop.now())
  }

  /** Mandatory from 2026-04 on; the same key gives the first answer again. */
  function once(field: Field, args: Args, work: () => Record<string, unknown>): Record<string, unknown> {
    const key = field.directives.idempotent?.key
    if (typeof key !== 'string' || key === '') throw new GraphqlError('The @idempotent directive is required', 'BAD_REQUEST')
    const asked = JSON.stringify(args)
    const before = kept.get(key)
    if (before && before.asked !== asked)
      return {
        userErrors: [
          { field: null, message: 'The key was used with other parameters', code: 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH' },
        ],
      }
    const answer = before?.answer ?? work()
    kept.set(key, { asked, answer })
    return answer
  }

  return {
    fulfillmentCreate({ fulfillment }) {
      const refuse = (message: string) => no('userErrors', 'fulfillment', message, ['fulfillment'])
      const input = fulfillment as {
        lineItemsByFulfillmentOrder?: {
          fulfillmentOrderId: string
          fulfillmentOrderLineItems?: { id: string; quantity: number }[]
        }[]
        trackingInfo?: { number?: string; company?: string }
      }
      if (!input.lineItemsByFulfillmentOrder?.length) return refuse('lineItemsByFulfillmentOrder is required')
      for (const work of input.lineItemsByFulfillmentOrder) {
        const order = shop.orders.get(numberOf(work.fulfillmentOrderId))
        if (!order) return refuse('Fulfillment order does not exist.')
        if (order.cancelledAt) return refuse('Fulfillment order is closed.')
        const lines = (work.fulfillmentOrderLineItems ?? []).map(({ id, quantity }) => ({ lineId: numberOf(id), quantity }))
        for (const { lineId, quantity } of lines) {
          const line = order.lines.find((each) => each.id === lineId)
          if (!line || quantity < 1 || quantity > line.remaining)
            return refuse('Invalid fulfillment order line item quantity requested.')
        }
        for (const { lineId, quantity } of lines) order.lines.find((each) => each.id === lineId)!.remaining -= quantity
        order.parcels.push({
          id: String(++lastId),
          status: 'SUCCESS',
          deliveredAt: null,
          number: input.trackingInfo?.number ?? '',
          company: input.trackingInfo?.company ?? '',
          lines,
        })
        touch(order)
      }
      return { fulfillment: { id: gid('Fulfillment', String(lastId)) }, userErrors: [] }
    },

    fulfillmentEventCreate({ fulfillmentEvent }) {
      const { fulfillmentId, status, happenedAt } = fulfillmentEvent as {
        fulfillmentId: string
        status: string
        happenedAt?: string
      }
      for (const order of shop.orders.values()) {
        const parcel = order.parcels.find((each) => each.id === numberOf(fulfillmentId))
        if (!parcel) continue
        if (happenedAt !== undefined && Number.isNaN(Date.parse(happenedAt)))
          throw new GraphqlError('happenedAt is no DateTime', 'argumentLiteralsIncompatible')
        if (status === 'DELIVERED') parcel.deliveredAt = happenedAt ?? seconds(shop.now())
        touch(order)
        return { fulfillmentEvent: { id: gid('FulfillmentEvent', String(++lastId)) }, userErrors: [] }
      }
      return no('userErrors', 'fulfillmentEvent', 'Fulfillment does not exist', ['fulfillmentEvent', 'fulfillmentId'])
    },

    orderCancel({ orderId, reason, refundMethod, restock }) {
      const refuse = (message: string, code: string) => no('orderCancelUserErrors', 'job', message, ['orderId'], code)
      const order = shop.orders.get(numberOf(orderId))
      if (!order) return refuse('Order does not exist', 'NOT_FOUND')
      if (!['CUSTOMER', 'DECLINED', 'FRAUD', 'INVENTORY', 'OTHER', 'STAFF'].includes(String(reason)))
        throw new GraphqlError('reason is no OrderCancelReason', 'argumentLiteralsIncompatible')
      if (typeof restock !== 'boolean' || typeof (refundMethod as Args | null)?.originalPaymentMethodsRefund !== 'boolean')
        throw new GraphqlError('restock and refundMethod are required', 'missingRequiredArguments')
      if (order.cancelledAt || order.parcels.length > 0) return refuse('The order cannot be cancelled', 'INVALID')
      order.cancelling = true
      return { job: { id: gid('Job', String(++lastId)), done: false }, orderCancelUserErrors: [] }
    },

    refundCreate(args, field) {
      return once(field, args, () => {
        const input = args.input as {
          orderId: string
          note?: string
          transactions?: { orderId?: string; parentId?: string; gateway?: string; kind?: string; amount?: string }[]
        }
        const refuse = (message: string) => no('userErrors', 'refund', message, ['transactions'])
        const order = shop.orders.get(numberOf(input.orderId))
        if (!order) return refuse('Order does not exist')
        const parts = input.transactions ?? []
        for (const part of parts) {
          const paid = order.transactions.find((each) => each.id === numberOf(part.parentId) && each.kind === 'SALE')
          if (!paid || part.kind !== 'REFUND' || part.gateway !== paid.gateway || part.orderId !== input.orderId)
            return refuse('Transaction is invalid')
          const back = order.transactions
            .filter((each) => each.parentId === paid.id)
            .reduce((sum, each) => sum + Number(each.amount), 0)
          if (!/^\d+\.\d+$/.test(part.amount ?? '') || Number(part.amount) > Number(paid.amount) - back)
            return refuse('Refund amount is too large')
        }
        for (const part of parts)
          order.transactions.push({
            id: String(++lastId),
            kind: 'REFUND',
            status: 'SUCCESS',
            gateway: part.gateway ?? '',
            parentId: numberOf(part.parentId),
            amount: part.amount ?? '0',
          })
        const amount = parts.reduce((sum, part) => sum + Number(part.amount), 0).toFixed(2)
        const refund = { id: String(++lastId), note: input.note ?? '', amount }
        order.refunds.push(refund)
        touch(order)
        return { refund: { id: gid('Refund', refund.id) }, userErrors: [] }
      })
    },

    inventorySetQuantities(args, field) {
      return once(field, args, () => {
        shop.meanwhile?.()
        shop.meanwhile = null
        const input = args.input as {
          name: string
          reason: string
          quantities: { inventoryItemId: string; locationId: string; quantity: number; changeFromQuantity?: number | null }[]
        }
        const refuse = (at: number, code: string) =>
          no('userErrors', 'inventoryAdjustmentGroup', code.toLowerCase(), ['input', 'quantities', String(at), 'quantity'], code)
        if (!['available', 'on_hand'].includes(input.name))
          return no('userErrors', 'inventoryAdjustmentGroup', 'name', ['input', 'name'], 'INVALID_NAME')
        if (input.reason !== 'correction')
          return no('userErrors', 'inventoryAdjustmentGroup', 'reason', ['input', 'reason'], 'INVALID_REASON')
        const levels = input.quantities.map(
          (each) => shop.variants.get(numberOf(each.inventoryItemId))?.levels[numberOf(each.locationId)],
        )
        for (const [at, each] of input.quantities.entries()) {
          if (!('changeFromQuantity' in each)) throw new GraphqlError('changeFromQuantity must be given', 'INVALID_VARIABLE')
          const level = levels[at]
          if (!level) return refuse(at, 'ITEM_NOT_STOCKED_AT_LOCATION')
          if (each.quantity > 1_000_000_000) return refuse(at, 'INVALID_QUANTITY_TOO_HIGH')
          if (each.quantity < 0) return refuse(at, 'INVALID_QUANTITY_NEGATIVE')
          if (each.changeFromQuantity !== null && each.changeFromQuantity !== level.available)
            return refuse(at, 'CHANGE_FROM_QUANTITY_STALE')
        }
        for (const [at, each] of input.quantities.entries()) {
          const level = levels[at]!
          level.onHand += each.quantity - level.available
          level.available = each.quantity
        }
        return { inventoryAdjustmentGroup: { id: gid('InventoryAdjustmentGroup', String(++lastId)) }, userErrors: [] }
      })
    },
  }
}
