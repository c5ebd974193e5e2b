/**
 * Proposes a layout for a file that no profile knows: columns by what their headers usually mean in Chinese and English, and where
 * those say nothing, by what the cells look like. A person looks it through before it is taught.
 */
import { stringify } from 'yaml'
import { parseAmountMinor } from '../../domain/money.ts'
import { unreadable } from '../files/errors.ts'
import type { Sheet, SheetRow, Workbook } from '../files/types.ts'
import { normaliseHeader, normaliseText, parseDate, parsePhone, parseQuantity } from '../normalise/index.ts'
import { cellText } from './columns.ts'
import { FIELD_MEANINGS, fingerprintOfLayout, LayoutDocument, NEEDED, type TaughtField } from './layout.ts'

export interface Proposal {
  yaml: string
  /** Absent when needed columns are missing. */
  layout: LayoutDocument | null
  /** Needed columns that were not found, in words. */
  missing: string[]
  sheet: string
  headerRow: number
  fingerprint: string | null
}

/** Tried in order; the first field that takes a header keeps it. Keys are as wordOf makes them. */
const SYNONYMS: readonly [TaughtField, RegExp][] = [
  [
    'orderNumber',
    /^(訂單|交易|購物|主)?(單號|訂單編號|訂單號碼?|訂單序號|交易編號|交易序號)$|^order(id|no\.?|number|#|name)?$|^(訂購|訂貨)單號$/,
  ],
  ['cancelledAt', /取消(日|時)|cancell?edat|canceldate/],
  [
    'placedAt',
    /(訂購|訂單|下單|成立|建立|交易|轉單|購買).*(日|時間)|^(order|purchase|create|created|placed).*(date|at|time)$|^date$/,
  ],
  ['paymentState', /付款狀態|繳款狀態|paymentstat|financialstat/],
  ['status', /^(訂單|處理|出貨)?狀態$|^(order)?status$/],
  ['paymentMethod', /付款(方式|別)|支付方式|收款方式|payment(method|type)?$/],
  ['amountDue', /代收|應收|cod.*amount|amountdue|貨到付款金額/],
  ['email', /email|信箱|電子郵件/],
  ['postalCode', /郵遞區號|^zip|postal|postcode/],
  ['storeId', /(門市|超商|店鋪|店舖).*(店號|代號|編號|號)|^店號$|storeid|storeno|storecode/],
  ['chain', /超商(類型|別|名稱)?$|^chain$/],
  ['delivery', /(配送|寄送|送貨|運送|出貨|物流|取貨)方式|(shipping|delivery)(method|type)|^(shipping|delivery)$/],
  ['askedTime', /(指定|希望|約定|預計).*(送達|到貨|配送|配達).*(日|時)?|deliver(at|ydate|ytime)/],
  [
    'recipientName',
    /(收件|收貨|取件|取貨|收)(人|者)?(姓名|名稱|名)?$|^(recipient|receiver|consignee|shipto|shipping|ship)(name)?$|^收件人$/,
  ],
  [
    'phone',
    /(收件|收貨|取件|取貨).*(手機|行動|電話|聯絡)|^(手機|行動電話|手機號碼|聯絡電話|電話|連絡電話)$|(recipient|receiver|ship(ping)?).*(phone|mobile|tel)|^(phone|mobile|tel|cell)/,
  ],
  ['district', /鄉鎮市?區|^行政區$|^地區$|district/],
  ['city', /^縣市別?$|^城市$|^city$|shippingcity/],
  ['address', /地址|住址|address|street/],
  ['country', /^國家$|country/],
  ['buyerName', /(訂購|購買|買)(人|者|家)|^會員|^(客戶|顧客)(姓名|名稱)?$|buyer|customer/],
  ['itemId', /(平台|賣場|商城).*(商品|編號)|^商品id$|itemid|productid/],
  ['sku', /sku|貨號|料號|品號|(商品|產品|貨品|品項)(編號|代號|代碼|原廠編號)$|itemcode|partno|^item(no|number)$|條碼/],
  ['variant', /規格|款式|選項|尺寸|顏色|variant|option/],
  ['productName', /(商品|產品|品項|貨品)(名稱|名)?$|^品名$|(product|item|lineitem)(name|title)|^title$|^(product|item)$/],
  ['quantity', /數量|件數|^qty$|quantity|^pcs$/],
  ['lineTotal', /^(商品)?小計$|(line|sub)total|^amount$|^金額$/],
  ['unitPrice', /單價|售價|價格|unitprice|^price$|lineitemprice|進價|成本/],
  ['shippingFee', /運費|shipping(fee|cost|price)|freight/],
  ['discount1', /折扣|折抵|優惠金額|discount/],
  ['itemsTotal', /商品(總額|總計|總金額|合計)|itemstotal/],
  ['orderTotal', /(訂單|應付|付款)?(總額|總計|總金額|合計)|訂單金額|ordertotal|grandtotal|^total/],
  ['currency', /^幣別$|currency/],
  ['gift', /贈品|^gift/],
  ['notes2', /(賣家|商店|店家|出貨|內部)備註/],
  ['notes', /備註|留言|note|remark|comment/],
  ['serial', /^(項次|序號|編號|no\.?|#)$/],
]
/** For what is needed and was not found by its usual names. */
const LOOSER: readonly [TaughtField, RegExp][] = [
  ['orderNumber', /單號$|order(no|id|number|ref)$/],
  ['recipientName', /姓名$|name$/],
  ['phone', /手機|電話|phone|mobile/],
  ['sku', /編號$|代號$|code$/],
  ['quantity', /數量?$|qty$|count$/],
]
/** Left to be written back, or of no use to an order. */
const OURS = {
  waybill: /(配送|物流|托運|貨運|宅配|寄件)單號|追蹤(號|碼)|tracking/,
  carrier: /(物流|貨運|宅配|快遞)(公司|商|業者)|carrier|courier/,
}

interface Column {
  header: string
  key: string
  /** Up to 200 cells that say something. */
  samples: string[]
}

const SAMPLE_ROWS = 200
const HEADER_WITHIN_ROWS = 60
const share = (samples: string[], is: (text: string) => boolean) =>
  samples.length === 0 ? 0 : samples.filter(is).length / samples.length

/** @throws OmnisagaError Invalid (`unknownHeaders`) when no row looks like a header. */
export async function proposeLayout(workbook: Workbook, options: { name: string }): Promise<Proposal> {
  let best: { sheet: Sheet; row: number; columns: Column[]; score: number } | null = null
  for (const sheet of workbook.sheets) {
    const found = await headerIn(sheet)
    if (found && (best === null || found.score > best.score)) best = { sheet, ...found }
  }
  if (best === null) {
    throw unreadable(
      'unknownHeaders',
      `No row within the first ${HEADER_WITHIN_ROWS} looks like the header of an order list.`,
      'Check that it is an order export with a row of column names.',
    )
  }
  const fields = fieldsOf(best.columns)
  const used = new Set(fields.values())
  const writeBack = writeBackOf(best.columns.filter((column) => !used.has(column)))
  const others = best.columns.filter((column) => !used.has(column) && !writeBack.includes(column))
  const missing = NEEDED.filter((group) => !group.some((field) => fields.has(field))).map(
    (group) => `${group.join(' or ')} (${group[0] ? FIELD_MEANINGS[group[0]] : ''})`,
  )
  const document = {
    name: options.name,
    title: options.name,
    channel: options.name,
    ...(workbook.sheets.length > 1 && { sheet: best.sheet.name }),
    columns: Object.fromEntries(
      (Object.keys(FIELD_MEANINGS) as TaughtField[]).flatMap((field) => {
        const column = fields.get(field)
        return column ? [[field, column.header] as const] : []
      }),
    ),
    ...(others.length > 0 && { ignored: others.map(({ header }) => header) }),
    defaults: { delivery: 'home', payment: 'prepaid', currency: 'TWD' },
    ...(writeBack.length === 2 && { writeBack: { waybill: writeBack[0]?.header, carrier: writeBack[1]?.header } }),
  }
  const parsed = LayoutDocument.safeParse(document)
  const layout = missing.length === 0 && parsed.success ? parsed.data : null
  return {
    yaml: yamlOf(document, missing),
    layout,
    missing,
    sheet: best.sheet.name,
    headerRow: best.row,
    fingerprint: layout && fingerprintOfLayout(layout),
  }
}

function yamlOf(document: { columns: Record<string, unknown> }, missing: string[]): string {
  const comments = [
    '# Proposed by: omnisaga profile new. Look it through, then: omnisaga profile apply THIS.yaml',
    ...missing.map((each) => `# NOT FOUND, needed under columns: ${each}`),
  ]
  return `${comments.join('\n')}\n${stringify(document, { lineWidth: 0 })}`
}

/** The row most of whose cells are names of columns, with what stands below it. */
async function headerIn(sheet: Sheet): Promise<{ row: number; columns: Column[]; score: number } | null> {
  const rows: SheetRow[] = []
  for await (const row of sheet.rows()) {
    rows.push(row)
    if (rows.length >= HEADER_WITHIN_ROWS + SAMPLE_ROWS) break
  }
  let best: { at: number; score: number } | null = null
  for (const [at, row] of rows.slice(0, HEADER_WITHIN_ROWS).entries()) {
    const texts = row.cells.map((cell) => cellText(cell))
    const score = new Set(texts.map((text) => meaningOf(wordOf(text))).filter((field) => field !== null)).size
    if (score >= 3 && (best === null || score > best.score)) best = { at, score }
  }
  if (best === null) return null
  const header = rows[best.at]
  if (header === undefined) return null
  const below = rows.slice(best.at + 1, best.at + 1 + SAMPLE_ROWS)
  const seen = new Set<string>()
  const columns = header.cells.flatMap((cell, column): Column[] => {
    const text = normaliseText(cellText(cell))
    const key = wordOf(text)
    // Of two columns of one name the first is meant.
    if (key === '' || seen.has(key)) return []
    seen.add(key)
    return [{ header: text, key, samples: below.map((row) => cellText(row.cells[column])).filter((sample) => sample !== '') }]
  })
  return { row: header.row, columns, score: best.score }
}

/** order_no, order-no and Order No are one word. */
const wordOf = (text: string) => normaliseHeader(text).replace(/[_-]/g, '')

const meaningOf = (key: string): TaughtField | null =>
  key === '' ? null : (SYNONYMS.find(([, pattern]) => pattern.test(key))?.[0] ?? null)

/** A header's word is believed unless the cells say otherwise; what stays open is filled in by the looks of the cells. */
function fieldsOf(columns: readonly Column[]): Map<TaughtField, Column> {
  const fields = new Map<TaughtField, Column>()
  const free = new Set(columns)
  const take = (field: TaughtField, column: Column) => {
    fields.set(field, column)
    free.delete(column)
  }
  for (const [field, pattern] of SYNONYMS) {
    if (fields.has(field)) continue
    const mine = [...free].filter((each) => pattern.test(each.key) && meaningOf(each.key) === field && fits(field, each.samples))
    // 商品編號 beside 貨號: the one whose cells differ most is the article's number.
    const column = field === 'sku' ? mine.toSorted((a, b) => variety(b) - variety(a))[0] : mine[0]
    if (column) take(field, column)
  }
  const second = [...free].find((each) => meaningOf(each.key) === 'phone' && fits('phone', each.samples))
  if (second) take('phone2', second)
  for (const field of ['phone', 'placedAt', 'quantity'] as const) {
    const column = fields.has(field)
      ? undefined
      : [...free].find((each) => meaningOf(each.key) === null && looksLike(field, each.samples))
    if (column) take(field, column)
  }
  for (const [field, pattern] of LOOSER) {
    const ours = ({ key }: Column) => OURS.waybill.test(key) || OURS.carrier.test(key)
    const column = fields.has(field)
      ? undefined
      : [...free].find(
          (each) => pattern.test(each.key) && meaningOf(each.key) === null && !ours(each) && fits(field, each.samples),
        )
    if (column) take(field, column)
  }
  return fields
}

const variety = ({ samples }: Column) => (samples.length === 0 ? 0 : new Set(samples).size / samples.length)

/** False when what stands below cannot be this. */
function fits(field: TaughtField, samples: string[]): boolean {
  if (samples.length === 0) return true
  switch (field) {
    case 'phone':
      return share(samples, (text) => /\d{6,}|\*/.test(text.replace(/[\s()-]/g, ''))) > 0.5
    case 'quantity':
      return share(samples, (text) => parseQuantity(text) !== null) > 0.5
    case 'unitPrice':
    case 'lineTotal':
    case 'orderTotal':
    case 'itemsTotal':
    case 'shippingFee':
    case 'amountDue':
    case 'discount1':
      return share(samples, (text) => parseAmountMinor(text) !== null || text === '-') > 0.5
    case 'placedAt':
      return share(samples, isDate) > 0.5
    default:
      return true
  }
}

const isDate = (text: string) => parseDate(text, 'Asia/Taipei') !== null && !/^\d{1,5}$/.test(text)

function looksLike(field: 'phone' | 'placedAt' | 'quantity', samples: string[]): boolean {
  if (samples.length === 0) return false
  if (field === 'phone')
    return share(samples, (text) => parsePhone(text).e164 !== null && /^[+(]?[\d\s()-]{8,}$/.test(text)) > 0.8
  if (field === 'placedAt') return share(samples, isDate) > 0.8
  return share(samples, (text) => /^[1-9]\d{0,2}$/.test(text)) > 0.95 && samples.length >= 3
}

/** @returns the columns of waybill and courier, or none. */
function writeBackOf(columns: readonly Column[]): Column[] {
  const waybill = columns.find(({ key }) => OURS.waybill.test(key))
  const carrier = columns.find((column) => column !== waybill && OURS.carrier.test(column.key))
  return waybill && carrier ? [waybill, carrier] : []
}
