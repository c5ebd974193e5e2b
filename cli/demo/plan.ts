/**
 * A day of orders: what goes in. Everything is invented; the same run number gives the same orders, another one fresh order numbers.
 * docs/day.md tells the day in words, tests/scenario/day.test.ts counts it by hand.
 */
import { samplePerson, WRONG_KINDS, type SampleLine, type SampleOrder } from '../../samples/generate.ts'

export const SHOP_ID = 600_123
export const SHOPEE_PASSWORD = 'demo-2026'
export const NORTH = 'wh-north'
export const SOUTH = 'wh-south'
export const STORE = 'store-xinyi'

/** NT$, whole dollars. */
export const PRICES = { 'TEE-S': 590, 'TEE-M': 590, CAP: 380, MUG: 320, TOTE: 250, BLANKET: 880 } as const
const SCARCE = { FIGURE: 1_680, LAMP: 1_250 } as const
const NAMES: Record<string, string> = {
  'TEE-S': '純棉短袖上衣 S',
  'TEE-M': '純棉短袖上衣 M',
  CAP: '棒球帽',
  MUG: '馬克杯',
  TOTE: '帆布袋',
  BLANKET: '毛毯',
  FIGURE: '限量公仔',
  LAMP: '床頭燈',
}

export interface Product {
  sku: string
  name: string
  price: number
}
export interface Stock {
  sku: string
  location: string
  onHand: number
}
export type Place = typeof NORTH | typeof SOUTH | typeof STORE

export interface PlannedShopeeOrder extends SampleOrder {
  /** Shopee's own logistics carry it: 7-ELEVEN, recipient masked. */
  channelCarries?: boolean
}
export type StoreOrder = { externalId: string } & Record<string, unknown>

/** Order numbers of what is special about the day. */
export interface Cast {
  /** The momo rows that are wrong, one an order. */
  wrongRows: string[]
  /** Waits for stock: the SKU ran out. */
  ranOut: string
  /** 1 of 2 pieces is not on the shelf; the other warehouse has it. */
  shortPick: string
  /** The courier refuses it at every try. */
  refused: string
  /** The courier books it, and its answer is lost. */
  lostAnswer: string
  /** Goods in two warehouses. */
  split: string
  /** Shopee buyers who change something before the warehouse opens. */
  newAddress: string
  moreQuantity: string
  /** Cancelled at Shopee before the warehouse opens. */
  cancelledEarly: string[]
  /** Cancelled at Shopee when the parcel is under way. */
  cancelledLate: string
  /** In the file and at the API. */
  inBoth: string[]
  tryOn: { keepsAll: string; keepsHalf: string; keepsNothing: string; neverComes: string }
}

export interface DayPlan {
  run: number
  startedAt: string
  products: Product[]
  stock: Stock[]
  momo: SampleOrder[]
  wrongKinds: typeof WRONG_KINDS
  /** Rows of Shopee's export: the backlog of before Omnisaga was connected, and two orders that the API tells too. */
  shopeeFile: PlannedShopeeOrder[]
  shopeeApi: PlannedShopeeOrder[]
  /** Try-ons come first; the last one finds the scarce SKU sold out. */
  store: StoreOrder[]
  cast: Cast
  /** What the buyer of `cast.newAddress` writes. */
  newAddress: string
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** @param run 1 for the first day of a data folder; scarce goods get a name of their own in later ones. */
export function planDay(run: number, startedAt: Date): DayPlan {
  const day = new Date(startedAt.getTime() + 8 * 3_600_000).toISOString().slice(2, 10).replaceAll('-', '')
  const at = (daysAgo: number, minute: number) =>
    new Date(startedAt.getTime() + 8 * 3_600_000 - daysAgo * 86_400_000 - minute * 60_000)
      .toISOString()
      .slice(0, 16)
      .replace('T', ' ')
  const scarce = (sku: keyof typeof SCARCE) => (run === 1 ? sku : `${sku}-${run}`)
  const [figure, lamp] = [scarce('FIGURE'), scarce('LAMP')]
  const products: Product[] = [
    ...Object.entries(PRICES).map(([sku, price]) => ({ sku, name: NAMES[sku] ?? sku, price })),
    { sku: figure, name: NAMES.FIGURE ?? figure, price: SCARCE.FIGURE },
    { sku: lamp, name: NAMES.LAMP ?? lamp, price: SCARCE.LAMP },
  ]
  const stock: Stock[] = [
    { sku: 'TEE-S', location: NORTH, onHand: 200 },
    { sku: 'TEE-M', location: NORTH, onHand: 200 },
    { sku: 'CAP', location: NORTH, onHand: 200 },
    { sku: 'MUG', location: NORTH, onHand: 200 },
    { sku: 'TOTE', location: NORTH, onHand: 100 },
    { sku: figure, location: NORTH, onHand: 3 },
    { sku: lamp, location: NORTH, onHand: 2 },
    { sku: lamp, location: SOUTH, onHand: 1 },
    { sku: 'BLANKET', location: SOUTH, onHand: 40 },
    { sku: 'TEE-S', location: STORE, onHand: 10 },
    { sku: 'TEE-M', location: STORE, onHand: 10 },
    { sku: 'CAP', location: STORE, onHand: 10 },
  ]
  const line = (sku: string, quantity = 1): SampleLine => {
    const product = products.find((candidate) => candidate.sku === sku)
    return { sku, quantity, name: product?.name ?? sku, price: product?.price ?? 0 }
  }
  const number = (prefix: string, n: number) => `${day}${prefix}${run}${String(n).padStart(3, '0')}`
  const m = (n: number) => number('M', n)
  const f = (n: number) => number('F', n)
  const a = (n: number) => number('A', n)
  const s = (n: number) => number('S', n)
  /** Every source has people of its own. */
  const person = (offset: number, n: number) => samplePerson(run * 1_000 + offset + n)

  const momo = range(1, 40).map((n): SampleOrder => ({
    externalId: m(n),
    ...person(0, n),
    placedAt: at(0, 300 - n),
    lines:
      n <= 3
        ? [line(figure)]
        : n <= 8
          ? [line('TEE-S'), line('TOTE', 2)]
          : n === 35
            ? [line('BLANKET'), line('TEE-S')]
            : [line('TEE-S')],
    ...(n === 10 ? { notes: '請放管理室', askedTime: '下午' } : {}),
  }))

  const apiLines = (n: number) => (n >= 20 && n <= 25 ? [line('BLANKET')] : [line('MUG')])
  const shopeeApi = range(1, 60).map((n): PlannedShopeeOrder => ({
    externalId: a(n),
    ...person(200, n),
    placedAt: at(0, 240 - n),
    lines: apiLines(n),
    delivery: '賣家宅配',
    ...(n >= 30 && n <= 37 ? { cod: true } : {}),
    ...(n > 52 ? { channelCarries: true } : {}),
  }))
  const backlog = range(1, 28).map((n): PlannedShopeeOrder => ({
    externalId: f(n),
    ...person(100, n),
    placedAt: at(5, 60 - n),
    lines: n <= 10 ? [line('CAP')] : [line('CAP', 2)],
    ...(n <= 10
      ? { cvs: { chain: '7-11' as const, storeId: String(131_000 + n) }, address: '7-11 示範門市' }
      : { delivery: '賣家宅配' }),
    ...(n <= 3 || (n >= 11 && n <= 14) ? { cod: true } : {}),
  }))

  const who = (n: number) => {
    const { name, phone, address } = person(300, n)
    return { buyer: { name, phone }, recipient: { name, phone, address: { raw: address } } }
  }
  const paid = { method: 'prepaid', state: 'paid' }
  const priced = (sku: keyof typeof PRICES) => ({ sku, name: NAMES[sku], quantity: 1, unitPriceMinor: PRICES[sku] * 100 })
  const tryOn = (n: number, skus: (keyof typeof PRICES)[], more: Record<string, unknown>): StoreOrder => ({
    connection: 'store-xinyi',
    externalId: s(n),
    kind: 'tryOn',
    placedAt: startedAt.toISOString(),
    ...who(n),
    lines: skus.map(priced),
    ...more,
  })
  const store: StoreOrder[] = [
    tryOn(1, ['TEE-S', 'TEE-M'], { delivery: { method: 'handOver' }, payment: paid }),
    tryOn(2, ['CAP', 'TEE-M'], { delivery: { method: 'home', location: STORE }, payment: { method: 'cod' } }),
    tryOn(3, ['TEE-S', 'TEE-M'], { delivery: { method: 'handOver' }, payment: paid }),
    // Its appointment is set when it is sent: seconds ahead.
    tryOn(4, ['TEE-S'], { delivery: { method: 'handOver' }, payment: paid }),
    ...range(5, 9).map((n): StoreOrder => ({
      connection: 'store-xinyi',
      externalId: s(n),
      kind: 'store',
      placedAt: startedAt.toISOString(),
      ...who(n),
      lines: n === 8 ? [{ sku: lamp, name: NAMES.LAMP, quantity: 2, unitPriceMinor: SCARCE.LAMP * 100 }] : [priced('TEE-M')],
      delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: String(132_000 + n) } },
      payment: n <= 8 ? { method: 'cod' } : paid,
    })),
    {
      connection: 'store-xinyi',
      externalId: s(10),
      kind: 'store',
      placedAt: startedAt.toISOString(),
      ...who(10),
      delivery: { method: 'home' },
      payment: paid,
      lines: [{ sku: figure, name: NAMES.FIGURE, quantity: 1, unitPriceMinor: SCARCE.FIGURE * 100 }],
    },
  ]
  return {
    run,
    startedAt: startedAt.toISOString(),
    products,
    stock,
    momo,
    wrongKinds: WRONG_KINDS,
    shopeeFile: [...backlog, ...shopeeApi.slice(0, 2)],
    shopeeApi,
    store,
    cast: {
      wrongRows: range(36, 40).map(m),
      ranOut: s(10),
      shortPick: s(8),
      refused: a(15),
      lostAnswer: a(16),
      split: m(35),
      newAddress: a(9),
      moreQuantity: a(10),
      cancelledEarly: [a(40), a(41)],
      cancelledLate: a(42),
      inBoth: [a(1), a(2)],
      tryOn: { keepsAll: s(1), keepsHalf: s(2), keepsNothing: s(3), neverComes: s(4) },
    },
    newAddress: '高雄市左營區搬家路99號9樓',
  }
}
