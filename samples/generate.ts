/**
 * Order files for the demo and the tests, as the channels export them. People, phones and addresses are invented.
 * The same input gives the same rows; only the encryption's salt differs from call to call.
 */
import officeCrypto from 'officecrypto-tool'
import * as XLSX from '@e965/xlsx'
import { xlsxOf } from './zip.ts'

export interface SampleLine { sku: string; quantity: number; name?: string; variant?: string; /** NT$, whole dollars. */ price?: number; gift?: string }
export interface SampleOrder {
  externalId: string
  lines: SampleLine[]
  name: string
  /** As it is to stand in the file; a number loses its zero as spreadsheets do. */
  phone: string | number
  address?: string
  /** Paid on delivery (Shopee only: momo collects itself). */
  cod?: boolean
  /** A convenience store (Shopee only). */
  cvs?: { chain: '7-11' | '全家' | '萊爾富' | 'OK Mart'; storeId: string }
  /** 寄送方式 when it is no convenience store. @default '黑貓宅急便' */
  delivery?: string
  /** 訂單狀態. @default '待出貨' */
  status?: string
  notes?: string
  /** 約定配送日 (momo). */
  askedTime?: string
  /** `YYYY-MM-DD HH:mm`. @default '2026-11-20 09:30' */
  placedAt?: string
  /** NT$, whole dollars (Shopee). @default 0 */
  shippingFee?: number
}

/** Five ways in which a row is wrong, each found by its own check. */
export const WRONG_KINDS = ['missingSku', 'quantityNotWhole', 'phoneTooShort', 'missingAddress', 'missingRecipient'] as const
export type WrongKind = (typeof WRONG_KINDS)[number]

const FAMILY = '陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周'
const GIVEN = ['測一', '試二', '範三', '例四', '樣五', '本六', '虛七', '構八', '假九', '名十']
const STREETS = ['臺北市信義區測試路', '新北市板橋區範例街', '桃園市中壢區樣本路', '臺中市西屯區虛構街', '臺南市東區假名路', '高雄市左營區示範路']

const pick = <T>(list: ArrayLike<T>, n: number): T => list[n % list.length] as T

/** The nth invented person: obviously nobody, in Taiwan's formats. */
export function samplePerson(n: number): { name: string; phone: string; address: string } {
  return {
    name: `${pick(FAMILY, n)}${pick(GIVEN, Math.floor(n / FAMILY.length) + n)}`,
    phone: `0900${String(n % 1_000_000).padStart(6, '0')}`,
    address: `${pick(STREETS, n)}${(n % 300) + 1}號${(n % 12) + 1}樓`,
  }
}

const MOMO_HEADERS = [
  '項次+燈號', '訂單編號', '配送狀態\n(說明參考Desc)', '配送訊息', '約定配送日', '物流公司\n(說明參考Desc)', '配送單號', '訂單類別', '客戶配送需求', '轉單日',
  '預計出貨日', '收件人姓名', '收件人電話', '收件人行動電話', '收件人地址', '商品原廠編號', '品號', '品名', '單名編號', '單品詳細', '數量', '進價(含稅)', '贈品',
  '訂購人姓名', '發票號碼', '發票日期', '個人識別碼', '群組變價商品',
] as const

type Row = (string | number | null)[]

/** Days since 1899-12-30, as Excel counts. */
const serialOf = (text: string) => Date.parse(`${text.replace(' ', 'T')}:00Z`) / 86_400_000 + 25_569

function spoil(row: Row, kind: WrongKind): void {
  const set = (header: (typeof MOMO_HEADERS)[number], value: string | number | null) => { row[MOMO_HEADERS.indexOf(header)] = value }
  switch (kind) {
    case 'missingSku': set('商品原廠編號', null); break
    case 'quantityNotWhole': set('數量', 1.5); break
    case 'phoneTooShort': set('收件人行動電話', '09001'); set('收件人電話', null); break
    case 'missingAddress': set('收件人地址', null); break
    case 'missingRecipient': set('收件人姓名', null); break
  }
}

function momoRows(order: SampleOrder, serial: () => number): Row[] {
  const placed = serialOf(order.placedAt ?? '2026-11-20 09:30')
  return order.lines.map((line, index) => [
    serial(), order.externalId, null, null, order.askedTime ?? null, null, null, '一般', order.notes ?? null, placed, Math.floor(placed) + 2,
    order.name, null, order.phone, order.address ?? '臺北市信義區測試路1號1樓', line.sku, 8_800_000 + skuNumber(line.sku), line.name ?? `樣品 ${line.sku}`,
    String(index + 1).padStart(3, '0'), line.variant ?? '單一規格', line.quantity, line.price ?? 500, line.gift ?? null, order.name, null, null, null, null,
  ])
}

/** A number that belongs to the SKU, for columns in which the channel keeps its own. */
const skuNumber = (sku: string) => [...sku].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 99_991, 7)

/** 商品ID and 規格ID, as Shopee's API names them too. */
export const shopeeItemIds = (sku: string): { itemId: number; modelId: number } => ({ itemId: 900_000_000 + skuNumber(sku), modelId: skuNumber(sku) })

export interface MomoWorkbookInput {
  orders: SampleOrder[]
  /** Which order's first row is wrong, and how. A list makes the last orders wrong, each in its own way. */
  wrongRows?: { externalId: string; kind: WrongKind }[] | readonly WrongKind[]
}

/** momo's supplier file: an .xls with a title above, totals below, a visible sheet Desc and a hidden one. */
export function momoWorkbook({ orders, wrongRows = [] }: MomoWorkbookInput): Buffer {
  const wrong = new Map<string, WrongKind>()
  wrongRows.forEach((entry, index) => {
    if (typeof entry !== 'string') wrong.set(entry.externalId, entry.kind)
    else wrong.set(orders[orders.length - wrongRows.length + index]?.externalId ?? '', entry)
  })
  let count = 0
  const rows = orders.flatMap((order) => {
    const lines = momoRows(order, () => ++count)
    const kind = wrong.get(order.externalId)
    if (kind !== undefined && lines[0]) spoil(lines[0], kind)
    return lines
  })
  const quantity = orders.flatMap((order) => order.lines).reduce((sum, line) => sum + line.quantity, 0)
  const totals: Row = ['合計', ...new Array<null>(MOMO_HEADERS.indexOf('數量') - 1).fill(null), quantity]
  const sheet = XLSX.utils.aoa_to_sheet([['供應商出貨明細（示範資料）'], [], [...MOMO_HEADERS], ...rows, [], totals])
  sheet['!merges'] = [{ s: { r: 0, c: 0 }, e: { r: 0, c: 9 } }]
  for (let row = 3; row < 3 + rows.length; row++) {
    for (const header of ['轉單日', '預計出貨日'] as const) {
      const cell = sheet[XLSX.utils.encode_cell({ r: row, c: MOMO_HEADERS.indexOf(header) })] as XLSX.CellObject | undefined
      if (cell) cell.z = 'yyyy/mm/dd hh:mm'
    }
  }
  const book = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(book, sheet, '出貨明細')
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['配送狀態', '說明'], ['已配送', '商品已交物流'], ['已確認指定配送日', '與客戶約定日期']]), 'Desc')
  XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['訂單編號', '商品原廠編號', '數量'], ['HIDDEN-1', '不應讀取', 99]]), '系統參數')
  book.Workbook = { Sheets: [{ Hidden: 0 }, { Hidden: 0 }, { Hidden: 1 }] }
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType: 'biff8' }) as Uint8Array)
}

const SHOPEE_HEADERS = [
  '訂單編號', '訂單狀態', '不成立原因', '買家帳號', '訂單成立日期', '商品總價', '買家支付運費', '買家總支付金額', '蝦幣折抵', '賣家負擔優惠券', '商品名稱', '商品ID',
  '商品選項名稱', '規格ID', '商品原價', '商品活動價格', '主商品貨號', '商品選項貨號', '數量', '收件地址', '收件者電話', '取件門市店號', '城市', '行政區', '郵遞區號',
  '收件者姓名', '寄送方式', '出貨方式', '付款方式', '買家付款時間', '買家備註', '備註',
] as const
const AMOUNTS: ReadonlySet<string> = new Set(['商品總價', '買家支付運費', '買家總支付金額', '蝦幣折抵', '賣家負擔優惠券', '商品原價', '商品活動價格', '數量'])

function shopeeRows(order: SampleOrder): Row[] {
  const items = order.lines.reduce((sum, line) => sum + (line.price ?? 500) * line.quantity, 0)
  const shipping = order.shippingFee ?? 0
  const placed = order.placedAt ?? '2026-11-20 09:30'
  return order.lines.map((line) => {
    const values: Record<(typeof SHOPEE_HEADERS)[number], string | number | null> = {
      訂單編號: order.externalId, 訂單狀態: order.status ?? '待出貨', 不成立原因: null, 買家帳號: `demo_${order.externalId.toLowerCase()}`, 訂單成立日期: placed,
      商品總價: items, 買家支付運費: shipping, 買家總支付金額: items + shipping, 蝦幣折抵: 0, 賣家負擔優惠券: 0,
      商品名稱: line.name ?? `樣品 ${line.sku}`, 商品ID: String(shopeeItemIds(line.sku).itemId), 商品選項名稱: line.variant ?? null, 規格ID: String(shopeeItemIds(line.sku).modelId),
      商品原價: line.price ?? 500, 商品活動價格: line.price ?? 500, 主商品貨號: null, 商品選項貨號: line.sku, 數量: line.quantity,
      收件地址: order.cvs ? `${order.cvs.chain} 示範門市` : order.address ?? '臺北市信義區測試路1號1樓', 收件者電話: order.phone, 取件門市店號: order.cvs?.storeId ?? null,
      城市: null, 行政區: null, 郵遞區號: null, 收件者姓名: order.name, 寄送方式: order.cvs?.chain ?? order.delivery ?? '黑貓宅急便', 出貨方式: null,
      付款方式: order.cod ? '貨到付款' : '信用卡/VISA金融卡', 買家付款時間: order.cod ? null : placed, 買家備註: order.notes ?? null, 備註: null,
    }
    return SHOPEE_HEADERS.map((header) => values[header])
  })
}

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
/** Some headers carry a line end, as in the real export. */
const shownHeader = (header: string) => (header === '收件者電話' || header === '取件門市店號' ? `${header.slice(0, 3)}\n${header.slice(3)}` : header)

export interface ShopeeWorkbookInput { orders: SampleOrder[]; /** Without one the file is not encrypted. */ password?: string }

/** Shopee Taiwan's export: an .xlsx, encrypted when a password is given. */
export function shopeeWorkbook({ orders, password }: ShopeeWorkbookInput): Buffer {
  const strings = new Map<string, number>()
  const cell = (value: string | number | null, header: string) => {
    if (value === null) return '<c/>'
    if (typeof value === 'number' && (AMOUNTS.has(header) || header === '收件者電話')) return `<c><v>${value}</v></c>`
    const text = String(value)
    if (!strings.has(text)) strings.set(text, strings.size)
    return `<c t="s"><v>${strings.get(text)}</v></c>`
  }
  const rows = [SHOPEE_HEADERS.map(shownHeader), ...orders.flatMap(shopeeRows)]
  const xml = rows.map((row, index) =>
    `<row r="${index + 1}">${row.map((value, column) => cell(value, index === 0 ? '' : SHOPEE_HEADERS[column] ?? '')).join('')}</row>`).join('')
  const plain = xlsxOf({
    sheets: [{ name: 'orders', xml: `<sheetData>${xml}</sheetData>` }],
    strings: [...strings.keys()].map((text) => `<si><t xml:space="preserve">${escaped(text)}</t></si>`).join(''),
  })
  return password === undefined ? plain : officeCrypto.encrypt(plain, { password })
}
