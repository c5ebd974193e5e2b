/** The planned orders as the stand-in for Shopee knows them, consistent with the rows of its export. */
import type { SimOrder } from '../../simulators/shopee/index.ts'
import { shopeeItemIds } from '../../samples/generate.ts'
import type { DayPlan, PlannedShopeeOrder } from './plan.ts'

const secondsOf = (taipei: string) => Math.floor(Date.parse(`${taipei.replace(' ', 'T')}:00+08:00`) / 1000)

/**
 * Also the orders of the file: the shop knows them, though nothing has moved in them since before it was connected.
 * Those of the API were paid within the last minute, one a second.
 */
export function shopeeOrders(plan: DayPlan, now: Date): SimOrder[] {
  const lately = new Set(plan.shopeeApi.map((order) => order.externalId))
  const begun = Math.floor(now.getTime() / 1000) - plan.shopeeApi.length
  return [...plan.shopeeApi, ...plan.shopeeFile.filter((order) => !lately.has(order.externalId))].map((order, index) => {
    const sim = toSim(order, plan.run * 1_000 + index)
    return lately.has(order.externalId) ? { ...sim, updateTime: begun + index, payTime: order.cod ? null : begun + index } : sim
  })
}

function toSim(order: PlannedShopeeOrder, serial: number): SimOrder {
  const createTime = secondsOf(order.placedAt ?? '')
  const items = order.lines.map((line) => ({
    ...shopeeItemIds(line.sku),
    name: line.name ?? line.sku,
    modelName: '',
    itemSku: '',
    modelSku: line.sku,
    quantity: line.quantity,
    price: line.price ?? 0,
  }))
  return {
    orderSn: order.externalId,
    status: 'READY_TO_SHIP',
    createTime,
    updateTime: createTime,
    payTime: order.cod ? null : createTime,
    cod: order.cod ?? false,
    totalAmount: items.reduce((sum, item) => sum + item.price * item.quantity, 0),
    items,
    recipient: {
      name: order.name,
      phone: String(order.phone),
      zipcode: '',
      city: '',
      district: '',
      fullAddress: order.address ?? '',
    },
    buyer: { userId: 700_000 + serial, username: `demo_${order.externalId.toLowerCase()}` },
    integrated: order.channelCarries ?? false,
    ...(order.channelCarries
      ? { channelId: 30_005, carrier: '7-ELEVEN' }
      : order.cvs
        ? { channelId: 39_998, carrier: '7-ELEVEN 賣家自寄' }
        : { channelId: 39_999, carrier: '賣家宅配' }),
    packageNumber: `OFG${100_000_000 + serial}`,
    logisticsStatus: 'LOGISTICS_READY',
    trackingNumber: null,
    messageToSeller: '',
    note: '',
    cancelReason: '',
  }
}
