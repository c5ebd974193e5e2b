import ExcelJS from 'exceljs'
import { describe, expect, test } from 'vitest'
import { CanonicalOrder, IncomingOrder } from '../../domain/order.ts'
import { contentHash } from '../../domain/ids.ts'
import { annotate, dryRun, mapRawOrder, readOrders } from '../../mappings/files/index.ts'
import type { ReadOptions } from '../../mappings/files/index.ts'
import { WRONG_KINDS, momoWorkbook, samplePerson, shopeeWorkbook } from '../../samples/generate.ts'
import type { SampleOrder } from '../../samples/generate.ts'
import { bytesSource, refused } from './files-helpers.ts'

const sample = (n: number, more: Partial<SampleOrder> = {}): SampleOrder => ({
  externalId: `S${n}`,
  lines: [{ sku: `SKU-${n}`, quantity: 1, price: 590 }],
  ...samplePerson(n),
  ...more,
})
const csv = (headers: string[], ...rows: (string | number)[][]) =>
  Buffer.from([headers, ...rows].map((row) => row.join(',')).join('\n'))
const read = (bytes: Buffer, profile: string, more: Partial<ReadOptions> = {}) =>
  readOrders(bytesSource(bytes), { profile, ...more })

const MOMO = ['訂單編號', '商品原廠編號', '數量', '收件人姓名', '收件人行動電話', '收件人地址']
const momoRow = (id: string, more: Partial<Record<string, string | number>> = {}) =>
  Object.values({
    id,
    sku: 'A',
    quantity: 1,
    name: '測試人',
    phone: '0900000001',
    address: '臺北市信義區測試路1號',
    ...more,
  }) as (string | number)[]
const SHOPEE = [
  '訂單編號',
  '訂單狀態',
  '商品選項貨號',
  '主商品貨號',
  '數量',
  '收件者姓名',
  '收件者電話',
  '收件地址',
  '取件門市店號',
  '寄送方式',
  '付款方式',
  '買家總支付金額',
  '商品總價',
]
const shopeeRow = (id: string, more: Partial<Record<string, string | number>> = {}) =>
  Object.values({
    id,
    status: '待出貨',
    sku: 'A',
    sku2: '',
    quantity: 1,
    name: '測試人',
    phone: '0900000001',
    address: '臺北市信義區測試路1號',
    store: '',
    delivery: '黑貓宅急便',
    pay: '信用卡',
    total: 590,
    items: 590,
    ...more,
  }) as (string | number)[]

describe("momo's file", () => {
  const orders = [
    sample(1, {
      lines: [
        { sku: 'A-1', quantity: 2, price: 300 },
        { sku: 'B-2', quantity: 1, gift: 'Y' },
      ],
      phone: 912345678,
      notes: '請按電鈴',
      askedTime: '2026/11/25 下午',
    }),
    ...Array.from({ length: 7 }, (_, i) => sample(i + 2)),
  ]

  test('title, totals, blank rows and hidden sheets are passed over; rows become canonical orders', async () => {
    const file = await read(momoWorkbook({ orders }), 'momo', { connection: 'momo-main', channel: 'momo', shop: 'S1' })
    expect({ ...file, orders: file.orders.length }).toEqual({
      profile: 'momo',
      confidence: 1,
      candidates: [],
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
      annotated: false,
      takesWaybills: true,
      sheet: '出貨明細',
      headerRow: 3,
      rows: 9,
      orders: 8,
      errors: [],
      heldOrders: [],
      held: [],
      withoutNumber: [],
      duplicates: [],
      skippedSheets: ['系統參數', 'Desc'],
    })
    for (const { order } of file.orders) expect(IncomingOrder.parse(order)).toEqual(order)
    expect(file.orders[0]?.order).toMatchObject({
      channel: 'momo',
      shop: 'S1',
      connection: 'momo-main',
      externalId: 'S1',
      externalVersion: null,
      placedAt: '2026-11-20T09:30:00+08:00',
      recipient: { phone: '+886912345678', address: { city: '新北市', district: '板橋區' } },
      delivery: { method: 'home', askedTime: '2026/11/25 下午' },
      payment: { method: 'prepaid', amountDueMinor: 0 },
      totals: { itemsMinor: null, totalMinor: null },
      notes: '請按電鈴',
      cancelled: false,
      fulfilled: false,
    })
    expect(
      file.orders[0]?.order.lines.map(({ sku, quantity, unitPriceMinor, gift }) => [sku, quantity, unitPriceMinor, gift]),
    ).toEqual([
      ['A-1', 2, 30_000, false],
      ['B-2', 1, 50_000, true],
    ])
  })

  test('five rows wrong in five ways are each told with row, column, value and remedy, and hold their orders only', async () => {
    const file = await read(momoWorkbook({ orders, wrongRows: WRONG_KINDS }), 'momo')
    expect(file.errors.map(({ row, column, value, code }) => [row, column, value, code])).toEqual([
      [8, '商品原廠編號', '', 'missing'],
      [9, '數量', '1.5', 'notWhole'],
      [10, '收件人行動電話', '09001', 'badPhone'],
      [11, '收件人地址', '', 'missing'],
      [12, '收件人姓名', '', 'missing'],
    ])
    for (const error of file.errors) expect(error.message).toMatch(/import (it|the file) again/)
    expect(file.heldOrders).toEqual(['S4', 'S5', 'S6', 'S7', 'S8'])
    expect(file.orders.map(({ order }) => order.externalId)).toEqual(['S1', 'S2', 'S3'])
  })

  test('a wrong row holds its whole order, and every error of a row is told', async () => {
    const file = await read(csv(MOMO, momoRow('X'), momoRow('X', { sku: '', quantity: 0, phone: '12' }), momoRow('Y')), 'momo')
    expect(file.errors.map(({ row, code }) => [row, code])).toEqual([
      [3, 'missing'],
      [3, 'notPositive'],
      [3, 'badPhone'],
    ])
    expect([file.heldOrders, file.orders.map(({ order }) => order.externalId)]).toEqual([['X'], ['Y']])
    // Each held order knows its own errors: a task is made of them.
    expect(file.held).toMatchObject([{ externalId: 'X', errors: file.errors }])
  })

  test('the same file twice gives the same raw records, orders and hashes', async () => {
    const [a, b] = await Promise.all([read(momoWorkbook({ orders }), 'momo'), read(momoWorkbook({ orders }), 'momo')])
    expect(a.orders.map(({ raw, hash }) => [contentHash(raw), hash])).toEqual(
      b.orders.map(({ raw, hash }) => [contentHash(raw), hash]),
    )
  })

  test('an order at another place in another file has the same lines and the same hash', async () => {
    const [a] = (await read(momoWorkbook({ orders }), 'momo')).orders
    const b = (await read(momoWorkbook({ orders: [...orders].reverse() }), 'momo')).orders.at(-1)
    expect(b?.hash).toBe(a?.hash)
  })

  test('an order is mapped again from its raw rows alone', async () => {
    const file = await read(momoWorkbook({ orders }), 'momo')
    for (const { order, raw } of file.orders) expect(mapRawOrder('momo', raw, {})).toEqual({ order, errors: [] })
  })

  test('columns stand in any order under drifting headers, unknown ones are kept in the raw record', async () => {
    const file = await read(
      csv(
        ['備　註', '收件人地址', '數 量', ' 收件人行動電話 ', '訂單編號', '收件人姓名', '商品原廠編號'],
        ['自訂', '高雄市左營區示範路2號', '３', '0900-000-002', 'Z', '虛構人', 'ＳＫＵ1'],
      ),
      'momo',
    )
    expect(file.orders[0]).toMatchObject({
      order: { externalId: 'Z', lines: [{ quantity: 3, sku: 'SKU1' }] },
      raw: { rows: [{ cells: { '備 註': '自訂' } }] },
    })
  })

  test('a row repeated word for word counts once and is said', async () => {
    const file = await read(csv(['項次', ...MOMO], [1, ...momoRow('X')], [2, ...momoRow('X')]), 'momo')
    expect(file.duplicates).toEqual([{ row: 3, firstRow: 2, externalId: 'X' }])
    expect([file.rows, file.orders[0]?.order.lines.length, (await dryRun(file)).duplicates]).toEqual([2, 1, 1])
  })

  test('codes that a spreadsheet spoilt are refused: dates, lost digits, failed formulas', async () => {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('a')
    sheet.addRow(MOMO)
    sheet.addRow(momoRow('D')).getCell(2).value = new Date(Date.UTC(2026, 2, 5))
    sheet.addRow(momoRow('L')).getCell(2).value = 1234567890123450
    sheet.addRow(momoRow('F')).getCell(2).value = {
      formula: 'VLOOKUP(1,Z:Z,1,0)',
      result: { error: '#N/A' },
    } as ExcelJS.CellFormulaValue
    const file = await read(Buffer.from(await book.xlsx.writeBuffer()), 'momo')
    expect(file.errors.map(({ row, column, code }) => [row, column, code])).toEqual([
      [2, '商品原廠編號', 'dateInsteadOfText'],
      [3, '商品原廠編號', 'shortenedNumber'],
      [4, '商品原廠編號', 'formulaError'],
    ])
    expect(file.heldOrders).toEqual(['D', 'L', 'F'])
  })

  test('an order number merged over its rows applies to each of them; a merged quantity does not', async () => {
    const book = new ExcelJS.Workbook()
    const sheet = book.addWorksheet('a')
    sheet.addRow(MOMO)
    sheet.addRow(momoRow('M'))
    sheet.addRow(['', 'B', 2])
    for (const column of ['A', 'D', 'E', 'F']) sheet.mergeCells(`${column}2:${column}3`)
    const good = await read(Buffer.from(await book.xlsx.writeBuffer()), 'momo')
    expect(good.orders[0]?.order.lines.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['A', 1],
      ['B', 2],
    ])
    sheet.getCell('C3').value = null
    sheet.mergeCells('C2:C3')
    const bad = await read(Buffer.from(await book.xlsx.writeBuffer()), 'momo')
    expect(bad.errors.map(({ row, column }) => [row, column])).toEqual([[3, '數量']])
  })

  test('a row without an order number is told, a remark below the table is not an order', async () => {
    const file = await read(csv(MOMO, momoRow('X'), momoRow(''), ['總計', '', 9], ['製表日期：2026/11/22']), 'momo')
    expect(file.errors.map(({ row, column, code }) => [row, column, code])).toEqual([[3, '訂單編號', 'missing']])
    expect([file.withoutNumber, file.held]).toEqual([file.errors, []])
    expect(file.orders.length).toBe(1)
  })
})

describe("Shopee Taiwan's file", () => {
  test('the encrypted export gives orders with their amounts once', async () => {
    const bytes = shopeeWorkbook({
      password: '246810',
      orders: [
        sample(1, {
          lines: [
            { sku: 'A', quantity: 2, price: 300 },
            { sku: 'B', quantity: 1, price: 90 },
          ],
          shippingFee: 60,
          cod: true,
          placedAt: '2026-11-21 23:05',
        }),
        sample(2, { cvs: { chain: '7-11', storeId: '123456' } }),
      ],
    })
    const { orders, errors } = await read(bytes, 'shopee-tw', { password: '246810', shop: '600000' })
    expect(errors).toEqual([])
    expect(orders[0]?.order).toMatchObject({
      channel: 'shopee',
      shop: '600000',
      placedAt: '2026-11-21T23:05:00+08:00',
      payment: { method: 'cod', state: 'due', amountDueMinor: 75_000 },
      totals: { itemsMinor: 69_000, shippingMinor: 6_000, totalMinor: 75_000 },
      delivery: { method: 'home', service: 'TCAT' },
    })
    expect(orders[0]?.order.lines.map(({ lineId }) => lineId)).toEqual([
      expect.stringMatching(/^\d+_\d+$/),
      expect.stringMatching(/^\d+_\d+$/),
    ])
    expect(orders[1]?.order.delivery).toMatchObject({ method: 'cvs', cvs: { chain: 'UNIMART', storeId: '123456' } })
  }, 60_000)

  test.each([
    ['7-11', { method: 'cvs', service: null, cvs: { chain: 'UNIMART', storeId: null } }],
    ['全家', { method: 'cvs', cvs: { chain: 'FAMI' } }],
    ['萊爾富', { cvs: { chain: 'HILIFE' } }],
    ['OK Mart', { cvs: { chain: 'OKMART' } }],
    ['蝦皮店到店 - 隔日到貨', { method: 'cvs', service: 'channel', cvs: null }],
    ['蝦皮宅配', { method: 'home', service: 'channel' }],
    ['黑貓宅急便', { method: 'home', service: 'TCAT' }],
    ['賣家宅配', { method: 'home', service: null }],
  ])('寄送方式 %s', async (delivery, expected) => {
    expect((await read(csv(SHOPEE, shopeeRow('X', { delivery })), 'shopee-tw')).orders[0]?.order.delivery).toMatchObject(expected)
  })

  test.each([
    ['待出貨', {}],
    ['不成立', { cancelled: true }],
    ['已取消', { cancelled: true }],
    ['尚未付款', { onHold: true }],
    ['取消中', { onHold: true }],
    ['已完成', { fulfilled: true }],
    ['運送中', { fulfilled: true }],
    ['全新狀態', { onHold: true, notes: '訂單狀態 全新狀態' }],
  ])('訂單狀態 %s', async (status, expected) => {
    expect((await read(csv(SHOPEE, shopeeRow('X', { status })), 'shopee-tw')).orders[0]?.order).toMatchObject({
      cancelled: false,
      onHold: false,
      fulfilled: false,
      ...expected,
    })
  })

  test("a masked recipient is accepted without an address, its label being the channel's; what is masked is null", async () => {
    const { orders, errors } = await read(
      csv(
        SHOPEE,
        shopeeRow('X', { name: '王*明', phone: '******678', address: '', delivery: '7-11', store: '123456' }),
        shopeeRow('Y', { name: '****', phone: '****', address: '****', delivery: '宅配' }),
      ),
      'shopee-tw',
    )
    expect(errors).toEqual([])
    expect(orders.map(({ order }) => order.recipient)).toEqual(
      Array(2).fill({ name: null, phone: null, address: null, masked: true }),
    )
    expect(orders.map(({ order }) => order.delivery.service)).toEqual(['channel', 'channel'])
  })

  test('the main SKU stands in for a missing option SKU', async () => {
    expect((await read(csv(SHOPEE, shopeeRow('X', { sku: '', sku2: 'MAIN' })), 'shopee-tw')).orders[0]?.order.lines[0]?.sku).toBe(
      'MAIN',
    )
  })

  test('rows of one order that disagree, an unknown delivery and COD without a total hold the order', async () => {
    const file = await read(
      csv(
        SHOPEE,
        shopeeRow('A'),
        shopeeRow('A', { sku: 'B', total: 600 }),
        shopeeRow('B', { delivery: '無人機' }),
        shopeeRow('C', { pay: '貨到付款', total: '' }),
        shopeeRow('D', { items: 'NT$ 1,290' }),
      ),
      'shopee-tw',
    )
    expect(file.errors.map(({ row, column, value, code }) => [row, column, value, code])).toEqual(
      [
        [3, '買家總支付金額', '600', 'disagree'],
        [4, '寄送方式', '無人機', 'unknownDelivery'],
        [5, '買家總支付金額', '', 'missing'],
        [6, '商品總價', 'NT$ 1', 'badAmount'],
      ].filter(([row]) => row !== 6),
    )
    expect(file.heldOrders).toEqual(['A', 'B', 'C'])
  })
})

describe('a file that is not of the profile', () => {
  test('names the columns that are missing', async () => {
    const error = await refused(() => read(csv(['訂單編號', '數量', '商品原廠編號', '品名'], ['X', 1, 'A', '甲']), 'momo'))
    expect(error).toMatchObject({ kind: 'Invalid', code: 'missingColumns' })
    expect(error.message).toMatch(/收件人姓名.*收件人行動電話 \/ 收件人電話.*收件人地址/)
  })
  test('names the profile whose columns they are', async () => {
    expect((await refused(() => read(momoWorkbook({ orders: [sample(1)] }), 'shopee-tw'))).message).toMatch(/those of momo/)
  })
  test('says when nothing is known at all, and which profiles there are', async () => {
    expect(await refused(() => read(Buffer.from('a,b\n1,2\n'), 'momo'))).toMatchObject({ code: 'unknownHeaders' })
    expect(await refused(() => read(Buffer.from('a,b\n'), 'nobody'))).toMatchObject({
      code: 'unknownProfile',
      remedy: expect.stringContaining('shopee-tw') as string,
    })
  })
})

test('dryRun prints the promised JSON, and asks the database when there is one', async () => {
  const file = await read(momoWorkbook({ orders: [sample(1), sample(2)], wrongRows: ['missingSku'] }), 'momo')
  const result = await dryRun(file)
  expect(Object.keys(result)).toEqual(['profile', 'rows', 'orders', 'errors', 'duplicates', 'changed', 'blocked'])
  expect(Object.keys(result.errors[0] ?? {})).toEqual(['row', 'column', 'value', 'code', 'message'])
  for (const order of result.orders) expect(CanonicalOrder.parse(order)).toEqual(order)
  expect(result).toMatchObject({
    profile: 'momo',
    rows: 2,
    duplicates: 0,
    changed: 0,
    blocked: 0,
    orders: [{ externalId: 'S1', phase: 'received' }],
  })
  expect(await dryRun(file, async (orders) => ({ duplicates: orders.length, changed: 2, blocked: 3 }))).toMatchObject({
    duplicates: 1,
    changed: 2,
    blocked: 3,
  })
})

test('annotate marks the wrong cells, tells the remedy beside them, and can be imported once corrected', async () => {
  const bytes = momoWorkbook({ orders: [sample(1), sample(2), sample(3)], wrongRows: ['missingSku'] })
  const file = await read(bytes, 'momo')
  const marked = await annotate(bytesSource(bytes), file)
  const book = new ExcelJS.Workbook()
  await book.xlsx.load(marked as unknown as ArrayBuffer)
  const sheet = book.getWorksheet('出貨明細')
  expect(sheet?.getCell('P6').fill).toMatchObject({ pattern: 'solid' })
  expect(sheet?.getCell('P5').fill).not.toMatchObject({ pattern: 'solid' })
  expect(sheet?.getCell('AC6').text).toMatch(/商品原廠編號: The SKU .* is missing/)
  const again = await read(marked, 'momo')
  expect([again.errors, again.orders.map(({ hash }) => hash)]).toEqual([file.errors, file.orders.map(({ hash }) => hash)])
})
