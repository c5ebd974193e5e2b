/**
 * PChome's two layouts. Source: ../shared/facts/excel-columns.json `pchome_supplier` and `pchome_24h`, seen in public programs, not in
 * an official document; what is uncertain is told in docs/profiles/pchome.md.
 */
import { contentHash } from '../../domain/ids.ts'
import { normaliseText, parseDate } from '../normalise/index.ts'
import { layoutProfile } from './mapping.ts'
import type { MappedRow } from './types.ts'

/** Orders that the supplier sends to the customer. */
export const pchome = layoutProfile({
  name: 'pchome',
  title: "PChome's supplier orders",
  channel: 'pchome',
  columns: {
    orderNumber: ['訂單編號'],
    lineNumber: ['NO', '訂單序號'],
    placedAt: ['轉單日期'],
    askedTime: ['預購日', '預購日/指定配達日', '預購出貨日'],
    recipientName: ['收貨人', '收貨人姓名'],
    postalCode: ['ZIP', '郵遞區號'],
    address: ['收貨地址(訂單編號)', '收貨地址'],
    phone: ['收貨人電話'],
    phone2: ['收貨人手機', '收貨人行動電話'],
    productName: ['商品名稱'],
    variant: ['商品規格'],
    sku: ['廠商料號'],
    orderedQuantity: ['下訂時數量', '下定時數量'],
    cancelledQuantity: ['取消數量'],
    quantity: ['應出貨數量'],
    unitPrice: ['單位成本'],
    lineTotal: ['成本小計'],
    notes: ['備註'],
    notes2: ['客戶留言'],
    shippedAt: ['出貨日期'],
  },
  otherHeaders: ['出貨單號', '確認', '物流公司', '物流商', '配送單號', '托運單號'],
  required: [['orderNumber'], ['sku'], ['quantity'], ['recipientName'], ['phone', 'phone2'], ['address']],
  writeBack: {
    waybill: ['配送單號', '托運單號', '貨運單號', '宅配單號'],
    carrier: ['物流公司', '物流商', '貨運公司', '宅配公司'],
  },
  finish: (order, rows) => ({
    ...order,
    // The header promises the order number behind the address; it is no part of where the parcel goes.
    recipient: {
      ...order.recipient,
      address: order.recipient.address && withoutNumber(order.recipient.address, order.externalId),
    },
    fulfilled: rows.every((row) => parseDate(row.text('shippedAt'), 'Asia/Taipei') !== null),
  }),
})

function withoutNumber<A extends { line: string | null; raw: string | null }>(address: A, number: string): A {
  const strip = (text: string | null) =>
    text === null
      ? null
      : normaliseText(text).replace(/\s*[(（]\s*([\w-]+)\s*[)）]\s*$/, (all, inner: string) => (inner === number ? '' : all))
  return { ...address, line: strip(address.line), raw: strip(address.raw) }
}

/** The rows of one report that belong together: the layout names no order. */
const reported = (row: MappedRow) => (['placedAt', 'shippedAt', 'paidAt', 'buyerName'] as const).map((field) => row.text(field))

/** What PChome shipped from its own warehouse: goods that have left, no order of ours to send. */
export const pchome24h = layoutProfile({
  name: 'pchome-24h',
  title: 'PChome 24h: what its own warehouse has sent',
  channel: 'pchome',
  alreadyGone: true,
  columns: {
    notes: ['備註'],
    paidAt: ['單號確認日'],
    shippedAt: ['出貨日'],
    placedAt: ['轉單日期'],
    productName: ['商品名稱'],
    itemId: ['商品ID'],
    variant: ['商品規格'],
    unitPrice: ['單位成本'],
    quantity: ['實際出貨數量'],
    lineTotal: ['成本小計'],
    buyerName: ['訂購人'],
    sku: ['廠商料號'],
  },
  required: [['itemId'], ['sku'], ['quantity'], ['placedAt']],
  runningFields: [],
  // Hashed: the buyer's name stands in no id.
  numberOf: (row) => {
    if (row.text('sku') === '' && row.text('itemId') === '') return ''
    const day = parseDate(row.text('placedAt'), 'Asia/Taipei')?.slice(0, 10).replaceAll('-', '') ?? 'undated'
    return `24h-${day}-${contentHash(reported(row)).slice(0, 10)}`
  },
})
