import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { applyProfile } from '../../activities/profiles.ts'
import { CanonicalOrder } from '../../domain/order.ts'
import { canonicalOrderOf, openWorkbook, readOrders, type ReadOptions } from '../../mappings/files/index.ts'
import { fingerprintOf } from '../../mappings/profiles/fingerprint.ts'
import { InvalidLayout, parseLayout } from '../../mappings/profiles/layout.ts'
import { PROFILES } from '../../mappings/profiles/index.ts'
import { proposeLayout } from '../../mappings/profiles/propose.ts'
import { samplePerson, type SampleOrder } from '../../samples/generate.ts'
import {
  genericFile,
  layoutFiles,
  layoutOrders,
  pchome24hFile,
  pchomeFile,
  payeasyFile,
  shoplineFile,
  shopifyFile,
} from '../../samples/layouts.ts'
import { root } from '../harness/paths.ts'
import { bytesSource, refused } from './files-helpers.ts'

const read = (bytes: Buffer | string, options: Partial<ReadOptions> = {}) => readOrders(bytesSource(Buffer.from(bytes)), options)
const csv = (...rows: string[]) => Buffer.from(rows.join('\n'))
const one = async (bytes: Buffer | string, options: Partial<ReadOptions> = {}) => {
  const file = await read(bytes, options)
  expect(file.errors).toEqual([])
  expect(file.orders).toHaveLength(1)
  return file.orders[0]!.order
}
const order = (change: Partial<SampleOrder> = {}): SampleOrder => ({
  externalId: 'A-1',
  ...samplePerson(1),
  lines: [
    { sku: 'TEE-S', quantity: 2, price: 590 },
    { sku: 'CAP', quantity: 1, price: 350 },
  ],
  ...change,
})

describe('every profile', () => {
  const made = layoutOrders(5)

  it.each(PROFILES.map(({ name }) => name))(
    '%s is told by its headers alone, with its confidence, and gives canonical orders',
    async (name) => {
      const { bytes } = layoutFiles[name]!(made)
      const file = await read(bytes)
      expect(file).toMatchObject({ profile: name, errors: [], candidates: [{ profile: name, remembered: false }] })
      expect(file.confidence).toBeGreaterThan(0.9)
      expect(file.orders.map(({ order: each }) => each.lines.map(({ sku, quantity }) => ({ sku, quantity })))).toEqual(
        made.map(({ lines }) => lines.map(({ sku, quantity }) => ({ sku, quantity }))),
      )
      for (const { order: each } of file.orders) expect(CanonicalOrder.safeParse(canonicalOrderOf(each)).success).toBe(true)
    },
  )

  it.each(PROFILES.map(({ name }) => name))('%s has a sample file that reads as it did', async (name) => {
    const { fileName } = layoutFiles[name]!(layoutOrders())
    const kept = await read(await readFile(join(root, 'samples/files', fileName)))
    const fresh = await read(layoutFiles[name]!(layoutOrders()).bytes)
    expect(kept.orders).toEqual(fresh.orders)
    expect(kept.profile).toBe(name)
  })

  it('keeps recipient and address, whatever the layout', async () => {
    for (const name of ['pchome', 'payeasy', 'shopify-csv', 'shopline', 'generic']) {
      const file = await read(layoutFiles[name]!(made).bytes)
      expect(file.orders.map(({ order: each }) => [each.recipient.name, each.recipient.phone])).toEqual(
        made.map((each) => [each.name, `+886${String(each.phone).slice(1)}`]),
      )
      for (const [n, { order: each }] of file.orders.entries()) {
        const { city, line } = each.recipient.address!
        expect(`${name} ${made[n]!.address}`).toContain(city)
        expect(made[n]!.address!.endsWith(line!)).toBe(true)
      }
    }
  })

  it('finds columns wherever they stand and however they are written', async () => {
    const [head = '', ...rows] = genericFile([order()]).toString('utf8').replace('\uFEFF', '').trim().split('\r\n')
    const turned = [head, ...rows].map((line) => line.split(',').toReversed().join(','))
    turned[0] = turned[0]!.replace('訂單編號', ' ＊訂單 編號 ').replace('數量', '數　量')
    expect(await one(csv(...turned))).toEqual(await one(csv(head, ...rows)))
  })

  it('a file that two profiles would fit is not read by either until one is named', async () => {
    const layout = parseLayout(
      'name: twin\ncolumns: {orderNumber: 訂單編號, sku: 商品編號, quantity: 數量, recipientName: 收件人姓名, phone: 收件人電話, address: 收件人地址}',
    )
    const bytes = csv(
      '訂單編號,商品編號,數量,收件人姓名,收件人電話,收件人地址',
      'A-1,CAP,1,測試人,0900000001,臺北市信義區測試路1號',
    )
    const error = await refused(() => read(bytes, { layouts: [layout] }))
    expect(error).toMatchObject({ code: 'profileUnsure' })
    expect(error.message).toMatch(/generic \(99 %\).*twin \(99 %\)|twin \(99 %\).*generic \(99 %\)/)
    expect(await read(bytes, { layouts: [layout], profile: 'twin' })).toMatchObject({ profile: 'twin', orders: [{}] })
    const fingerprint = fingerprintOf(['收件人地址', '訂單編號', '商品編號', '數量', '收件人姓名', '收件人電話'])
    expect(await read(bytes, { layouts: [layout], remembered: { [fingerprint]: 'twin' } })).toMatchObject({
      profile: 'twin',
      confidence: 1,
      candidates: [{ profile: 'twin', remembered: true }, {}],
    })
  })

  it('says what to do with a file that no profile fits', async () => {
    expect(await refused(() => read(csv('甲,乙,丙', '1,2,3')))).toMatchObject({
      code: 'unknownHeaders',
      remedy: expect.stringContaining('profile new') as string,
    })
  })
})

describe('pchome', () => {
  it('sends what was ordered less what was cancelled, and takes the number off the address', async () => {
    const read1 = await one(pchomeFile([order()], { cancelled: 1 }))
    expect(read1.lines).toMatchObject([
      { sku: 'TEE-S', quantity: 2, unitPriceMinor: 59_000 },
      { sku: 'CAP', quantity: 1 },
    ])
    expect(read1.recipient.address!.raw).toBe(samplePerson(1).address)
  })

  it('a line of which nothing is left is not sent, an order of such lines is cancelled', async () => {
    const head = '訂單編號,收貨人,收貨地址(訂單編號),收貨人電話,下訂時數量,取消數量,應出貨數量,廠商料號'
    const row = (sku: string, ordered: number, cancelled: number, left: number) =>
      `P-1,測試人,臺北市信義區測試路1號,0900000001,${ordered},${cancelled},${left},${sku}`
    expect((await one(csv(head, row('A', 2, 2, 0), row('B', 1, 0, 1)))).lines).toMatchObject([{ sku: 'B', quantity: 1 }])
    expect(await one(csv(head, row('A', 2, 2, 0)))).toMatchObject({ cancelled: true, lines: [{ sku: 'A', quantity: 2 }] })
    const wrong = await read(csv(head, row('A', 2, 1, 2)))
    expect(wrong).toMatchObject({ orders: [], errors: [{ row: 2, column: '應出貨數量', value: '2', code: 'sumsDisagree' }] })
  })

  it('price times quantity must be the sum', async () => {
    const head = '訂單編號,收貨人,收貨地址,收貨人電話,應出貨數量,單位成本,成本小計,廠商料號'
    const file = await read(csv(head, 'P-1,測試人,臺北市信義區測試路1號,0900000001,2,100,300,A'))
    expect(file).toMatchObject({ orders: [], errors: [{ column: '成本小計', code: 'sumsDisagree' }] })
  })

  it('what the 24h warehouse has sent is told as gone, and no name stands in its number', async () => {
    const file = await read(pchome24hFile([order(), order({ externalId: 'A-2', ...samplePerson(2) })]))
    expect(file.orders.map(({ order: each }) => each.fulfilled)).toEqual([true, true])
    expect(file.orders.map(({ order: each }) => each.externalId)).toEqual([
      expect.stringMatching(/^24h-20261120-[0-9a-f]{10}$/),
      expect.stringMatching(/^24h-20261120-[0-9a-f]{10}$/),
    ])
    expect(JSON.stringify(file.orders.map(({ order: each }) => each.externalId))).not.toContain(samplePerson(1).name)
  })
})

it('payeasy takes the evening phone when it is the only one, and keeps amounts of unknown meaning raw', async () => {
  const rows = await read(payeasyFile([order()]), {})
  expect(rows.orders[0]!.order.lines.map(({ unitPriceMinor }) => unitPriceMinor)).toEqual([null, null])
  const head = '訂單編號,廠商商品原始碼,商品數量,收貨人,縣市別,收貨地址,電話(日),電話(夜),手機'
  expect(await one(csv(head, 'E-1,A,1,測試人,臺北市,信義區測試路1號,,02-27208889,'))).toMatchObject({
    recipient: { phone: '+886227208889', address: { city: '臺北市', district: '信義區' } },
  })
})

describe('shopify-csv', () => {
  it('takes the order from its first row, lines from all, and the discount as the difference', async () => {
    expect(await one(shopifyFile([order()], { discount: 100 }))).toMatchObject({
      externalId: '#A-1',
      placedAt: '2026-11-20T09:30:00+08:00',
      lines: [{ sku: 'TEE-S' }, { sku: 'CAP' }],
      totals: { itemsMinor: 153_000, shippingMinor: 8_000, discountMinor: 10_000, totalMinor: 151_000 },
      payment: { method: 'prepaid', state: 'paid' },
      notes: 'Shipping Method Standard',
    })
  })

  it('collects the outstanding balance of an order paid on delivery', async () => {
    expect((await one(shopifyFile([order({ cod: true })]))).payment).toEqual({
      method: 'cod',
      state: 'due',
      amountDueMinor: 161_000,
      currency: 'TWD',
    })
  })

  it('cancelled, held and goods that need no shipping', async () => {
    const cancelled = shopifyFile([order()], {
      row: (_, index): Record<string, string> => (index === 0 ? { 'Cancelled at': '2026-11-21 10:00:00 +0800' } : {}),
    })
    expect((await one(cancelled)).cancelled).toBe(true)
    const partial = shopifyFile([order()], {
      row: (_, index): Record<string, string> => (index === 0 ? { 'Fulfillment Status': 'partial' } : {}),
    })
    expect(await one(partial)).toMatchObject({ onHold: true, notes: expect.stringContaining('partial') as string })
    const digital = shopifyFile([order()], {
      row: (_, index): Record<string, string> => (index === 1 ? { 'Lineitem requires shipping': 'false' } : {}),
    })
    expect(await one(digital)).toMatchObject({
      lines: [{ sku: 'TEE-S' }],
      totals: { itemsMinor: null },
      notes: expect.stringContaining('not shipped: 1 x') as string,
    })
  })

  it('an order whose lines are not all there is not taken', async () => {
    const [head = '', first = ''] = shopifyFile([order()]).toString('utf8').split('\r\n')
    expect(await read(`${head}\r\n${first}\r\n`)).toMatchObject({
      orders: [],
      errors: [{ column: 'Subtotal', code: 'sumsDisagree' }],
    })
  })
})

describe('shopline', () => {
  it('reads the chain from the way to pay, and asks where only a store number is given', async () => {
    const cvs = { chain: '全家' as const, storeId: '012345' }
    expect((await read(shoplineFile([order({ cvs, cod: true })]))).errors.map(({ code }) => code)).toEqual(['missing'])
    expect(await one(shoplineFile([order({ cvs })]))).toMatchObject({
      delivery: { method: 'cvs', cvs: { chain: 'FAMI', storeId: '012345' } },
      payment: { method: 'cod', state: 'paid', amountDueMinor: 0 },
    })
    const head = '訂單號碼,收件人,完整地址,收件人電話號碼,商品貨號,數量,付款方式,全家服務編號 / 7-11 店號'
    const row = (pay: string) => `L-1,測試人,,0900000001,A,1,${pay},012345`
    expect((await one(csv(head, row('7-11 取貨不付款')), { profile: 'shopline' })).delivery).toMatchObject({
      method: 'cvs',
      cvs: { chain: 'UNIMART', storeId: '012345' },
    })
    expect(await read(csv(head, row('信用卡')), { profile: 'shopline' })).toMatchObject({
      orders: [],
      errors: [{ code: 'unknownDelivery', column: '全家服務編號 / 7-11 店號' }],
    })
  })
})

describe('generic', () => {
  it('speaks English too', async () => {
    const english = csv(
      'Order number,SKU,Quantity,Recipient name,Recipient phone,Address,Delivery,Store ID,Payment,Amount due',
      'G-1,CAP,2,Test Person,+886900000001,,FamilyMart,012345,COD,700',
    )
    expect(await one(english)).toMatchObject({
      delivery: { method: 'cvs', cvs: { chain: 'FAMI', storeId: '012345' } },
      payment: { method: 'cod', amountDueMinor: 70_000 },
    })
  })

  it('rows of one order must agree about it', async () => {
    const file = await read(
      csv(
        '訂單編號,商品編號,數量,收件人姓名,收件人電話,收件人地址',
        'G-1,A,1,甲,0900000001,臺北市信義區測試路1號',
        'G-1,B,1,乙,0900000001,臺北市信義區測試路1號',
      ),
    )
    expect(file).toMatchObject({ orders: [], errors: [{ row: 3, column: '收件人姓名', value: '乙', code: 'disagree' }] })
  })

  it('a status that nobody knows holds the order and is shown', async () => {
    const file = csv(
      '訂單編號,訂單狀態,商品編號,數量,收件人姓名,收件人電話,收件人地址',
      'G-1,等風來,A,1,甲,0900000001,臺北市信義區測試路1號',
    )
    expect(await one(file)).toMatchObject({ onHold: true, notes: '訂單狀態 等風來' })
  })
})

describe('a layout that is taught', () => {
  const propose = async (bytes: Buffer, name = 'new-shop') => {
    const workbook = await openWorkbook(bytesSource(bytes))
    return await proposeLayout(workbook, { name })
  }

  it('is proposed from headers and cells, and its YAML reads the file it was made from', async () => {
    const bytes = await readFile(join(root, 'samples/files/new-shop.csv'))
    const proposal = await propose(bytes)
    expect(proposal.missing).toEqual([])
    const layout = parseLayout(proposal.yaml)
    expect(layout.columns).toMatchObject({
      orderNumber: '單號',
      sku: '貨品代號',
      quantity: '件數',
      recipientName: '收貨人姓名',
      phone: '聯絡手機',
      address: '寄送地址',
      placedAt: '下單時間',
      unitPrice: '單品售價',
      buyerName: '顧客',
    })
    expect(layout.writeBack).toMatchObject({ waybill: '托運單號', carrier: '物流商' })
    const file = await read(bytes, { layouts: [layout], remembered: { [proposal.fingerprint!]: 'new-shop' } })
    expect(file).toMatchObject({ profile: 'new-shop', confidence: 1, errors: [] })
    expect(file.orders.map(({ order: each }) => [each.externalId, each.lines.length])).toEqual([
      ['A-1001', 1],
      ['A-1002', 2],
    ])
  })

  it('finds phones by their looks where the header says nothing, and English headers', async () => {
    const bytes = csv(
      'order_no,item_code,qty,ship_name,call me,ship_address',
      ...[1, 2, 3, 4].map((n) => `X-${n},CAP,${n},Person ${n},090000000${n},臺北市信義區測試路${n}號`),
    )
    const { layout } = await propose(bytes)
    expect(layout?.columns).toMatchObject({
      orderNumber: 'order_no',
      sku: 'item_code',
      quantity: 'qty',
      recipientName: 'ship_name',
      phone: 'call me',
      address: 'ship_address',
    })
  })

  it('團購單號, 團員姓名 and 訂購數 were not found, although a person sees at once what they are', async () => {
    const { missing, layout } = await propose(
      csv(
        '好好生活 團購訂單彙總表',
        '團購單號,物流單號,團員姓名,聯絡手機,收件地址,貨號,品名,訂購數',
        ...[1, 2, 3, 4].map((n) => `G-${n},,林測甲,091100000${n},台北市信義區測試路${n}號,CAP,帽,${n === 3 ? '三頂' : n}`),
      ),
    )
    expect(missing).toEqual([])
    expect(layout?.columns).toMatchObject({ orderNumber: '團購單號', recipientName: '團員姓名', quantity: '訂購數' })
  })

  it('says what it did not find', async () => {
    const { yaml, missing, layout } = await propose(csv('訂單編號,數量,備註', '1,2,x'))
    expect([layout, missing.length]).toEqual([null, 3])
    expect(yaml).toContain('# NOT FOUND')
  })

  it.each([
    ['name: Bad Name\ncolumns: {}', 'line 1, name'],
    ['name: my-shop\ncolumns:\n  orderNumber: 單號\n  sku: 貨號\n  quantity: 數量\n  recipientName: 收件人', 'columns.phone'],
    [
      'name: my-shop\ncolumns:\n  orderNumber: 單號\n  sku: 單號\n  quantity: 數量\n  recipientName: 收件人\n  phone: 電話',
      'line 4, columns.sku: is the column of orderNumber already (found "單號")',
    ],
    ['name: my-shop\ncolumns:\n  colour: 顏色', 'Remove or correct "colour"; columns can be: orderNumber'],
    [
      'name: momo\ncolumns: {orderNumber: a, sku: b, quantity: c, recipientName: d, phone: e}',
      'is the name of a profile that is built in',
    ],
    ['name: [', 'line 1, (file)'],
    ['name: x1\nname: x2\ncolumns: {}', 'line 2, (file)'],
  ])('refuses %j with line, value and remedy', (yaml, told) => {
    expect(() => parseLayout(yaml, new Set(['momo']))).toThrow(InvalidLayout)
    expect(() => parseLayout(yaml, new Set(['momo']))).toThrow(told)
  })

  it('an article without a SKU waits for its alias under its own number', async () => {
    const layout = parseLayout(
      'name: my-shop\ncolumns: {orderNumber: 單號, itemId: 賣場編號, quantity: 數量, recipientName: 收件人, phone: 電話, address: 地址}',
    )
    const file = await read(csv('單號,賣場編號,數量,收件人,電話,地址', 'A-1,9001,1,測試人,0900000001,臺北市信義區測試路1號'), {
      layouts: [layout],
    })
    expect(file.orders[0]?.order.lines).toMatchObject([{ lineId: '9001', sku: '9001' }])
  })

  it('its own words come first', async () => {
    const layout = parseLayout(`name: my-shop
columns: {orderNumber: 單號, sku: 貨號, quantity: 數量, recipientName: 收件人, phone: 電話, address: 地址, status: 狀態, delivery: 物流}
words:
  status: {cancelled: 棄單, open: [等風來]}
  delivery: {FAMI: 小全, TCAT: 喵喵}`)
    const rows = (status: string, delivery: string) =>
      csv('單號,貨號,數量,收件人,電話,地址,狀態,物流', `A-1,CAP,1,測試人,0900000001,臺北市信義區測試路1號,${status},${delivery}`)
    expect(await one(rows('棄單', '喵喵'), { layouts: [layout] })).toMatchObject({
      cancelled: true,
      delivery: { service: 'TCAT' },
    })
    expect(await one(rows('等風來', '小全'), { layouts: [layout] })).toMatchObject({
      onHold: false,
      delivery: { cvs: { chain: 'FAMI' } },
    })
  })
})

it('a YAML that is wrong is never kept', async () => {
  const never = { query: async () => Promise.reject(new Error('nothing may be asked of the database')) }
  await expect(applyProfile(never as never, 'name: momo', 'test')).rejects.toThrow(InvalidLayout)
})
