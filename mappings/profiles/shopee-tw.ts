/**
 * Shopee Taiwan's order export. Source: ../shared/facts/excel-columns.json `shopee_tw_order_export`, from public parsers and the
 * seller help page 11911; names drift between years, so several are accepted. What is uncertain is told in docs/import.md.
 */
import type { IncomingOrder, OrderLine } from '../../domain/order.ts'
import { isMasked, parseDate } from '../normalise/index.ts'
import { amountOf, checkAgreement, contactOf, firstText, lineIds, neededCode, orNull, quantityOf } from './rows.ts'
import { readDelivery } from './shopee-delivery.ts'
import { readStatus } from './shopee-status.ts'
import type { Field, MapContext, MappedRow, Problems, Profile } from './types.ts'

export const shopeeTw: Profile = {
  name: 'shopee-tw',
  title: "Shopee Taiwan's order export",
  channel: 'shopee',
  preferredSheet: 'orders',
  columns: {
    orderNumber: ['訂單編號'],
    status: ['訂單狀態'],
    buyerName: ['買家帳號'],
    placedAt: ['訂單成立日期', '訂單成立時間'],
    itemsTotal: ['商品總價'],
    shippingFee: ['買家支付運費', '買家支付的運費'],
    orderTotal: ['買家總支付金額', '訂單總金額'],
    discount1: ['蝦幣折抵'],
    discount2: ['銀行信用卡活動折抵', '信用卡活動折抵'],
    discount3: ['賣家負擔優惠券', '賣家優惠券'],
    discount4: ['優惠券', '蝦皮負擔優惠券'],
    productName: ['商品名稱'],
    itemId: ['商品ID'],
    modelId: ['規格ID'],
    variant: ['商品選項名稱', '規格名稱'],
    unitPrice: ['商品活動價格', '商品活動價'],
    unitPrice2: ['商品原價'],
    sku: ['商品選項貨號', '規格貨號'],
    sku2: ['主商品貨號', '商品貨號'],
    quantity: ['數量'],
    address: ['收件地址', '收件者地址'],
    phone: ['收件者電話', '收件人電話', '電話號碼'],
    parcelQuery: ['蝦皮專線和包裹查詢碼'],
    storeId: ['取件門市店號'],
    city: ['城市'],
    district: ['行政區'],
    postalCode: ['郵遞區號'],
    recipientName: ['收件者姓名', '收件人姓名'],
    delivery: ['寄送方式'],
    delivery2: ['出貨方式'],
    paymentMethod: ['付款方式'],
    paidAt: ['買家付款時間'],
    notes: ['買家備註'],
    notes2: ['備註', '賣家備註'],
  },
  otherHeaders: [
    '不成立原因',
    '退貨 / 退款狀態',
    '蝦皮補助運費',
    '退貨運費',
    '蝦皮補貼金額',
    '優惠代碼',
    '賣家蝦幣回饋券',
    '成交手續費',
    '其他服務費',
    '金流與系統處理費',
    '分期付款期數',
    '金流與系統處理費率',
    '成交手續費規則名稱',
    '蝦皮商品編碼 (商品ID_規格ID)',
    '退貨數量',
    '促銷組合指標',
    '蝦皮促銷組合折扣:促銷組合標籤',
    '備貨時間',
    '最晚出貨日期',
    '包裹查詢號碼',
    '實際出貨時間',
    '訂單完成時間',
  ],
  required: [['orderNumber'], ['sku', 'sku2'], ['quantity'], ['recipientName'], ['phone']],
  lineFields: new Set(['itemId', 'modelId', 'productName', 'variant', 'quantity', 'unitPrice', 'unitPrice2', 'sku', 'sku2']),
  orderFields: [
    'status',
    'itemsTotal',
    'shippingFee',
    'orderTotal',
    'discount1',
    'discount2',
    'discount3',
    'discount4',
    'recipientName',
    'phone',
    'address',
    'storeId',
    'delivery',
    'paymentMethod',
  ],
  runningFields: [],
  mapOrder,
}

function lineOf(row: MappedRow, problems: Problems): Omit<OrderLine, 'lineId'> & { key: string } {
  const field: Field = row.text('sku') === '' && row.text('sku2') !== '' ? 'sku2' : 'sku'
  const sku = neededCode(row, field, problems, 'The SKU (商品選項貨號 or 主商品貨號)')
  const itemId = row.text('itemId')
  const price = row.text('unitPrice') === '' ? 'unitPrice2' : 'unitPrice'
  return {
    // The API's lines are named the same way, so that both sources mean the same line. Without options the model is 0.
    key: itemId === '' ? sku : `${itemId}_${row.text('modelId') || '0'}`,
    sku,
    externalSku: sku,
    name: orNull(row.text('productName')),
    variant: orNull(row.text('variant')),
    quantity: quantityOf(row, problems),
    unitPriceMinor: amountOf(row, price, problems),
    gift: false,
  }
}

/** Amounts of the order stand on each of its lines: taken once. */
function totalsOf(first: MappedRow, problems: Problems): IncomingOrder['totals'] {
  const discounts = (['discount1', 'discount2', 'discount3', 'discount4'] as const).map((field) =>
    amountOf(first, field, problems),
  )
  return {
    itemsMinor: amountOf(first, 'itemsTotal', problems),
    shippingMinor: amountOf(first, 'shippingFee', problems),
    discountMinor: discounts.every((amount) => amount === null)
      ? null
      : discounts.reduce<number>((sum, amount) => sum + Math.abs(amount ?? 0), 0),
    totalMinor: amountOf(first, 'orderTotal', problems),
  }
}

function paymentOf(
  first: MappedRow,
  rows: MappedRow[],
  totalMinor: number | null,
  unpaid: boolean,
  problems: Problems,
): IncomingOrder['payment'] {
  if (/貨到付款|取貨付款|cod|cash on delivery/i.test(firstText(rows, 'paymentMethod'))) {
    if (totalMinor === null) {
      problems.add(
        first,
        'orderTotal',
        'missing',
        'The order is paid on delivery, but its total is missing, so what must be collected is not known. Fill it in and import the file again.',
      )
    }
    return { method: 'cod', state: 'due', amountDueMinor: totalMinor ?? 0, currency: 'TWD' }
  }
  return { method: 'prepaid', state: unpaid ? 'pending' : 'paid', amountDueMinor: 0, currency: 'TWD' }
}

function notesOf(rows: MappedRow[], more: (string | null | undefined)[]): string | null {
  const query = firstText(rows, 'parcelQuery')
  const notes = [
    ...rows.flatMap((row) => [row.text('notes'), row.text('notes2')]),
    query === '' ? null : `包裹查詢碼 ${query}`,
    ...more,
  ]
  return [...new Set(notes)].filter((note) => note !== null && note !== undefined && note !== '').join('\n') || null
}

function mapOrder(rows: MappedRow[], context: MapContext, problems: Problems): IncomingOrder | null {
  const [first] = rows
  if (!first) return null
  const [externalId = ''] = rows.map((row) => neededCode(row, 'orderNumber', problems, 'The order number'))
  const status = readStatus(firstText(rows, 'status'))
  const maskedRecipient = isMasked(first.text('recipientName')) || isMasked(first.text('phone'))
  const delivery = readDelivery(rows, maskedRecipient, problems)
  const lines = rows.map((row) => lineOf(row, problems))
  const needsAddress = delivery.method === 'home' && delivery.service !== 'channel'
  const [contact] = rows.map((row) => contactOf(row, problems, { needsAddress, readAddress: row === first }))
  checkAgreement(rows, shopeeTw.orderFields, problems)
  const totals = totalsOf(first, problems)
  const payment = paymentOf(first, rows, totals.totalMinor, status.unpaid, problems)
  if (problems.errors.length > 0 || !contact) return null
  const ids = lineIds(lines.map((line) => line.key))
  return {
    channel: context.channel,
    shop: context.shop,
    connection: context.connection,
    externalId,
    externalVersion: null,
    placedAt: parseDate(firstText(rows, 'placedAt'), context.zone),
    kind: 'online',
    buyer: { name: orNull(firstText(rows, 'buyerName')), phone: null, email: null, memberId: null },
    recipient: contact.recipient,
    delivery,
    payment,
    lines: lines.map(({ key: _, ...line }, index) => ({ lineId: ids[index] ?? String(index + 1), ...line })),
    totals,
    notes: notesOf(rows, [status.note, contact.extension === undefined ? null : `電話分機 ${contact.extension}`]),
    priority: 0,
    cancelled: status.cancelled,
    onHold: status.onHold,
    fulfilled: status.fulfilled,
  }
}
