/**
 * A day of orders, counted by hand. The numbers below are worked out from cli/demo/plan.ts (what goes in), never read from the ledger:
 *   momo    40 rows' orders, 5 wrong: 3 × FIGURE, 32 × TEE-S, 5 × (TOTE × 2), 1 of them BLANKET and TEE-S from two warehouses
 *   file    28 + 2 that the API tells too: 10 × CAP × 1 to a 7-ELEVEN, 18 × CAP × 2
 *   API     60: 6 × BLANKET, 54 × MUG; 2 cancelled early, 1 edited from 1 to 3, 1 refused by the courier
 *   store   10: TEE-S + TEE-M kept, CAP of CAP + TEE-M kept, 2 come to nothing, 4 × TEE-M and LAMP × 2 to a 7-ELEVEN, FIGURE sold out
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as XLSX from '@e965/xlsx'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NORTH, SHOPEE_PASSWORD, SOUTH, STORE } from '../../cli/demo/plan.ts'
import type { OrderAnswer } from '../../cli/demo/outside.ts'
import type { AuditResult } from '../../store/audit.ts'
import { root } from '../harness/paths.ts'
import { liveThroughTheDay, type DayWorld } from './dayWorld.ts'

const IN = 35 + 28 + 60 + 10
const CANCELLED = 2 + 2
const DELIVERED = IN - CANCELLED - 1 - 1
/** One a unit: momo 35 and one split; the file's 28; the API's 52 less 2 cancelled and 1 refused; 1 try-on; 5 from the store, one short. */
const ECPAY_PARCELS = 36 + 28 + 49 + 1 + 6
/** Under Shopee's own label. */
const CHANNEL_PARCELS = 8

let world: DayWorld
let orders: Map<string, OrderAnswer>
beforeAll(async () => {
  world = await liveThroughTheDay()
  orders = new Map(
    await Promise.all((await world.api.orders()).map(async (row) => [row.externalId, await order(row.id)] as const)),
  )
}, 600_000)
afterAll(() => world?.stop())

async function order(id: string): Promise<OrderAnswer> {
  const found = await world.api.order(id)
  if (found === null) throw new Error(`there is no order ${id}`)
  return found
}
const known = (externalId: string): OrderAnswer => {
  const found = orders.get(externalId)
  if (found === undefined) throw new Error(`there is no order ${externalId}`)
  return found
}
const live = (each: OrderAnswer) => each.parcels.filter((parcel) => parcel.state !== 'refused' && parcel.state !== 'void')
const ecpayParcel = (reference: string) => {
  const found = world.shop.ecpay.parcels().filter((parcel) => parcel.merchantTradeNo === reference)
  expect(found, reference).toHaveLength(1)
  return found[0] as (typeof found)[number]
}
const shopeeOrder = (orderSn: string) => world.shop.shopee.orders().find((each) => each.orderSn === orderSn)

describe('orders', () => {
  it('each one is there once and in its expected phase', () => {
    const { cast } = world.shop.plan
    const expected: Record<string, string> = {
      [cast.refused]: 'packed',
      [cast.ranOut]: 'waitingStock',
      [cast.tryOn.keepsNothing]: 'cancelled',
      [cast.tryOn.neverComes]: 'cancelled',
      ...Object.fromEntries(cast.cancelledEarly.map((id) => [id, 'cancelled'])),
    }
    expect(orders.size).toBe(IN)
    expect(
      [...orders]
        .filter(([id, each]) => each.phase !== (expected[id] ?? 'delivered'))
        .map(([id, each]) => `${id} is ${each.phase}`),
    ).toEqual([])
    expect([...orders.values()].filter((each) => each.phase === 'delivered')).toHaveLength(DELIVERED)
    expect([...orders.values()].filter((each) => each.closed)).toHaveLength(DELIVERED + CANCELLED)
  })

  it('an order of the file and of the API is one order, and rows that are wrong hold theirs', () => {
    const { plan } = world.shop
    const { cast } = plan
    for (const id of cast.inBoth) expect([...orders.values()].filter((each) => each.externalId === id)).toHaveLength(1)
    for (const id of cast.wrongRows) expect(orders.has(id)).toBe(false)
    expect(plan.momo).toHaveLength(40)
    expect(world.said.join('\n')).toContain('momo file: 35 orders in, 5 held (row 45, 商品原廠編號')
  })

  it('edits made at Shopee before the warehouse opens are in the box and on the label', () => {
    const { cast } = world.shop.plan
    const moved = live(known(cast.newAddress))
    expect(moved).toHaveLength(1)
    expect(ecpayParcel(moved[0]?.reference ?? '').request.ReceiverAddress).toBe('高雄市左營區搬家路99號9樓')
    expect(
      world.shop.wms
        .units()
        .filter((unit) => unit.orderNumber === cast.moreQuantity)
        .map((unit) => unit.lines.map(({ sku, picked }) => ({ sku, picked }))),
    ).toEqual([[{ sku: 'MUG', picked: 3 }]])
  })

  it('the customers of the fitting room get what they kept', () => {
    const { keepsAll, keepsHalf, keepsNothing, neverComes } = world.shop.plan.cast.tryOn
    const delivered = (id: string) =>
      Object.fromEntries(
        (known(id) as unknown as { counters: { lineId: string; delivered: number; cancelled: number }[] }).counters.map(
          (line) => [line.lineId, [line.delivered, line.cancelled]],
        ),
      )
    expect(delivered(keepsAll)).toEqual({ 1: [1, 0], 2: [1, 0] })
    expect(delivered(keepsHalf)).toEqual({ 1: [1, 0], 2: [0, 1] })
    expect(delivered(keepsNothing)).toEqual({ 1: [0, 1], 2: [0, 1] })
    expect(delivered(neverComes)).toEqual({ 1: [0, 1] })
    expect(known(keepsAll).parcels).toEqual([])
  })
})

describe('parcels', () => {
  it('ECPay knows one for each unit that was sent, and no other', () => {
    const booked = world.shop.ecpay.parcels().map((parcel) => parcel.merchantTradeNo)
    expect(booked).toHaveLength(ECPAY_PARCELS)
    expect(new Set(booked).size).toBe(ECPAY_PARCELS)
    const ours = [...orders.values()].flatMap((each) => live(each).filter((parcel) => parcel.courier === 'ecpay'))
    expect(ours.map((parcel) => parcel.reference).sort()).toEqual([...booked].sort())
    expect(new Set(ours.map((parcel) => parcel.unitId)).size).toBe(ECPAY_PARCELS)
    expect(ours.filter((parcel) => parcel.state !== 'delivered')).toEqual([])
  })

  it('the booking whose answer was lost was looked up and booked once', () => {
    const { cast, shopeeApi } = world.shop.plan
    const phone = shopeeApi.find((each) => each.externalId === cast.lostAnswer)?.phone
    expect(world.shop.ecpay.faults.list()).toEqual([])
    expect(world.shop.ecpay.parcels().filter((parcel) => parcel.request.ReceiverCellPhone === phone)).toHaveLength(1)
    expect(known(cast.lostAnswer).parcels.map((parcel) => parcel.state)).toEqual(['delivered'])
  })

  it('the refused booking was tried twice, and ECPay has nothing of it', () => {
    const { cast, shopeeApi } = world.shop.plan
    const phone = shopeeApi.find((each) => each.externalId === cast.refused)?.phone
    expect(known(cast.refused).parcels.map((parcel) => parcel.state)).toEqual(['refused', 'refused'])
    expect(world.shop.ecpay.parcels().filter((parcel) => parcel.request.ReceiverCellPhone === phone)).toEqual([])
  })

  it('goods in two warehouses, and what one warehouse did not find, go in two parcels', () => {
    const { cast } = world.shop.plan
    const sent = (id: string) =>
      world.shop.wms
        .units()
        .filter((unit) => unit.orderNumber === id)
        .map((unit) => [unit.location, ...unit.lines.map((line) => `${line.sku} ${line.picked}/${line.quantity}`)].join(' '))
        .sort()
    expect(sent(cast.split)).toEqual([`${NORTH} TEE-S 1/1`, `${SOUTH} BLANKET 1/1`])
    expect(sent(cast.shortPick)).toEqual([`${NORTH} LAMP 1/2`, `${SOUTH} LAMP 1/1`])
    for (const id of [cast.split, cast.shortPick]) expect(live(known(id))).toHaveLength(2)
  })

  it('15 orders go to a 7-ELEVEN through ECPay, 8 more under Shopee’s own label', () => {
    const stores = world.shop.ecpay.parcels().filter((parcel) => parcel.request.LogisticsType === 'CVS')
    expect(stores.every((parcel) => parcel.request.LogisticsSubType === 'UNIMART')).toBe(true)
    const asked = [
      ...Array.from({ length: 10 }, (_, n) => String(131_001 + n)),
      ...Array.from({ length: 5 }, (_, n) => String(132_005 + n)),
    ]
    expect([...new Set(stores.map((parcel) => parcel.request.ReceiverStoreID ?? 'none'))].sort()).toEqual(asked)
    expect(stores).toHaveLength(15 + 1)
    const channel = [...orders.values()].flatMap(live).filter((parcel) => parcel.service === 'channel')
    expect(channel).toHaveLength(CHANNEL_PARCELS)
  })

  it('20 orders are paid on delivery, and their labels collect what is due, not a dollar more', () => {
    const { plan } = world.shop
    const due = new Map<string, number>([
      ...[...plan.shopeeFile, ...plan.shopeeApi]
        .filter((each) => each.cod)
        .map((each) => [each.externalId, each.lines.reduce((sum, line) => sum + (line.price ?? 0) * line.quantity, 0)] as const),
      // The store's: a cap of the try-on, 3 × TEE-M, 2 × LAMP.
      [plan.cast.tryOn.keepsHalf, 380],
      ...plan.store.slice(4, 7).map((each) => [each.externalId, 590] as const),
      [plan.cast.shortPick, 2_500],
    ])
    expect(due.size).toBe(20)
    expect(
      [...orders.values()]
        .filter((each) => each.payment.method === 'cod')
        .map((each) => each.externalId)
        .sort(),
    ).toEqual([...due.keys()].sort())
    for (const each of orders.values()) {
      const labels = live(each)
        .filter((parcel) => parcel.courier === 'ecpay')
        .map((parcel) => ecpayParcel(parcel.reference).request)
      const collected = labels
        .filter((label) => label.IsCollection === 'Y')
        .reduce((sum, label) => sum + Number(label.CollectionAmount), 0)
      expect([each.externalId, collected]).toEqual([each.externalId, due.get(each.externalId) ?? 0])
      expect(live(each).reduce((sum, parcel) => sum + (parcel.labelAmountMinor ?? 0), 0)).toBe(
        (due.get(each.externalId) ?? 0) * 100,
      )
    }
  })

  it('every report came twice and some out of order, and each counts once; the forged one counts for nothing', () => {
    const calls = world.shop.ecpay.callbacks()
    const [forged, ...others] = calls.filter((call) => call.forged)
    expect(others).toEqual([])
    expect(forged?.status).toBe(401)
    // One that was not answered is sent again: what was taken counts.
    const genuine = calls.filter((call) => !call.forged && call.answer === '1|OK')
    const times = new Map<string, number>()
    for (const { merchantTradeNo, code } of genuine)
      times.set(`${merchantTradeNo}/${code}`, (times.get(`${merchantTradeNo}/${code}`) ?? 0) + 1)
    expect([...times].filter(([, count]) => count !== 2)).toEqual([])
    let late = 0
    for (const parcel of world.shop.ecpay.parcels()) {
      const codes = genuine.filter((call) => call.merchantTradeNo === parcel.merchantTradeNo).map((call) => call.code)
      const happened = parcel.history.slice(1).map((step) => step.code)
      if (JSON.stringify([...new Set(codes)]) !== JSON.stringify(happened)) late += 1
      expect([...new Set(codes)].sort()).toEqual([...happened].sort())
    }
    expect(late).toBeGreaterThan(100)
    for (const parcel of [...orders.values()].flatMap(live).filter((each) => each.courier === 'ecpay')) {
      const { events } = parcel as unknown as { events: { code: string }[] }
      expect(events.map((event) => event.code)).toEqual(
        ecpayParcel(parcel.reference)
          .history.slice(1)
          .map((step) => step.code),
      )
    }
  })
})

describe('stock', () => {
  const left: [sku: string, location: string, onHand: number, held: number][] = [
    ['TEE-S', NORTH, 200 - 32, 0],
    ['TEE-M', NORTH, 200 - 4, 0],
    ['CAP', NORTH, 200 - 10 - 18 * 2 - 1, 0],
    ['TOTE', NORTH, 100 - 5 * 2, 0],
    // 54 orders less 2 cancelled, 2 pieces more in one; 1 is packed and refused by the courier: still here, and held.
    ['MUG', NORTH, 200 - (54 - 2 + 2 - 1), 1],
    ['FIGURE', NORTH, 0, 0],
    ['LAMP', NORTH, 2 - 1 - 1, 0],
    ['LAMP', SOUTH, 1 - 1, 0],
    ['BLANKET', SOUTH, 40 - 6 - 1, 0],
    ['TEE-S', STORE, 10 - 1, 0],
    ['TEE-M', STORE, 10 - 1, 0],
    ['CAP', STORE, 10, 0],
  ]
  it.each(left)('of %s at %s %i are left and %i held', async (sku, location, onHand, held) => {
    expect(await world.api.stock(sku, location)).toMatchObject({ onHand, held, available: onHand - held })
  })

  it('is nowhere else', async () => {
    const { stock } = (await world.api.get<{ stock: { sku: string; location: string; onHand: number }[] }>('/api/v1/stock')).body
    expect(
      stock
        .filter((level) => level.onHand > 0)
        .map((level) => `${level.sku} ${level.location}`)
        .sort(),
    ).toEqual(
      left
        .filter(([, , onHand]) => onHand > 0)
        .map(([sku, location]) => `${sku} ${location}`)
        .sort(),
    )
  })
})

describe('what others are told', () => {
  it('Shopee has the tracking number of every order that was sent, and no other', () => {
    const { plan } = world.shop
    const unsent = new Set([plan.cast.refused, ...plan.cast.cancelledEarly])
    for (const orderSn of new Set([...plan.shopeeFile, ...plan.shopeeApi].map((each) => each.externalId))) {
      const [parcel] = live(known(orderSn))
      const waybill = unsent.has(orderSn) ? null : parcel?.waybill
      expect([orderSn, shopeeOrder(orderSn)?.trackingNumber]).toEqual([orderSn, waybill])
      if (parcel?.courier !== 'ecpay' || waybill === null) continue
      const { bookingNote, shipmentNo } = ecpayParcel(parcel.reference)
      expect(waybill).toBe(bookingNote || shipmentNo)
    }
  })

  it('momo’s workbook has them, and every other cell as it was', async () => {
    const { plan, state } = world.shop
    const answer = await world.api.bytes(`/api/v1/imports/${state.notes.momoImport}/workbook`)
    expect(answer.status).toBe(200)
    const [before, after] = [
      XLSX.read(
        world.shop.file('momo.xls', () => {
          throw new Error('it was made in the morning')
        }),
      ),
      XLSX.read(answer.bytes),
    ]
    expect(after.SheetNames).toEqual(before.SheetNames)
    const rows = (book: XLSX.WorkBook, name: string) =>
      XLSX.utils.sheet_to_json<(string | number | null)[]>(book.Sheets[name] as XLSX.WorkSheet, {
        header: 1,
        defval: null,
        blankrows: true,
      })
    const [orderNumber, sku, status, carrier, waybill] = [
      '訂單編號',
      '商品原廠編號',
      '配送狀態\n(說明參考Desc)',
      '物流公司\n(說明參考Desc)',
      '配送單號',
    ].map((header) => rows(before, '出貨明細')[2]?.indexOf(header) ?? -1) as [number, number, number, number, number]
    const filled: Record<string, unknown> = {}
    for (const name of before.SheetNames) {
      rows(before, name).forEach((row, at) =>
        row.forEach((value, column) => {
          const now = rows(after, name)[at]?.[column] ?? null
          if (name !== '出貨明細' || at < 3 || ![status, carrier, waybill].includes(column))
            return expect([name, at, column, now]).toEqual([name, at, column, value])
          if (column === waybill && now !== null)
            filled[`${row[orderNumber]} ${row[sku]}`] = [
              rows(after, name)[at]?.[status],
              rows(after, name)[at]?.[carrier],
              String(now),
            ]
        }),
      )
    }
    const warehouseOf = (article: string) => (article === 'BLANKET' ? SOUTH : NORTH)
    const wanted = plan.momo.slice(0, 35).flatMap((each) =>
      each.lines.map((line) => {
        const unit = world.shop.wms
          .units()
          .find((candidate) => candidate.orderNumber === each.externalId && candidate.location === warehouseOf(line.sku))
        return [`${each.externalId} ${line.sku}`, ['已配送', '黑貓宅急便', unit?.waybill]]
      }),
    )
    expect(filled).toEqual(Object.fromEntries(wanted))
  }, 120_000)

  it('exactly the expected tasks are open', async () => {
    const { cast } = world.shop.plan
    const expected = [
      ...cast.wrongRows.map((id) => `import.wrongRow ${id}`),
      `stock.short ${cast.ranOut}`,
      `booking.refused ${cast.refused}`,
      `cancel.refused ${cast.cancelledLate}`,
      // Paid, and nothing kept: the store has no till that pays back by a call.
      `refund.byHand ${cast.tryOn.keepsNothing}`,
      `refund.byHand ${cast.tryOn.neverComes}`,
    ]
    expect((await world.api.openTasks()).map((task) => `${task.kind} ${task.subject}`).sort()).toEqual(expected.sort())
  })
})

const omnisaga = async (...args: string[]) => {
  const { stdout } = await promisify(execFile)(process.execPath, ['bin/omnisaga.mjs', ...args], {
    cwd: root,
    env: { ...process.env, ...world.env },
  })
  return JSON.parse(stdout) as unknown
}

it('the audit is clean', async () => {
  const { ok, checked, violations } = (await omnisaga('audit', '--json')) as AuditResult
  expect(violations).toEqual([])
  expect(ok).toBe(true)
  expect(checked).toMatchObject({ orders: IN, parcels: ECPAY_PARCELS + CHANNEL_PARCELS + 2 })
}, 120_000)

it('the same files and the same pull again change nothing', async () => {
  const { shop, api } = world
  const view = async () => ({
    orders: (await api.orders()).map((each) => `${each.externalId} ${each.phase}`).sort(),
    tasks: (await api.openTasks()).map((task) => `${task.kind} ${task.subject}`).sort(),
    parcels: shop.ecpay.parcels().length,
    stock: (await api.get('/api/v1/stock')).body,
  })
  const before = await view()
  const made = () => {
    throw new Error('it was made in the morning')
  }
  for (const [connection, fileName, password] of [
    ['momo', 'momo.xls', undefined],
    ['shopee', 'shopee.xlsx', SHOPEE_PASSWORD],
  ] as const) {
    const { status, body } = await api.upload(shop.file(fileName, made), {
      connection,
      fileName,
      ...(password ? { password } : {}),
    })
    expect(status).toBe(202)
    await expect
      .poll(async () => (await api.get<{ state: string }>(`/api/v1/imports/${body.id}`)).body.state, { timeout: 60_000 })
      .toBe('done')
  }
  await omnisaga('pull', 'shopee', '--json')
  // What was pulled is mapped in order: when the last record is, all are.
  const quiet = async () => (await world.runtime.pool.query(`select 1 from inbox where state = 'new' limit 1`)).rowCount === 0
  await expect.poll(quiet, { timeout: 60_000 }).toBe(true)
  expect(await view()).toEqual(before)
}, 180_000)
