import { describe, expect, test } from 'vitest'
import * as XLSX from '@e965/xlsx'
import { OmnisagaError } from '../../domain/errors.ts'
import { readOrdersInWorker } from '../../mappings/files/worker.ts'
import { samplePerson, momoWorkbook, shopeeWorkbook } from '../../samples/generate.ts'
import { xlsxOf, xlsxParts, zipOf } from '../../samples/zip.ts'
import { bytesSource, refused, rowsOf } from './files-helpers.ts'

const data = (xml: string) => xlsxOf({ sheets: [{ name: 'a', xml: `<sheetData>${xml}</sheetData>` }] })
const orders = [{ externalId: 'M1', lines: [{ sku: 'A', quantity: 1 }], ...samplePerson(1) }]

describe('bombs are refused', () => {
  test('a part that grows beyond its cap or its ratio', async () => {
    const blank = data(' '.repeat(20_000_000))
    expect(blank.length).toBeLessThan(100_000)
    expect(await refused(() => rowsOf(blank))).toMatchObject({ kind: 'Invalid', code: 'tooBig' })
    expect(await refused(() => rowsOf(blank, { limits: { maxSheetBytes: 1_000_000 } }))).toMatchObject({ code: 'tooBig' })
  })

  test('a part whose directory lies about its size', async () => {
    const parts = xlsxParts({ sheets: [{ name: 'a', xml: `<sheetData>${' '.repeat(3_000_000)}</sheetData>` }] })
    const zip = zipOf(parts)
    const at = zip.indexOf(Buffer.from('xl/worksheets/sheet1.xml'), zip.indexOf(Buffer.from('PK\x01\x02', 'latin1')))
    zip.writeUInt32LE(1000, at - 46 + 24)
    expect(await refused(() => rowsOf(zip, { limits: { maxSheetBytes: 2_000_000 } }))).toMatchObject({ code: 'tooBig' })
    expect(await refused(() => rowsOf(zip))).toMatchObject({ code: 'damaged' })
  })

  test('too many rows, columns, texts, merges, or one endless value', async () => {
    expect(await refused(() => rowsOf(data('<row r="9999999"><c><v>1</v></c></row>')))).toMatchObject({ code: 'tooBig' })
    expect(await refused(() => rowsOf(data('<row r="1"><c r="XFD1"><v>1</v></c></row>')))).toMatchObject({ code: 'tooBig' })
    expect(await refused(() => rowsOf(data(`<row r="1"><c t="str"><v>${'字'.repeat(600_000)}</v></c></row>`)))).toMatchObject({
      code: 'tooBig',
    })
    const strings = xlsxOf({ sheets: [{ name: 'a', xml: '<sheetData/>' }], strings: '<si><t>a</t></si>'.repeat(100) })
    expect(await refused(() => rowsOf(strings, { limits: { maxSharedStrings: 50 } }))).toMatchObject({ code: 'tooBig' })
    const merges = xlsxOf({
      sheets: [{ name: 'a', xml: `<sheetData/><mergeCells>${'<mergeCell ref="A1:A9"/>'.repeat(60)}</mergeCells>` }],
    })
    expect(await refused(() => rowsOf(merges, { limits: { maxMerges: 50 } }))).toMatchObject({ code: 'tooBig' })
  })

  test('a sparse sheet of two cells a million rows apart is two rows', async () => {
    expect(
      await rowsOf(data('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="C1048576"><v>2</v></c></row>')),
    ).toEqual([
      { row: 1, cells: [1] },
      { row: 1_048_576, cells: [null, null, 2] },
    ])
  })

  test('a DOCTYPE in any part', async () => {
    const doctype = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    const parts = xlsxParts({ sheets: [{ name: 'a', xml: '<sheetData/>' }] })
    for (const part of ['xl/workbook.xml', 'xl/worksheets/sheet1.xml']) {
      const bytes = zipOf({ ...parts, [part]: String(parts[part]).replace('?>\n', `?>\n${doctype}`) })
      expect(await refused(() => rowsOf(bytes))).toMatchObject({ code: 'doctype' })
    }
  })
})

describe('what is no order file says what it is', () => {
  test.each([
    ['empty', '', 'empty'],
    ['a PDF', '%PDF-1.7 …', 'wrongType'],
    ['a web page', '<html><table>', 'wrongType'],
    ['a zip of something else', null, 'wrongType'],
    ['binary', '\x00\x01\x02\x03', 'wrongType'],
    ['JSON', '{"orders": []}', 'wrongType'],
  ])('%s', async (_, text, code) => {
    const bytes = text === null ? zipOf({ 'readme.txt': 'x' }) : Buffer.from(text, 'latin1')
    const error = await refused(() => rowsOf(bytes))
    expect(error).toMatchObject({ kind: 'Invalid', code })
    expect(error.remedy).toBeTruthy()
  })

  test('a compound file without a workbook', async () => {
    const cfb = XLSX.CFB as {
      utils: { cfb_new(): unknown; cfb_add(c: unknown, name: string, content: Buffer): void }
      write(c: unknown, o: object): Uint8Array
    }
    const container = cfb.utils.cfb_new()
    cfb.utils.cfb_add(container, '/WordDocument', Buffer.alloc(5000))
    expect(await refused(() => rowsOf(Buffer.from(cfb.write(container, { type: 'buffer' }))))).toMatchObject({
      code: 'wrongType',
    })
  })
})

describe('damaged files', () => {
  test.each([
    ['xlsx', shopeeWorkbook({ orders })],
    ['xls', momoWorkbook({ orders })],
  ])('a cut-off .%s is told at every cut', async (_, whole) => {
    for (let part = 1; part < 12; part++) {
      const cut = whole.subarray(0, Math.floor((whole.length * part) / 12))
      const error = await refused(() => rowsOf(cut))
      expect(error.kind).toBe('Invalid')
    }
  })

  test('a flipped byte in the rows does not pass the checksum', async () => {
    const bytes = zipOf(xlsxParts({ sheets: [{ name: 'a', xml: '<sheetData><row r="1"><c><v>1</v></c></row></sheetData>' }] }))
    const central = bytes.indexOf(Buffer.from('PK\x01\x02', 'latin1'))
    const at = bytes.indexOf(Buffer.from('xl/worksheets/sheet1.xml'), central)
    bytes.writeUInt32LE((bytes.readUInt32LE(at - 46 + 16) ^ 1) >>> 0, at - 46 + 16)
    expect(await refused(() => rowsOf(bytes))).toMatchObject({ code: 'damaged' })
  })

  test('no damage of a few bytes brings anything but rows or a clear error', async () => {
    let seed = 20261122
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
      return seed % below
    }
    let read = 0
    let told = 0
    for (const whole of [shopeeWorkbook({ orders }), momoWorkbook({ orders }), Buffer.from('訂單編號,數量\nA,1\n'.repeat(20))]) {
      for (let round = 0; round < 60; round++) {
        const bytes = Buffer.from(whole)
        for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256)
        try {
          await rowsOf(bytes)
          read++
        } catch (error) {
          if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
          told++
        }
      }
    }
    expect(read).toBeGreaterThan(0)
    expect(told).toBeGreaterThan(0)
  }, 60_000)
})

describe('readOrdersInWorker', () => {
  test('gives the orders, and the errors as they are', async () => {
    const file = await readOrdersInWorker(bytesSource(momoWorkbook({ orders })), { profile: 'momo' })
    expect(file.orders.map(({ order }) => order.externalId)).toEqual(['M1'])
    expect(await refused(() => readOrdersInWorker(bytesSource(Buffer.from('%PDF')), { profile: 'momo' }))).toMatchObject({
      kind: 'Invalid',
      code: 'wrongType',
    })
  }, 60_000)

  test('ends the thread when the time is up', async () => {
    expect(
      await refused(() => readOrdersInWorker(bytesSource(momoWorkbook({ orders })), { profile: 'momo' }, { timeoutMs: 1 })),
    ).toMatchObject({ code: 'tooSlow' })
  }, 60_000)
})
