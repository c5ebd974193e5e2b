/** Papers are read back from their bytes: pages, drawn bars and QR symbols (by a reader that we did not write). */
import * as jsqr from 'jsqr'
import { describe, expect, it } from 'vitest'
import { Canvas } from '../../documents/canvas.ts'
import { deliveryNotes } from '../../documents/deliveryNote.ts'
import { manifest } from '../../documents/manifest.ts'
import { byShelf, pickList, type PickRow } from '../../documents/pickList.ts'
import { money, shippingLabels, type ShippingLabel } from '../../documents/shippingLabel.ts'
import { pickupVouchers } from '../../documents/small.ts'
import { drawings } from '../harness/pdf.ts'

const now = new Date('2026-11-22T02:00:00Z')
const label: ShippingLabel = {
  courier: '黑貓宅急便',
  service: 'TCAT',
  waybill: '907812345678',
  reference: 'OS1ABCDEFGHIJKLMNOPQR',
  orderNumber: '250601ABCD',
  sender: { name: '好日子選物', phone: '02-2345-6789', address: '臺北市信義區信義路五段7號' },
  recipient: {
    name: '王堃峯喆',
    phone: '0912-345-678',
    postalCode: '106',
    address: '臺北市大安區忠孝東路四段181巷35弄6號12樓之3',
  },
  pickup: null,
  amountDueMinor: 129_000,
  currency: 'TWD',
  temperature: 'chilled',
  fragile: true,
  askedTime: null,
  notes: null,
  parcelOf: null,
}

const pagesOf = (pdf: Buffer) => (pdf.toString('latin1').match(/\/Type \/Page\b/g) ?? []).length

interface Rect {
  x: number
  y: number
  width: number
  height: number
}
/** Filled rectangles in points. */
const rects = (stream: string): Rect[] =>
  [...stream.matchAll(/([\d.-]+) ([\d.-]+) ([\d.-]+) ([\d.-]+) re\s+f?/g)].map(([, x, y, width, height]) => ({
    x: Number(x),
    y: Number(y),
    width: Number(width),
    height: Number(height),
  }))

type Read = (pixels: Uint8ClampedArray, width: number, height: number) => { data: string } | null
const jsQR = (jsqr as unknown as { default: Read | { default: Read } }).default
const read: Read = typeof jsQR === 'function' ? jsQR : jsQR.default

/** Paints the squares onto pixels, eight a point, and lets the reader look. */
function readQr(stream: string): string | null {
  const squares = rects(stream).filter(({ width, height }) => Math.abs(width - height) < 0.01 && width < 20)
  const left = Math.min(...squares.map(({ x }) => x)) - 20
  const top = Math.min(...squares.map(({ y }) => y)) - 20
  const side = Math.ceil((Math.max(...squares.map(({ x }) => x)) - left + 40) * 4)
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255)
  for (const square of squares)
    for (let y = Math.round((square.y - top) * 4); y < (square.y - top + square.height) * 4; y++)
      for (let x = Math.round((square.x - left) * 4); x < (square.x - left + square.width) * 4; x++)
        pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
  return read(pixels, side, side)?.data ?? null
}

describe('a shipping label', () => {
  it('has one page each, and its QR reads as the reference', async () => {
    const pdf = await shippingLabels([label, { ...label, reference: 'OS2ZZZ' }], now)
    expect(pagesOf(pdf)).toBe(2)
    expect(drawings(pdf).map(readQr)).toEqual(['OS1ABCDEFGHIJKLMNOPQR', 'OS2ZZZ'])
  })

  it('has bars wide enough for a hand scanner, with white beside them', async () => {
    const [stream = ''] = drawings(await shippingLabels([label], now))
    const bars = rects(stream).filter(({ height }) => Math.abs(height - (20 * 72) / 25.4) < 0.5)
    const module = Math.min(...bars.map(({ width }) => width))
    expect((module * 25.4) / 72).toBeGreaterThan(0.3)
    expect(Math.min(...bars.map(({ x }) => x)) - (4 * 72) / 25.4).toBeGreaterThanOrEqual(module * 9.9)
  })

  it('is the same bytes when it is printed again', async () => {
    expect(await shippingLabels([label], now)).toEqual(await shippingLabels([label], now))
  })

  it.each([
    [129_000, 'TWD', 'NT$ 1,290'],
    [129_050, 'TWD', 'NT$ 1,290.5'],
    [1_000, 'USD', 'USD 10'],
  ])('writes %d of %s as %s', (minor, currency, text) => {
    expect(money(minor, currency)).toBe(text)
  })
})

it('a bar code refuses what Code 128 cannot hold', () => {
  const canvas = new Canvas({ widthMm: 50, heightMm: 30 }, { title: '', now })
  canvas.addPage()
  expect(() => canvas.code128('單號1', 0, 0, 40, 10)).toThrow(/cannot hold/)
})

const row = (shelf: string | null, sku = 'A'): PickRow => ({
  shelf,
  sku,
  barcode: null,
  name: '襪子',
  quantity: 1,
  boxes: [{ box: 1, quantity: 1 }],
})

describe('a pick list', () => {
  it('follows the shelves as a person walks: A-2 before A-10, what has no shelf last', () => {
    const shelves = [row(null), row('A-10'), row('B-1'), row('A-2', 'B'), row('A-2', 'A')].sort(byShelf)
    expect(shelves.map(({ shelf, sku }) => `${shelf} ${sku}`)).toEqual(['A-2 A', 'A-2 B', 'A-10 A', 'B-1 A', 'null A'])
  })

  it('goes on on a new page, with its head and its bar code again', async () => {
    const rows = Array.from({ length: 60 }, (_, index) => row(`A-${index}`))
    const pdf = await pickList(
      { waveId: 'w-1', location: '桃園倉', madeAt: '2026-11-22 10:00', sortedBy: 'tcat', units: 3, rows },
      now,
    )
    expect(pagesOf(pdf)).toBeGreaterThan(2)
    for (const stream of drawings(pdf)) expect(rects(stream).filter(({ height }) => height > 20).length).toBeGreaterThan(10)
  })
})

it('a manifest bars every waybill', async () => {
  const parcels = ['907812345610', '907812345611'].map((waybill) => ({
    waybill,
    orderNumber: '1',
    service: 'TCAT',
    weightGrams: null,
    amountDueMinor: 0,
    currency: 'TWD',
  }))
  const [stream = ''] = drawings(await manifest({ id: 'm-1', courier: 'TCAT', location: 'W', madeAt: '', parcels }, now))
  const heights = new Map<string, number>()
  for (const { height } of rects(stream)) heights.set(height.toFixed(1), (heights.get(height.toFixed(1)) ?? 0) + 1)
  expect(heights.get(((7.5 * 72) / 25.4).toFixed(1))).toBeGreaterThan(40)
})

it('a delivery note with a number that is no bar code is printed without one', async () => {
  const note = {
    orderNumber: '訂單一',
    channel: '門市',
    recipient: '王',
    lines: [],
    currency: 'TWD',
    showPrices: false,
    remark: null,
    gift: false,
  }
  expect(pagesOf(await deliveryNotes([note], now))).toBe(1)
})

it("a voucher's QR reads as its code", async () => {
  const voucher = {
    code: 'PV-7Q2K9M4X',
    orderNumber: 'S-1',
    store: '信義門市',
    until: null,
    pieces: 1,
    amountDueMinor: 0,
    currency: 'TWD',
  }
  expect(drawings(await pickupVouchers([voucher], now)).map(readQr)).toEqual(['PV-7Q2K9M4X'])
})
