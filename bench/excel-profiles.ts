/** Files of every profile for the benchmark: as the channel exports them, with as many rows as the format takes. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SampleOrder } from '../samples/generate.ts'
import { layoutFiles } from '../samples/layouts.ts'
import { xlsxOf } from '../samples/zip.ts'

const FAMILY = '陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周'
const STREETS = ['臺北市信義區測試路', '新北市板橋區範例街', '桃園市中壢區樣本路', '臺中市西屯區虛構街', '高雄市左營區示範路']
const SKUS = ['TEE-S', 'TEE-M', 'CAP', 'MUG', 'SOCKS']

/** Two rows an order: one order in two has two lines, the next one. */
function orderOf(n: number, lines: number): SampleOrder {
  return {
    externalId: String(261_100_000_000 + n),
    name: `${FAMILY[n % FAMILY.length]}測${n % 977}`,
    phone: `09${String(10_000_000 + (n % 90_000_000)).padStart(8, '0')}`,
    address: `${STREETS[n % STREETS.length]}${(n % 300) + 1}號${(n % 12) + 1}樓`,
    lines: Array.from({ length: lines }, (_, at) => ({
      sku: SKUS[(n + at) % SKUS.length] as string,
      quantity: 1 + (n % 3),
      price: 590,
    })),
  }
}

function ordersWith(rows: number): SampleOrder[] {
  const orders: SampleOrder[] = []
  for (let left = rows, n = 0; left > 0; n++) {
    const lines = Math.min(left, 1 + (n % 2))
    orders.push(orderOf(n, lines))
    left -= lines
  }
  return orders
}

function keep(name: string, build: () => Buffer): string {
  const folder = join(tmpdir(), 'omnisaga-bench')
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  if (!existsSync(path)) {
    writeFileSync(`${path}.${process.pid}`, build())
    renameSync(`${path}.${process.pid}`, path)
  }
  return path
}

/** @returns the file's path; made when it is not there yet. */
export const profileFile = (profile: string, rows: number): string =>
  keep(`${profile}-${rows}-v1`, () => layoutFiles[profile]?.(ordersWith(rows)).bytes ?? Buffer.alloc(0))

const at = (column: number) => String.fromCharCode(65 + column)
const LARGE =
  '訂單編號|訂購時間|收件人姓名|收件人電話|收件人地址|配送方式|付款方式|商品編號|商品名稱|規格|數量|單價|小計|商品總額|運費|折扣|訂單總額|備註|訂購人|訂購人信箱|幣別|贈品|指定送達時間|郵遞區號|縣市'.split(
    '|',
  )

/** Our own layout with 25 columns and 300,000 rows, more than a library that holds a workbook could write here. */
export const largeFile = (rows: number): string =>
  keep(`generic-large-${rows}-v1.xlsx`, () => {
    const strings = new Map<string, number>()
    const cell = (value: string | number, column: number, row: number) => {
      if (typeof value === 'number') return `<c r="${at(column)}${row}"><v>${value}</v></c>`
      let index = strings.get(value)
      if (index === undefined) strings.set(value, (index = strings.size))
      return `<c r="${at(column)}${row}" t="s"><v>${index}</v></c>`
    }
    const pieces = [`<sheetData><row r="1">${LARGE.map((header, column) => cell(header, column, 1)).join('')}</row>`]
    for (let row = 2; row <= rows + 1; row++) {
      const n = row >> 1
      const order = orderOf(n, 1)
      const quantity = 1 + (row % 3)
      const values = [
        order.externalId,
        '2026-11-20 09:30',
        order.name,
        order.phone,
        order.address ?? '',
        '宅配',
        '信用卡',
        SKUS[row % 5] ?? '',
        `樣品 ${row % 5000}`,
        `款式 ${row % 60}`,
        quantity,
        590,
        590 * quantity,
        '',
        0,
        0,
        '',
        `請於${n % 28}日前送達 ${n}`,
        order.name,
        `sample${n}@example.com`,
        'TWD',
        '否',
        '不指定',
        '',
        '',
      ]
      pieces.push(
        `<row r="${row}">${values.map((value, column) => (value === '' ? '' : cell(value, column, row))).join('')}</row>`,
      )
    }
    return xlsxOf({
      sheets: [{ name: '訂單', xml: `${pieces.join('')}</sheetData>` }],
      strings: [...strings.keys()].map((text) => `<si><t>${text}</t></si>`).join(''),
    })
  })
