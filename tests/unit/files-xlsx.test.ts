import ExcelJS from 'exceljs'
import officeCrypto from 'officecrypto-tool'
import { describe, expect, test } from 'vitest'
import { isDateFormat, serialToDate } from '../../mappings/files/dates.ts'
import { openWorkbook } from '../../mappings/files/open.ts'
import { SheetScanner } from '../../mappings/files/xlsx/sheet.ts'
import { SharedStrings, readSharedStrings } from '../../mappings/files/xlsx/strings.ts'
import { DEFAULT_LIMITS } from '../../mappings/files/types.ts'
import { xlsxOf } from '../../samples/zip.ts'
import { bytesSource, refused, rowsOf } from './files-helpers.ts'

const one = (xml: string, more: Partial<Parameters<typeof xlsxOf>[0]> = {}) =>
  xlsxOf({ sheets: [{ name: 'orders', xml: `<sheetData>${xml}</sheetData>` }], ...more })
const cellsOf = async (xml: string, more: Partial<Parameters<typeof xlsxOf>[0]> = {}) =>
  (await rowsOf(one(xml, more))).map((row) => row.cells)

describe('text of an .xlsx', () => {
  test('Chinese text comes through exactly wherever a piece of the file ends', async () => {
    const text = '堃峯喆𠮷①許功蓋測試全形ＡＢＣ　空白😀'
    const xml = Buffer.from(
      `<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>${text}</t></is></c><c r="B1" t="s"><v>12</v></c></row></sheetData></worksheet>`,
    )
    const items = Buffer.from(`<sst>${Array.from({ length: 13 }, (_, i) => `<si><t>${text}${i}</t></si>`).join('')}</sst>`)
    const pieces = async function* (bytes: Buffer, size: number) {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    for (const size of [1, 2, 3, 5, 7, 11, 64]) {
      const strings = await readSharedStrings(pieces(items, size), DEFAULT_LIMITS)
      expect(strings.get(12)).toBe(`${text}12`)
      const scanner = new SheetScanner({ strings, styles: [], date1904: false, limits: DEFAULT_LIMITS })
      for await (const piece of pieces(xml, size)) scanner.push(piece)
      scanner.end()
      expect(scanner.take()).toEqual([{ row: 1, cells: [text, `${text}12`] }])
    }
  })

  test('a table of texts of several hundred kilobytes is exact in every entry', async () => {
    const texts = Array.from(
      { length: 12_000 },
      (_, i) => `${'峯'.repeat(i % 7)}訂單${i}堃${String.fromCodePoint(0x4e00 + (i % 20_000))}`,
    )
    const bytes = one(texts.map((_, i) => `<row r="${i + 1}"><c r="A${i + 1}" t="s"><v>${i}</v></c></row>`).join(''), {
      strings: texts.map((text) => `<si><t>${text}</t></si>`).join(''),
    })
    const rows = await rowsOf(bytes)
    expect(rows.map((row) => row.cells[0])).toEqual(texts)
  })

  test('rich text is joined and phonetic text left out, shared and inline', async () => {
    const rich =
      '<r><rPr><b/></rPr><t>臺</t></r><r><t xml:space="preserve">北 </t></r><r><t>市</t></r><rPh sb="0" eb="1"><t>ㄊㄞˊ</t></rPh><phoneticPr fontId="1"/>'
    expect(
      await cellsOf(`<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is>${rich}</is></c></row>`, {
        strings: `<si>${rich}</si>`,
      }),
    ).toEqual([['臺北 市', '臺北 市']])
  })

  test("entities, character references, CDATA and Excel's own escapes are decoded", async () => {
    expect(
      await cellsOf(
        '<row r="1"><c t="str"><v>A&amp;B &lt;&#38515;&#x20BB7;&gt;</v></c><c t="inlineStr"><is><t><![CDATA[<甲&乙>]]></t></is></c>' +
          '<c t="str"><v>一_x000D_二_x005F_x000D_</v></c></row>',
      ),
    ).toEqual([['A&B <陳𠮷>', '<甲&乙>', '一\r二_x000D_']])
  })
})

describe('cells of an .xlsx', () => {
  test('cells and rows without r= stand behind the one before', async () => {
    expect(
      await rowsOf(one('<row><c><v>1</v></c><c r="D1"><v>4</v></c><c><v>5</v></c></row><row/><row><c><v>9</v></c></row>')),
    ).toEqual([
      { row: 1, cells: [1, null, null, 4, 5] },
      { row: 3, cells: [9] },
    ])
  })

  test('prefixed names and quotes of either kind are read', async () => {
    const bytes = xlsxOf({
      prefix: 'x:',
      sheets: [{ name: 'a', xml: "<x:sheetData><x:row r='2'><x:c r='B2' t='str'><x:v>甲</x:v></x:c></x:row></x:sheetData>" }],
    })
    expect(await rowsOf(bytes)).toEqual([{ row: 2, cells: [null, '甲'] }])
  })

  test('a formula gives its cached value, whatever its type', async () => {
    expect(
      await cellsOf(
        '<row r="1"><c r="A1"><f>1+1</f><v>2</v></c><c r="B1" t="str"><f>"甲"&amp;"乙"</f><v>甲乙</v></c>' +
          '<c r="C1" t="b"><f>TRUE()</f><v>1</v></c><c r="D1" t="e"><f>NA()</f><v>#N/A</v></c><c r="E1"><f>B9</f></c></row>',
      ),
    ).toEqual([[2, '甲乙', true, '#N/A']])
  })

  test('serials become dates by their style, in the 1900 and the 1904 system; zero formats keep their zeros', async () => {
    const styles =
      '<numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot; hh:mm"/><numFmt numFmtId="165" formatCode="0000000000"/>' +
      '<numFmt numFmtId="166" formatCode="#,##0.00&quot;days&quot;"/></numFmts><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs>'
    const xml =
      '<row r="1"><c s="1"><v>46348</v></c><c s="2"><v>46348.395833333336</v></c><c s="3"><v>912345678</v></c><c s="4"><v>5</v></c><c t="d"><v>2026-11-22T09:30:00</v></c></row>'
    expect(await cellsOf(xml, { styles })).toEqual([
      [{ wallClock: '2026-11-22' }, { wallClock: '2026-11-22 09:30:00' }, '0912345678', 5, { wallClock: '2026-11-22 09:30:00' }],
    ])
    expect((await cellsOf('<row r="1"><c s="1"><v>44886</v></c></row>', { styles, date1904: true }))[0]).toEqual([
      { wallClock: '2026-11-22' },
    ])
  })

  test('a merge lends its top-left value downwards and leaves filled cells alone', async () => {
    const bytes = xlsxOf({
      sheets: [
        {
          name: 'a',
          xml:
            '<sheetData><row r="1"><c r="A1" t="str"><v>甲</v></c><c r="B1"><v>1</v></c></row><row r="2"><c r="B2"><v>2</v></c></row>' +
            '<row r="4"><c r="B4"><v>4</v></c></row></sheetData><mergeCells count="1"><mergeCell ref="A1:A3"/></mergeCells>',
        },
      ],
    })
    expect((await rowsOf(bytes)).map((row) => row.merged && [...row.merged])).toEqual([undefined, [[0, '甲']], undefined])
  })

  test('hidden and very hidden sheets are named, not read; hidden rows are read', async () => {
    const sheet = (text: string) => `<sheetData><row r="1" hidden="1"><c t="str"><v>${text}</v></c></row></sheetData>`
    const workbook = await openWorkbook(
      bytesSource(
        xlsxOf({
          sheets: [
            { name: '舊', xml: sheet('舊'), state: 'veryHidden' },
            { name: '參數', xml: sheet('參數'), state: 'hidden' },
            { name: 'orders', xml: sheet('看') },
          ],
        }),
      ),
    )
    expect([workbook.sheets.map((s) => s.name), workbook.hiddenSheets]).toEqual([['orders'], ['舊', '參數']])
    workbook.close()
  })

  test('what exceljs writes is read as it was meant', async () => {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('訂單')
    sheet.addRow(['訂單編號', '日期', '數量'])
    sheet.addRow(['00123', new Date(Date.UTC(2026, 10, 22, 9, 30)), { formula: '1+2', result: 3 }])
    sheet.addRow([{ richText: [{ text: '堃', font: { bold: true } }, { text: '峯' }] }, null, 1.5])
    expect((await rowsOf(Buffer.from(await book.xlsx.writeBuffer()))).map((row) => row.cells)).toEqual([
      ['訂單編號', '日期', '數量'],
      ['00123', { wallClock: '2026-11-22 09:30:00' }, 3],
      ['堃峯', null, 1.5],
    ])
  })
})

describe('encrypted .xlsx', () => {
  const plain = one('<row r="1"><c t="str"><v>機密堃</v></c></row>')
  test.each([
    ['agile', undefined],
    ['standard', 'standard' as const],
  ])(
    '%s encryption opens with the password',
    async (_, type) => {
      const locked = officeCrypto.encrypt(plain, { password: '123456', ...(type && { type }) })
      expect(await rowsOf(locked, { password: '123456' })).toEqual([{ row: 1, cells: ['機密堃'] }])
      expect(await refused(() => rowsOf(locked))).toMatchObject({ kind: 'Invalid', code: 'passwordNeeded' })
      expect(await refused(() => rowsOf(locked, { password: '654321' }))).toMatchObject({
        kind: 'Invalid',
        code: 'passwordWrong',
      })
    },
    60_000,
  )
})

test('date formats are told from other formats', () => {
  expect(
    ['yyyy/m/d', 'h:mm AM/PM', '[h]:mm', '[$-404]e/m/d', 'm"月"d"日"', '[$-F800]dddd, mmmm dd, yyyy'].map((code) =>
      isDateFormat(164, code),
    ),
  ).not.toContain(false)
  expect(
    ['General', 'G/通用格式', '0.00', '#,##0 "days"', '[Red]0', '@', '0.00E+00', '"每日"0', '\\d0', '_($* #,##0_)'].map((code) =>
      isDateFormat(164, code),
    ),
  ).not.toContain(true)
})

test('serialToDate knows the day that never was, times alone and what is no date', () => {
  expect(
    [serialToDate(1, false), serialToDate(59, false), serialToDate(61, false), serialToDate(0.5, false)].map(
      (date) => date?.wallClock,
    ),
  ).toEqual(['1900-01-01', '1900-02-28', '1900-03-01', '12:00:00'])
  expect([serialToDate(-1, false), serialToDate(1e9, false), serialToDate(NaN, false)]).toEqual([null, null, null])
})

test('SharedStrings refuses an index beyond its table', () => {
  expect(() => new SharedStrings(DEFAULT_LIMITS).get(0)).toThrow(/text number 0 of 0/)
})
