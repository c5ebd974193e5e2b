/**
 * Order files as nobody would write them: whatever the header's order, the cells, the encoding or the damage, an order that comes out
 * is the one that was put in, or an error names its row. Runs and seed are fixed, so that a failure comes again.
 */
import * as XLSX from '@e965/xlsx'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import { describe, expect, it, vi } from 'vitest'
import { OmnisagaError } from '../../domain/errors.ts'
import { annotate, readOrders, type FileOrders } from '../../mappings/files/index.ts'
import { normaliseText } from '../../mappings/normalise/index.ts'
import { PROFILES } from '../../mappings/profiles/index.ts'
import { layoutFiles, layoutOrders } from '../../samples/layouts.ts'
import { bytesSource } from './files-helpers.ts'

// Many runs each, on machines that are busy: how long they take is not what is judged.
vi.setConfig({ testTimeout: 60_000 })
const seed = 20261122
/** Printed with every failure by fast-check; here once, so that a run can be told. */
// eslint-disable-next-line no-console
console.info(`fuzz of order files: seed ${seed}`)
const runs = (numRuns: number) => ({ seed, numRuns, endOnFailure: true })

interface Line {
  number: string
  sku: string
  quantity: string
  name: string
  phone: string
  address: string
  notes: string
}
const FIELDS: readonly (keyof Line)[] = ['number', 'sku', 'quantity', 'name', 'phone', 'address', 'notes']
const HEADERS: Record<keyof Line, readonly string[]> = {
  number: ['訂單編號', ' 訂單編號 ', '*訂單編號', '訂單\n編號', 'ORDER NUMBER', 'Ｏｒｄｅｒ number'],
  sku: ['商品編號', 'SKU', 'sku ', '商品　編號'],
  quantity: ['數量', 'Quantity', '數量：', '數 量'],
  name: ['收件人姓名', 'Recipient Name', '收件人\r\n姓名'],
  phone: ['收件人電話', 'recipient phone'],
  address: ['收件人地址', 'Address'],
  notes: ['備註', 'NOTES'],
}

/** Of characters that both encodings have, and of what spreadsheets are spoilt with. */
const text = fc.oneof(
  fc.constantFrom(
    '王小明',
    '堃峯',
    '許功蓋',
    '測試"引號"',
    "O'Brien",
    '逗號,分號;',
    'tab\t',
    '換\n行',
    '＝公式',
    '=1+1',
    '@x',
    '-5',
    '01',
    '1e5',
    'NaN',
    '#N/A',
    'null',
    '〇',
    '陳　大文',
  ),
  fc.stringMatching(/^[A-Za-z0-9 .,;:'"()-]{1,20}$/),
  fc.stringMatching(/^[一二三中文測試路街號樓臺北高雄訂單備註]{1,12}$/),
)
const quantity = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 999 }).map(String) },
  { weight: 2, arbitrary: fc.constantFrom('0', '-1', '1.5', '', '兩件', '２', '3 件', '1,000', '9'.repeat(20), '1e3', '#REF!') },
)
const line = fc.record<Line>({
  number: fc.constantFrom('A-1', 'A-2', 'B 3', '260000000001', '0012', '訂-9', ''),
  sku: fc.oneof(fc.constantFrom('TEE-S', 'CAP', '0007', 'a b', '1.5E+12', ''), fc.stringMatching(/^[A-Z0-9-]{1,10}$/)),
  quantity,
  name: fc.constantFrom('測試人', '許功蓋', '測試人', '王*明', ''),
  phone: fc.constantFrom('0900000001', '0900-000-001', '+886900000001', '900000001', '09', '****', ''),
  address: fc.constantFrom('臺北市信義區測試路1號', '台北市信義區測試路1號', '測試路', '***', ''),
  notes: text,
})

interface Given {
  lines: Line[]
  header: string[]
  order: (keyof Line)[]
}
const given: fc.Arbitrary<Given> = fc
  .tuple(
    fc.array(line, { minLength: 1, maxLength: 8 }),
    fc.shuffledSubarray([...FIELDS], { minLength: FIELDS.length }),
    fc.array(fc.nat(20), { minLength: FIELDS.length, maxLength: FIELDS.length }),
  )
  .map(([lines, order, picks]) => ({
    lines,
    order,
    header: order.map((field, index) => HEADERS[field][(picks[index] ?? 0) % HEADERS[field].length] ?? field),
  }))

const tableOf = ({ lines, header, order }: Given): string[][] => [
  header,
  ...lines.map((each) => order.map((field) => each[field])),
]

const csvText = (table: string[][], delimiter = ',') =>
  table
    .map((row) => row.map((cell) => (/[",;\t\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter))
    .join('\r\n')
function sheetOf(table: string[][], bookType: 'xlsx' | 'biff8'): Buffer {
  const book = XLSX.utils.book_new()
  XLSX.utils.book_append_sheet(
    book,
    XLSX.utils.aoa_to_sheet(table.map((row) => row.map((cell) => (cell === '' ? null : cell)))),
    '訂單',
  )
  return Buffer.from(XLSX.write(book, { type: 'buffer', bookType }) as Uint8Array)
}
const ENCODE: Record<string, (table: string[][]) => Buffer> = {
  'utf-8': (table) => Buffer.from(csvText(table)),
  'utf-8 with its mark, tabs': (table) => Buffer.from(`\uFEFF${csvText(table, '\t')}`),
  big5: (table) => iconv.encode(csvText(table, ','), 'big5'),
  'utf-16 little-endian': (table) => iconv.encode(`\uFEFF${csvText(table, '\t')}`, 'utf16le'),
  'utf-16 big-endian': (table) => iconv.encode(`\uFEFF${csvText(table)}`, 'utf16-be'),
  xlsx: (table) => sheetOf(table, 'xlsx'),
  xls: (table) => sheetOf(table, 'biff8'),
}

/** @returns null when the file was refused in plain words. @throws what is no refusal. */
async function readOrRefuse(bytes: Buffer, profile?: string): Promise<FileOrders | null> {
  try {
    return await readOrders(bytesSource(bytes), { profile })
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Invalid') throw error
    expect(error.remedy ?? '').not.toBe('')
    return null
  }
}

let taken = 0

/** What comes out of the file was put in, whole; what was put in comes out or is told. */
function judge(file: FileOrders, lines: readonly Line[]): void {
  const numbers = new Map<string, { lines: Line[]; rows: number[] }>()
  lines.forEach((each, index) => {
    const number = normaliseText(each.number)
    if (number === '') return
    const group = numbers.get(number) ?? { lines: [], rows: [] }
    // A row that repeats another word for word counts once.
    const isRepeat = group.lines.some((other) => FIELDS.every((field) => normalise(other[field]) === normalise(each[field])))
    if (!isRepeat) group.lines.push(each)
    group.rows.push(index + 2)
    numbers.set(number, group)
  })
  const told = new Set(file.errors.map((error) => error.row))
  taken += file.orders.length
  for (const { order } of file.orders) {
    const group = numbers.get(order.externalId)
    expect(group, `order ${order.externalId} came from nowhere`).toBeDefined()
    expect(order.lines.map((each) => [each.sku, each.quantity])).toEqual(
      group?.lines.map((each) => [normalise(each.sku), asQuantity(each.quantity)]),
    )
    expect(order.recipient.phone ?? '+886900000001').toBe('+886900000001')
  }
  const out = new Set(file.orders.map(({ order }) => order.externalId))
  for (const [number, { rows }] of numbers) {
    const isTold = rows.some((row) => told.has(row))
    expect(out.has(number) !== isTold, `order ${number} is neither taken nor told, or both`).toBe(true)
  }
}
const normalise = (value: string) => normaliseText(value)
/** Only what a person would read as a whole number. */
const asQuantity = (value: string) => Number(normaliseText(value).replace(/[^\d.-]/g, ''))

describe('headers and cells in every encoding', () => {
  it.each(Object.keys(ENCODE))('%s: an order that comes out is the one put in, or its row is named', async (name) => {
    await fc.assert(
      fc.asyncProperty(given, async (each) => {
        const file = await readOrRefuse((ENCODE[name] as (table: string[][]) => Buffer)(tableOf(each)), 'generic')
        expect(file, 'a whole file was refused').not.toBeNull()
        if (file) judge(file, each.lines)
      }),
      runs(120),
    )
    // The cells are bad often enough to matter, and good often enough for orders to come out.
    expect(taken).toBeGreaterThan(20)
    taken = 0
  })

  it('the annotated copy of any of them says the same again', async () => {
    await fc.assert(
      fc.asyncProperty(given, async (each) => {
        const bytes = sheetOf(tableOf(each), 'xlsx')
        const file = await readOrders(bytesSource(bytes), { profile: 'generic' })
        const copy = await readOrders(bytesSource(await annotate(bytesSource(bytes), file)), { profile: 'generic' })
        expect(copy.orders.map(({ order }) => order)).toEqual(file.orders.map(({ order }) => order))
        expect(copy.errors).toEqual(file.errors)
      }),
      runs(30),
    )
  })
})

describe('damaged files', () => {
  /** Where something is changed, as a share of the file, and to what. */
  const damage = fc.record({
    cutAt: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    flips: fc.array(fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), to: fc.integer({ min: 0, max: 255 }) }), {
      maxLength: 6,
    }),
  })
  const apply = (bytes: Buffer, { cutAt, flips }: { cutAt: number | null; flips: { at: number; to: number }[] }) => {
    const out = Buffer.from(cutAt === null ? bytes : bytes.subarray(0, Math.floor(bytes.length * cutAt)))
    for (const { at, to } of flips) if (out.length > 0) out[Math.floor(at * (out.length - 1))] = to
    return out
  }

  it.each(PROFILES.map(({ name }) => name))(
    '%s, cut off or with bytes changed: refused in plain words or read, never a crash',
    async (name) => {
      const whole = layoutFiles[name]?.(layoutOrders(4)).bytes ?? Buffer.alloc(0)
      await fc.assert(
        fc.asyncProperty(damage, async (how) => {
          await readOrRefuse(apply(whole, how), name)
        }),
        runs(60),
      )
    },
  )

  it('a workbook that is cut off anywhere gives no order', async () => {
    for (const name of ['shopline', 'momo']) {
      const whole = layoutFiles[name]?.(layoutOrders(6)).bytes ?? Buffer.alloc(0)
      await fc.assert(
        fc.asyncProperty(fc.double({ min: 0, max: 0.9, noNaN: true }), async (share) => {
          expect(await readOrRefuse(whole.subarray(0, Math.floor(whole.length * share)), name)).toBeNull()
        }),
        runs(40),
      )
    }
  })

  it('bytes of no kind are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        expect(await readOrRefuse(Buffer.from(bytes))).toBeNull()
      }),
      runs(150),
    )
  })
})
