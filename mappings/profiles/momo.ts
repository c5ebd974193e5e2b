/**
 * momo's supplier file (.xls of its SCM). Source: ../shared/facts/excel-columns.json `momo_scm_supplier`, seen in two public
 * programs, not in an official document; what is uncertain is told in docs/import.md.
 */
import type { IncomingOrder, OrderLine } from '../../domain/order.ts'
import { isMasked, parseDate } from '../normalise/index.ts'
import { amountOf, checkAgreement, contactOf, firstText, lineIds, needed, neededCode, orNull, quantityOf } from './rows.ts'
import type { MapContext, MappedRow, Problems, Profile } from './types.ts'

const GIFT_YES = /^(是|y|yes|v|✓|✔|true|1|贈品)$/i
const GIFT_NO = /^(否|n|no|false|0|無|-)$/i
const LEFT = /已配送|配送中|已送達|已出貨/
const ORDINARY = /^(一般|一般訂單|普通|正常|訂單|出貨)$/

export const momo: Profile = {
  name: 'momo',
  title: "momo's supplier file (.xls of its SCM)",
  channel: 'momo',
  columns: {
    serial: ['項次+燈號', '項次'],
    orderNumber: ['訂單編號', '訂單號碼'],
    status: ['配送狀態(說明參考Desc)', '配送狀態'],
    askedTime: ['約定配送日', '指定配送日'],
    orderType: ['訂單類別'],
    notes: ['客戶配送需求', '配送需求'],
    placedAt: ['轉單日', '轉單日期'],
    recipientName: ['收件人姓名', '收件人'],
    phone: ['收件人行動電話', '收件人手機'],
    phone2: ['收件人電話'],
    address: ['收件人地址', '收件地址'],
    sku: ['商品原廠編號', '原廠編號'],
    itemId: ['品號', '商品編號'],
    modelId: ['單名編號', '單品編號'],
    productName: ['品名', '商品名稱'],
    variant: ['單品詳細', '單品規格'],
    quantity: ['數量'],
    unitPrice: ['進價(含稅)', '進價'],
    gift: ['贈品'],
    buyerName: ['訂購人姓名', '訂購人'],
  },
  otherHeaders: [
    '配送訊息',
    '物流公司(說明參考Desc)',
    '配送單號',
    '預計出貨日',
    '發票號碼',
    '發票日期',
    '個人識別碼',
    '群組變價商品',
  ],
  writeBack: {
    waybill: ['配送單號'],
    carrier: ['物流公司(說明參考Desc)', '物流公司'],
    status: { headers: ['配送狀態(說明參考Desc)', '配送狀態'], value: '已配送' },
    message: ['配送訊息'],
  },
  required: [['orderNumber'], ['sku'], ['quantity'], ['recipientName'], ['phone', 'phone2'], ['address']],
  lineFields: new Set(['serial', 'sku', 'itemId', 'modelId', 'productName', 'variant', 'quantity', 'unitPrice', 'gift']),
  orderFields: ['recipientName', 'phone', 'phone2', 'address', 'askedTime'],
  runningFields: ['serial'],
  mapOrder,
}

function lineOf(row: MappedRow, problems: Problems): Omit<OrderLine, 'lineId'> & { key: string } {
  const sku = neededCode(row, 'sku', problems, 'The SKU (商品原廠編號)')
  const itemId = row.text('itemId')
  const key = [itemId, row.text('modelId')].filter((part) => part !== '').join('_')
  return {
    key: itemId === '' ? sku : key,
    sku,
    externalSku: orNull(itemId === '' ? sku : key),
    name: orNull(row.text('productName')),
    variant: orNull(row.text('variant')),
    quantity: quantityOf(row, problems),
    // What momo pays us a piece; what the customer paid is not in the file.
    unitPriceMinor: amountOf(row, 'unitPrice', problems),
    gift: GIFT_YES.test(row.text('gift')),
  }
}

function notesOf(rows: MappedRow[], extension: string | undefined): string | null {
  const type = firstText(rows, 'orderType')
  const gifts = rows.map((row) => row.text('gift')).filter((gift) => gift !== '' && !GIFT_YES.test(gift) && !GIFT_NO.test(gift))
  const notes = [
    ...rows.map((row) => row.text('notes')),
    type !== '' && !ORDINARY.test(type) ? `訂單類別 ${type}` : '',
    ...gifts.map((gift) => `贈品 ${gift}`),
    extension === undefined ? '' : `電話分機 ${extension}`,
  ]
  return [...new Set(notes)].filter((note) => note !== '').join('\n') || null
}

function mapOrder(rows: MappedRow[], context: MapContext, problems: Problems): IncomingOrder | null {
  const [first] = rows
  if (!first) return null
  for (const row of rows) neededCode(row, 'orderNumber', problems, 'The order number')
  const lines = rows.map((row) => lineOf(row, problems))
  const [contact] = rows.map((row) => contactOf(row, problems, { needsAddress: true, readAddress: row === first }))
  checkAgreement(rows, momo.orderFields, problems)
  if (problems.errors.length > 0 || !contact) return null
  const ids = lineIds(lines.map((line) => line.key))
  const buyer = firstText(rows, 'buyerName')
  const statuses = rows.map((row) => row.text('status'))
  return {
    channel: context.channel,
    shop: context.shop,
    connection: context.connection,
    externalId: needed(first, 'orderNumber', problems, 'The order number'),
    externalVersion: null,
    placedAt: parseDate(firstText(rows, 'placedAt'), context.zone),
    kind: 'online',
    buyer: { name: isMasked(buyer) ? null : orNull(buyer), phone: null, email: null, memberId: null },
    recipient: contact.recipient,
    delivery: {
      method: 'home',
      service: null,
      cvs: null,
      location: null,
      promisedBy: null,
      askedTime: orNull(firstText(rows, 'askedTime')),
    },
    // momo collects from the customer; the parcel carries nothing to be paid.
    payment: { method: 'prepaid', state: 'paid', amountDueMinor: 0, currency: 'TWD' },
    lines: lines.map(({ key: _, ...line }, index) => ({ lineId: ids[index] ?? String(index + 1), ...line })),
    totals: { itemsMinor: null, shippingMinor: null, discountMinor: null, totalMinor: null },
    notes: notesOf(rows, contact.extension),
    priority: 0,
    cancelled: [...statuses, firstText(rows, 'orderType')].some((text) => /取消/.test(text)),
    onHold: false,
    fulfilled: statuses.every((status) => LEFT.test(status)),
  }
}
