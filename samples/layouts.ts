/** Order files of every profile, as their channels export them (columns by the documented lists). People and goods are invented. */
import * as XLSX from '@e965/xlsx'
import { momoWorkbook, samplePerson, shopeeWorkbook, type SampleOrder } from './generate.ts'

type Row = Record<string, string | number>
type Format = 'xlsx' | 'biff8' | 'csv'

export interface LayoutFile {
  fileName: string
  bytes: Buffer
}

/** Three orders; the second has two lines. */
export const layoutOrders = (count = 3): SampleOrder[] =>
  Array.from({ length: count }, (_, n) => ({
    externalId: `26112${String(n).padStart(5, '0')}`,
    ...samplePerson(n),
    lines:
      n % 3 === 1
        ? [
            { sku: 'TEE-S', quantity: 2, price: 590 },
            { sku: 'CAP', quantity: 1, price: 350 },
          ]
        : [{ sku: n % 2 === 0 ? 'TEE-M' : 'CAP', quantity: 1 + (n % 4), price: 590 }],
  }))

const sum = (order: SampleOrder) => order.lines.reduce((total, line) => total + line.quantity * (line.price ?? 0), 0)
const name = (sku: string) => `樣品 ${sku}`
/** A number of the channel's own for each article. */
const itemOf = (sku: string) => 70_000 + [...sku].reduce((total, letter) => total + (letter.codePointAt(0) ?? 0), 0)

function file(headers: readonly string[], rows: Row[], format: Format, title?: string): Buffer {
  const table = [...(title === undefined ? [] : [[title]]), [...headers], ...rows.map((row) => headers.map((header) => row[header] ?? ''))]
  if (format === 'csv') {
    const cell = (value: string | number) => (/[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value))
    return Buffer.from(`\uFEFF${table.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`)
  }
  const sheet = XLSX.utils.aoa_to_sheet(table.map((row) => row.map((value) => (value === '' ? null : value))))
  const book = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(book, sheet, '訂單')
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType: format }) as Uint8Array)
}

const each = (orders: SampleOrder[], row: (order: SampleOrder, line: SampleOrder['lines'][number], index: number) => Row): Row[] =>
  orders.flatMap((order) => order.lines.map((line, index) => row(order, line, index)))

const PCHOME = '收貨人|訂單編號|NO|出貨單號|確認|出貨日期|轉單日期|預購日|ZIP|收貨地址(訂單編號)|收貨人電話|商品名稱|下訂時數量|取消數量|應出貨數量|單位成本|成本小計|商品規格|廠商料號|備註'.split('|')
export function pchomeFile(orders: SampleOrder[], { format = 'biff8' as Format, cancelled = 0 } = {}): Buffer {
  return file(
    [...PCHOME, '物流公司', '配送單號'],
    each(orders, (order, line, index) => ({
      收貨人: order.name,
      訂單編號: order.externalId,
      NO: String(index + 1).padStart(3, '0'),
      出貨單號: `S${order.externalId}`,
      轉單日期: order.placedAt ?? '2026/11/20',
      ZIP: '110',
      '收貨地址(訂單編號)': `${order.address}(${order.externalId})`,
      收貨人電話: order.phone,
      商品名稱: line.name ?? name(line.sku),
      下訂時數量: line.quantity + cancelled,
      取消數量: cancelled,
      應出貨數量: line.quantity,
      單位成本: line.price ?? 0,
      成本小計: (line.price ?? 0) * line.quantity,
      商品規格: line.variant ?? '單一規格',
      廠商料號: line.sku,
      備註: order.notes ?? '',
    })),
    format,
  )
}

const PCHOME_24H = '備註|單號確認日|出貨日|轉單日期|商品名稱|商品ID|商品規格|單位成本|實際出貨數量|成本小計|訂購人|廠商料號'.split('|')
export function pchome24hFile(orders: SampleOrder[], format: Format = 'xlsx'): Buffer {
  return file(
    PCHOME_24H,
    each(orders, (order, line) => ({
      單號確認日: '2026/11/20',
      出貨日: '2026/11/21',
      轉單日期: '2026/11/20',
      商品名稱: name(line.sku),
      商品ID: `DXAB-${itemOf(line.sku)}`,
      商品規格: '單一規格',
      單位成本: line.price ?? 0,
      實際出貨數量: line.quantity,
      成本小計: (line.price ?? 0) * line.quantity,
      訂購人: order.name,
      廠商料號: line.sku,
    })),
    format,
    'PChome 24h 出貨明細（示範資料）',
  )
}

const PAYEASY = '項次|組檔日期|訂單編號|活動訂單|商品銷售名稱|商品流水號|廠商商品原始碼|商品數量|帳款金額|訂單貨款|收貨人|郵遞區號|縣市別|收貨地址|電話(日)|電話(夜)|手機|備註'.split('|')
export function payeasyFile(orders: SampleOrder[], format: Format = 'biff8'): Buffer {
  let serial = 0
  return file(
    PAYEASY,
    each(orders, (order, line) => ({
      項次: ++serial,
      組檔日期: order.placedAt ?? '2026/11/20',
      訂單編號: order.externalId,
      活動訂單: '否',
      商品銷售名稱: name(line.sku),
      商品流水號: itemOf(line.sku),
      廠商商品原始碼: line.sku,
      商品數量: line.quantity,
      帳款金額: (line.price ?? 0) * line.quantity,
      訂單貨款: (line.price ?? 0) * line.quantity,
      收貨人: order.name,
      縣市別: (order.address ?? '').slice(0, 3),
      收貨地址: order.address ?? '',
      手機: order.phone,
      備註: order.notes ?? '',
    })),
    format,
  )
}

const SHOPIFY = (
  'Name|Email|Financial Status|Paid at|Fulfillment Status|Fulfilled at|Accepts Marketing|Currency|Subtotal|Shipping|Taxes|Total|Discount Code|' +
  'Discount Amount|Shipping Method|Created at|Lineitem quantity|Lineitem name|Lineitem price|Lineitem compare at price|Lineitem sku|' +
  'Lineitem requires shipping|Lineitem taxable|Lineitem fulfillment status|Billing Name|Billing Phone|Shipping Name|Shipping Street|' +
  'Shipping Address1|Shipping Address2|Shipping Company|Shipping City|Shipping Zip|Shipping Province|Shipping Country|Shipping Phone|Notes|' +
  'Note Attributes|Cancelled at|Payment Method|Payment Reference|Refunded Amount|Vendor|Outstanding Balance|Employee|Location|Device ID|Id|' +
  'Tags|Risk Level|Source|Lineitem discount|Phone|Receipt Number|Duties|Payment ID'
).split('|')
export interface ShopifyChange {
  discount?: number
  shipping?: number
  taxes?: number
  row?: (order: SampleOrder, index: number) => Row
}
/** The first row of an order carries its values, later rows only line items. */
export function shopifyFile(orders: SampleOrder[], { discount = 0, shipping = 80, taxes = 0, row }: ShopifyChange = {}): Buffer {
  return file(
    SHOPIFY,
    each(orders, (order, line, index) => ({
      Name: `#${order.externalId}`,
      Email: 'sample@example.com',
      'Lineitem quantity': line.quantity,
      'Lineitem name': name(line.sku),
      'Lineitem price': `${line.price ?? 0}.00`,
      'Lineitem sku': line.sku,
      'Lineitem requires shipping': 'true',
      'Lineitem taxable': 'true',
      Vendor: '示範商店',
      ...(index === 0 && {
        'Financial Status': order.cod ? 'pending' : 'paid',
        'Fulfillment Status': 'unfulfilled',
        Currency: 'TWD',
        Subtotal: `${sum(order) - discount}.00`,
        Shipping: `${shipping}.00`,
        Taxes: `${taxes}.00`,
        Total: `${sum(order) - discount + shipping}.00`,
        'Discount Amount': `${discount}.00`,
        'Shipping Method': order.delivery ?? 'Standard',
        'Created at': '2026-11-20 09:30:00 +0800',
        'Billing Name': order.name,
        'Shipping Name': order.name,
        'Shipping Street': order.address ?? '',
        'Shipping Country': 'TW',
        'Shipping Phone': String(order.phone),
        'Payment Method': order.cod ? 'Cash on Delivery (COD)' : 'ECPay',
        'Outstanding Balance': order.cod ? `${sum(order) - discount + shipping}.00` : '0.00',
        Id: `5${order.externalId}`,
      }),
      ...row?.(order, index),
    })),
    'csv',
  )
}

const SHOPLINE = '訂單號碼|訂單狀態|付款狀態|收件人|完整地址|收件人電話號碼|發票號碼|商品貨號|商品名稱|數量|商品結帳價|商品折扣優惠|商品折扣金額|點數折現分攤|出貨備註|送貨編號|付款方式|全家服務編號 / 7-11 店號|加購品類型|訂單備註|發票開立日期|運費'.split('|')
export function shoplineFile(orders: SampleOrder[], format: Format = 'xlsx'): Buffer {
  return file(
    SHOPLINE,
    each(orders, (order, line, index) => ({
      訂單號碼: order.externalId,
      訂單狀態: order.status ?? '處理中',
      付款狀態: order.cod ? '未付款' : '已付款',
      收件人: order.name,
      完整地址: order.address ?? '',
      收件人電話號碼: order.phone,
      商品貨號: line.sku,
      商品名稱: name(line.sku),
      數量: line.quantity,
      商品結帳價: line.price ?? 0,
      付款方式: order.cvs ? `${order.cvs.chain} 取貨付款` : '信用卡',
      '全家服務編號 / 7-11 店號': order.cvs?.storeId ?? '',
      訂單備註: order.notes ?? '',
      ...(index === 0 && { 運費: order.shippingFee ?? 0 }),
    })),
    format,
  )
}

const GENERIC = '訂單編號|訂購時間|收件人姓名|收件人電話|收件人地址|配送方式|取貨門市店號|付款方式|商品編號|商品名稱|規格|數量|單價|小計|商品總額|運費|折扣|訂單總額|備註'.split('|')
export function genericFile(orders: SampleOrder[], format: Format = 'csv'): Buffer {
  return file(
    GENERIC,
    each(orders, (order, line) => ({
      訂單編號: order.externalId,
      訂購時間: order.placedAt ?? '2026-11-20 09:30',
      收件人姓名: order.name,
      收件人電話: String(order.phone),
      收件人地址: order.address ?? '',
      配送方式: order.cvs?.chain ?? order.delivery ?? '宅配',
      取貨門市店號: order.cvs?.storeId ?? '',
      付款方式: order.cod ? '貨到付款' : '信用卡',
      商品編號: line.sku,
      商品名稱: name(line.sku),
      數量: line.quantity,
      單價: line.price ?? 0,
      小計: (line.price ?? 0) * line.quantity,
      商品總額: sum(order),
      運費: order.shippingFee ?? 0,
      折扣: 0,
      訂單總額: sum(order) + (order.shippingFee ?? 0),
      備註: order.notes ?? '',
    })),
    format,
  )
}

/** One file a profile, by its name. */
export const layoutFiles: Record<string, (orders: SampleOrder[]) => LayoutFile> = {
  'shopee-tw': (orders) => ({ fileName: 'shopee-tw.xlsx', bytes: shopeeWorkbook({ orders }) }),
  momo: (orders) => ({ fileName: 'momo.xls', bytes: momoWorkbook({ orders }) }),
  pchome: (orders) => ({ fileName: 'pchome.xls', bytes: pchomeFile(orders) }),
  'pchome-24h': (orders) => ({ fileName: 'pchome-24h.xlsx', bytes: pchome24hFile(orders) }),
  payeasy: (orders) => ({ fileName: 'payeasy.xls', bytes: payeasyFile(orders) }),
  'shopify-csv': (orders) => ({ fileName: 'shopify-csv.csv', bytes: shopifyFile(orders) }),
  shopline: (orders) => ({ fileName: 'shopline.xlsx', bytes: shoplineFile(orders) }),
  generic: (orders) => ({ fileName: 'generic.csv', bytes: genericFile(orders) }),
}
