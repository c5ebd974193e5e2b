import * as XLSX from '@e965/xlsx'
import { readXls } from 'xls-reader'
import { describe, expect, test } from 'vitest'
import { readOrders, writeBackMomo } from '../../mappings/files/index.ts'
import { momoWorkbook, samplePerson, shopeeWorkbook } from '../../samples/generate.ts'
import { bytesSource, refused } from './files-helpers.ts'

const orders = Array.from({ length: 40 }, (_, n) => ({
  externalId: String(20_261_122_000 + n),
  lines: [
    { sku: `甲-${n}`, quantity: 1 + (n % 3), name: '堃峯喆保溫杯①' },
    { sku: 'B', quantity: 1 },
  ],
  ...samplePerson(n),
}))
const updates = [
  { externalId: '20261122003', waybill: '9012345678', carrier: '黑貓宅急便', message: '已交寄' },
  { externalId: '20261122005', sku: 'B', waybill: '9012345679', carrier: '黑貓宅急便', status: '已確認指定配送日' as const },
]

/** Every cell as an independent reader sees it: address to type, value and number format, with what a sheet says of itself. */
function everything(bytes: Buffer): Record<string, unknown> {
  const book = XLSX.read(bytes, { type: 'buffer', cellNF: true, cellFormula: true, sheetStubs: false })
  return Object.fromEntries(
    book.SheetNames.flatMap((name, index) => {
      const sheet = book.Sheets[name] as XLSX.WorkSheet
      const cells = Object.keys(sheet)
        .filter((key) => !key.startsWith('!'))
        .map((key) => {
          const cell = sheet[key] as XLSX.CellObject
          return [`${name}!${key}`, [cell.t, cell.v, cell.z, cell.f]]
        })
      return [...cells, [`${name}!merges`, sheet['!merges']], [`${name}!hidden`, book.Workbook?.Sheets?.[index]?.Hidden]]
    }),
  )
}

describe('writeBackMomo', () => {
  const before = momoWorkbook({ orders })

  test('fills its four cells and changes nothing else in any sheet', async () => {
    const after = await writeBackMomo(before, updates)
    const changed: Record<string, unknown> = {}
    const old = everything(before)
    const now = everything(after)
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)])) {
      if (JSON.stringify(old[key]) !== JSON.stringify(now[key])) changed[key] = (now[key] as unknown[])[1]
    }
    expect(changed).toEqual({
      '出貨明細!C10': '已配送',
      '出貨明細!D10': '已交寄',
      '出貨明細!F10': '黑貓宅急便',
      '出貨明細!G10': '9012345678',
      '出貨明細!C11': '已配送',
      '出貨明細!D11': '已交寄',
      '出貨明細!F11': '黑貓宅急便',
      '出貨明細!G11': '9012345678',
      '出貨明細!C15': '已確認指定配送日',
      '出貨明細!F15': '黑貓宅急便',
      '出貨明細!G15': '9012345679',
    })
    const second = readXls(after)
    expect(second.sheets.map((sheet) => [sheet.name, sheet.visibility])).toEqual([
      ['出貨明細', 'visible'],
      ['Desc', 'visible'],
      ['系統參數', 'hidden'],
    ])
    expect(second.sheets[0]?.rows[9]?.slice(1, 7)).toEqual(['20261122003', '已配送', '已交寄', null, '黑貓宅急便', '9012345678'])
  })

  test('doing it again changes no byte; later parcels go on from the same file', async () => {
    const once = await writeBackMomo(before, updates)
    expect((await writeBackMomo(once, updates)).equals(once)).toBe(true)
    const more = await writeBackMomo(once, [{ externalId: '20261122039', waybill: '1', carrier: '宅配通' }])
    expect(readXls(more).sheets[0]?.rows[3 + 39 * 2]?.slice(2, 7)).toEqual(['已配送', null, null, '宅配通', '1'])
    expect(readXls(more).sheets[0]?.rows[9]?.[6]).toBe('9012345678')
  })

  test('cells that are there already, alone or several in one record, are replaced', async () => {
    const sheet = XLSX.utils.aoa_to_sheet([
      ['訂單編號', '商品原廠編號', '配送狀態', '配送訊息', '物流公司', '配送單號', '數量'],
      ['X', 'A', 1, 2, 3, 4, 5],
      ['Y', 'A', '舊', '', '舊', '舊', 7],
    ])
    const book = XLSX.utils.book_new()
    XLSX.utils.book_append_sheet(book, sheet, 'a')
    const bytes = Buffer.from(XLSX.write(book, { type: 'buffer', bookType: 'biff8' }) as Uint8Array)
    const after = await writeBackMomo(packed(bytes), [
      { externalId: 'X', waybill: 'W1', carrier: 'C' },
      { externalId: 'Y', waybill: 'W2', carrier: 'C' },
    ])
    expect(readXls(after).sheets[0]?.rows.slice(1)).toEqual([
      ['X', 'A', '已配送', 2, 'C', 'W1', 5],
      ['Y', 'A', '已配送', '', 'C', 'W2', 7],
    ])
  })

  test('an order in two parcels lists both waybills', async () => {
    const after = await writeBackMomo(before, [
      { externalId: '20261122001', waybill: 'W1', carrier: 'C' },
      { externalId: '20261122001', waybill: 'W2', carrier: 'C' },
    ])
    expect(readXls(after).sheets[0]?.rows[5]?.[6]).toBe('W1,W2')
  })

  test('the file imported again is the same orders, with their goods gone', async () => {
    const first = await readOrders(bytesSource(before), { profile: 'momo' })
    const again = await readOrders(bytesSource(await writeBackMomo(before, updates)), { profile: 'momo' })
    expect(again.orders.map(({ hash }) => hash)).toEqual(first.orders.map(({ hash }) => hash))
    expect(again.orders.filter(({ order }) => order.fulfilled).map(({ order }) => order.externalId)).toEqual(['20261122003'])
  })

  test('an order that is not in the workbook, and a workbook of another type, are told', async () => {
    expect(await refused(() => writeBackMomo(before, [{ externalId: 'NONE', waybill: '1', carrier: 'C' }]))).toMatchObject({
      kind: 'Invalid',
      code: 'notInWorkbook',
    })
    expect(await refused(() => writeBackMomo(shopeeWorkbook({ orders: [] }), updates))).toMatchObject({
      kind: 'Invalid',
      code: 'wrongType',
    })
  })
})

/** Writes the numbers C2:F2 as one MULRK record, as Excel does, in place of four NUMBER records. */
function packed(bytes: Buffer): Buffer {
  const cfb = XLSX.CFB as {
    read(b: Buffer, o: object): unknown
    find(c: unknown, p: string): { content: Uint8Array; size: number }
    write(c: unknown, o: object): Uint8Array
  }
  const container = cfb.read(bytes, { type: 'buffer' })
  const entry = cfb.find(container, '/Workbook')
  const stream = Buffer.from(entry.content)
  const first = stream.indexOf(Buffer.from([0x03, 0x02, 14, 0, 1, 0, 2, 0]))
  if (first < 0) throw new Error('no NUMBER record at C2')
  const body = Buffer.alloc(4 + 4 * 6 + 2)
  body.writeUInt16LE(1, 0)
  body.writeUInt16LE(2, 2)
  for (let i = 0; i < 4; i++) body.writeInt32LE(((i + 1) << 2) | 2, 4 + i * 6 + 2)
  body.writeUInt16LE(5, body.length - 2)
  const head = Buffer.from([0xbd, 0, body.length, 0])
  // The space of the four records is kept by a record that programs pass over.
  const filler = Buffer.alloc(4 * 18 - 4 - body.length)
  filler.writeUInt16LE(0x0867, 0)
  filler.writeUInt16LE(filler.length - 4, 2)
  Buffer.concat([head, body, filler]).copy(stream, first)
  entry.content = stream
  return Buffer.from(cfb.write(container, { type: 'buffer' }))
}
