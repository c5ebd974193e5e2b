import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as XLSX from '@e965/xlsx'
import iconv from 'iconv-lite'
import { describe, expect, test } from 'vitest'
import { openWorkbook } from '../../mappings/files/open.ts'
import { readOrders } from '../../mappings/files/read.ts'
import { bytesSource, refused, rowsOf } from './files-helpers.ts'

const xls = (book: XLSX.WorkBook, options: XLSX.WritingOptions = {}) =>
  Buffer.from(XLSX.write(book, { type: 'buffer', bookType: 'biff8', ...options }) as Uint8Array)
const bookOf = (sheet: XLSX.WorkSheet, name = '訂單') => {
  const book = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(book, sheet, name)
  return book
}

describe('old .xls', () => {
  test('Chinese, numbers, dates, booleans and zero formats are exact', async () => {
    const sheet = XLSX.utils.aoa_to_sheet([['堃峯喆𠮷①', 1.5, 912345678, true], [], [46348.395833333336, -3, 1e9, 0.1]])
    ;(sheet.A3 as XLSX.CellObject).z = 'yyyy/m/d h:mm'
    ;(sheet.C1 as XLSX.CellObject).z = '0000000000'
    expect(await rowsOf(xls(bookOf(sheet)))).toEqual([
      { row: 1, cells: ['堃峯喆𠮷①', 1.5, '0912345678', true] },
      { row: 3, cells: [{ wallClock: '2026-11-22 09:30:00' }, -3, 1e9, 0.1] },
    ])
  })

  test('a table of shared texts that runs over many records is exact', async () => {
    const texts = Array.from({ length: 4000 }, (_, i) => [
      `${i % 3 === 0 ? 'ascii' : '峯堃測試'}第${i}筆${'長'.repeat(i % 40)}`,
      `plain ${i}`,
    ])
    const rows = await rowsOf(xls(bookOf(XLSX.utils.aoa_to_sheet(texts)), { bookSST: true }))
    expect(rows.map((row) => row.cells)).toEqual(texts)
  })

  test('formulas give their cached value, merges lend theirs, hidden sheets are named', async () => {
    const sheet = XLSX.utils.aoa_to_sheet([
      ['甲', 1],
      [null, 2],
    ])
    sheet.C1 = { t: 'n', f: 'B1+B2', v: 3 }
    sheet.C2 = { t: 's', f: 'A1', v: '甲' }
    sheet['!ref'] = 'A1:C2'
    sheet['!merges'] = [{ s: { r: 0, c: 0 }, e: { r: 1, c: 0 } }]
    const book = bookOf(sheet)
    XLSX.utils.book_append_sheet(book, XLSX.utils.aoa_to_sheet([['藏']]), '系統')
    book.Workbook = { Sheets: [{ Hidden: 0 }, { Hidden: 2 }] }
    const rows = await rowsOf(xls(book))
    expect(rows.map((row) => row.cells)).toEqual([
      ['甲', 1, 3],
      [null, 2, '甲'],
    ])
    expect(rows[1]?.merged?.get(0)).toBe('甲')
    expect((await openWorkbook(bytesSource(xls(book)))).hiddenSheets).toEqual(['系統'])
  })

  test('dates of the 1904 system', async () => {
    const sheet = XLSX.utils.aoa_to_sheet([[44886]])
    ;(sheet.A1 as XLSX.CellObject).z = 'yyyy-mm-dd'
    const book = bookOf(sheet)
    book.Workbook = { WBProps: { date1904: true } }
    expect((await rowsOf(xls(book)))[0]?.cells).toEqual([{ wallClock: '2026-11-22' }])
  })
})

describe('CSV', () => {
  const text = '訂單編號,品名,"備註"\r\n="00123",功能許蓋①,"一行\n兩行，""引號"""\r\n\r\n00456,堃,尾\r\n'
  const expected = [
    { row: 1, cells: ['訂單編號', '品名', '備註'] },
    { row: 2, cells: ['00123', '功能許蓋①', '一行\n兩行，"引號"'] },
    { row: 4, cells: ['00456', '堃', '尾'] },
  ]

  test.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with BOM', Buffer.from(`\uFEFF${text}`)],
  ])('%s is read exactly', async (_, bytes) => {
    expect(await rowsOf(bytes)).toEqual(expected)
  })

  test("Big5 as Taiwan's Windows writes it is detected, ① included", async () => {
    const plain = text.replace('堃', '坤')
    const bytes = iconv.encode(plain, 'big5')
    expect(bytes.includes('?')).toBe(false)
    expect((await rowsOf(bytes)).map((row) => row.cells)).toEqual(
      expected.map((row) => row.cells.map((cell) => cell.replace('堃', '坤'))),
    )
  })

  test('both encodings are exact over many megabyte-sized pieces', async () => {
    const lines = Array.from({ length: 8_000 }, (_, i) => `第${i}筆,許功蓋測試${'字'.repeat(i % 31)},${i}`)
    const want = lines.map((line) => line.split(','))
    for (const bytes of [Buffer.from(lines.join('\n')), iconv.encode(lines.join('\n'), 'big5')]) {
      expect((await rowsOf(bytes)).map((row) => row.cells)).toEqual(want)
    }
  }, 30_000)

  test('it is read from a path as well', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'omnisaga-csv-'))
    try {
      await writeFile(join(folder, 'a.xlsx'), text)
      const workbook = await openWorkbook({ path: join(folder, 'a.xlsx') })
      expect(workbook.format).toBe('csv')
      expect(await refused(() => openWorkbook({ path: join(folder, 'none.csv') }))).toMatchObject({
        kind: 'Invalid',
        code: 'noFile',
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  test('what begins as UTF-8 and goes on as something else is told, not mangled', async () => {
    const bytes = Buffer.concat([Buffer.from(`${'訂單,測試\n'.repeat(120_000)}`), Buffer.from([0xa4, 0x40, 0xff, 0x0a])])
    expect(await refused(() => rowsOf(bytes))).toMatchObject({ kind: 'Invalid', code: 'damaged' })
  }, 30_000)

  test('orders of a CSV are mapped like those of a workbook', async () => {
    const csv =
      '訂單編號,商品原廠編號,數量,收件人姓名,收件人行動電話,收件人地址\nT1,A-1,２,測試人,912345678,臺北市信義區測試路1號\n'
    for (const bytes of [Buffer.from(csv), iconv.encode(csv, 'big5')]) {
      const { orders, errors } = await readOrders(bytesSource(bytes), { profile: 'momo' })
      expect(errors).toEqual([])
      expect(orders[0]?.order).toMatchObject({
        externalId: 'T1',
        lines: [{ sku: 'A-1', quantity: 2 }],
        recipient: { name: '測試人', phone: '+886912345678' },
      })
    }
  })
})
