/** The shop behind the stand-in: its orders and what may happen to them. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { SimEdit, SimOrder } from './types.ts'

export interface Shop {
  seed(orders: SimOrder[]): void
  /** By update time, oldest first; the cursor of a list is a position in this. */
  changedBetween(from: number, to: number): SimOrder[]
  find(orderSn: string): SimOrder | undefined
  orders(): SimOrder[]
  /** Any change moves the update time. @throws RangeError for an unknown order. */
  edit(orderSn: string, change: SimEdit): SimOrder
}

const LOGISTICS: Readonly<Record<string, string>> = {
  PROCESSED: 'LOGISTICS_REQUEST_CREATED',
  SHIPPED: 'LOGISTICS_PICKUP_DONE',
  TO_CONFIRM_RECEIVE: 'LOGISTICS_DELIVERY_DONE',
  COMPLETED: 'LOGISTICS_DELIVERY_DONE',
  CANCELLED: 'LOGISTICS_INVALID',
}
/** What the package says when the order moves on. */
export const logisticsFor = (status: string): { logisticsStatus?: string } => {
  const logisticsStatus = LOGISTICS[status]
  return logisticsStatus ? { logisticsStatus } : {}
}

/** The number that the carrier of Shopee's own logistics gives a parcel. */
export const carrierNumber = (orderSn: string): string =>
  `TW${String(parseInt(createHash('sha256').update(orderSn).digest('hex').slice(0, 12), 16))
    .slice(0, 12)
    .padStart(12, '0')}X`

export function createShop(now: () => Date, stateFile?: string): Shop {
  const orders = new Map<string, SimOrder>()
  if (stateFile && existsSync(stateFile)) {
    for (const order of JSON.parse(readFileSync(stateFile, 'utf8')) as SimOrder[]) orders.set(order.orderSn, order)
  }

  /** Whole or not at all: a stop in the middle leaves the file as it was. */
  function save(): void {
    if (!stateFile) return
    writeFileSync(`${stateFile}.new`, JSON.stringify([...orders.values()]))
    renameSync(`${stateFile}.new`, stateFile)
  }

  return {
    seed(added) {
      for (const order of added) orders.set(order.orderSn, structuredClone(order))
      save()
    },
    changedBetween: (from, to) =>
      [...orders.values()]
        .filter((order) => order.updateTime >= from && order.updateTime <= to)
        .sort((a, b) => a.updateTime - b.updateTime || (a.orderSn < b.orderSn ? -1 : 1)),
    find: (orderSn) => orders.get(orderSn),
    orders: () => structuredClone([...orders.values()]),
    edit(orderSn, change) {
      const order = orders.get(orderSn)
      if (!order) throw new RangeError(`no order ${orderSn}`)
      const items = change.items ?? order.items
      const difference =
        items.reduce((sum, item) => sum + item.price * item.quantity, 0) -
        order.items.reduce((sum, item) => sum + item.price * item.quantity, 0)
      Object.assign(order, { totalAmount: order.totalAmount + difference }, structuredClone(change), {
        updateTime: Math.floor(now().getTime() / 1000),
      })
      save()
      return structuredClone(order)
    },
  }
}
