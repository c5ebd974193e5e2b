import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as XLSX from '@e965/xlsx'
import iconv from 'iconv-lite'
import { readXls } from 'xls-reader'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startImport } from '../../activities/imports.ts'
import { root } from '../../cli/environment.ts'
import { momoWorkbook, samplePerson, shopeeWorkbook, WRONG_KINDS, type SampleOrder } from '../../samples/generate.ts'
import { xlsxOf } from '../../samples/zip.ts'
import { isThere, openTasks, show, untilBooked } from './marketplaceViews.ts'
import { startWorld, type World } from './world.ts'

interface Imported {
  id: string
  state: string
  error: string | null
  result: {
    rows: number
    new: number
    known: number
    changed: number
    filled: number
    failed: number
    heldOrders: string[]
    errors: { row: number; column: string; value: string; code: string; message: string }[]
  } | null
}
interface Refused {
  title: string
  detail: string
}

let world: World
let folder: string
beforeAll(async () => {
  world = await startWorld({ stock: { 'TEE-S': 300, 'TEE-M': 300, CAP: 300 } })
  folder = await mkdtemp(join(tmpdir(), 'omnisaga-imports-'))
})
afterAll(async () => {
  await world?.stop()
  await rm(folder, { recursive: true, force: true })
})

const momoOrder = (externalId: string, n: number, change: Partial<SampleOrder> = {}): SampleOrder => ({
  externalId,
  lines: [{ sku: n % 2 === 0 ? 'TEE-S' : 'TEE-M', quantity: 1 + (n % 2) }],
  ...samplePerson(n),
  ...change,
})
const momoOrders = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => momoOrder(`${prefix}-${n + 1}`, n))

async function send(bytes: Buffer, fileName: string, more: Record<string, string> = {}) {
  const form = new FormData()
  for (const [name, value] of Object.entries({ connection: 'momo', ...more })) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(bytes)]), fileName)
  const answer = await fetch(`${world.url}/api/v1/imports`, { method: 'POST', body: form })
  return { status: answer.status, body: (await answer.json()) as Imported & Refused }
}
const untilDone = (id: string) =>
  world.until(`import ${id} is done`, async () => {
    const found = (await world.get(`/api/v1/imports/${id}`)).body as Imported
    return found.state === 'done' && found.result ? { ...found, result: found.result } : null
  })
async function taken(bytes: Buffer, fileName: string, more: Record<string, string> = {}) {
  const { status, body } = await send(bytes, fileName, more)
  expect(status, JSON.stringify(body)).toBe(202)
  return await untilDone(body.id)
}
/** Raw orders; what couriers and warehouses report of earlier ones comes in meanwhile. */
const inboxOrders = async () =>
  (await world.runtime.pool.query<{ n: number }>(`select count(*)::int as n from inbox where kind = 'order'`)).rows[0]?.n ?? 0
const rowsIn = async (table: 'orders' | 'commands' | 'tasks' | 'imports') =>
  (await world.runtime.pool.query<{ n: number }>(`select count(*)::int as n from ${table}`)).rows[0]?.n ?? 0
const lastChanges = async () =>
  (await world.runtime.pool.query<{ id: string; revision: number }>('select id, revision from orders order by id')).rows

/** The command as a person runs it, in a process of its own. */
function omnisaga(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: world.runtime.databaseUrl,
    TEMPORAL_ADDRESS: world.engine.address,
    OMNISAGA_SECRET_KEY: 'a passphrase for tests',
    OMNISAGA_DATA: folder,
  }
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'bin', 'omnisaga.mjs'), ...args], { env, cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

describe("momo's file by HTTP", () => {
  const orders = momoOrders('M', 9)
  const withWrongRows = momoWorkbook({ orders, wrongRows: WRONG_KINDS })
  const mended = momoWorkbook({ orders })
  let firstImport = ''
  let secondImport = ''

  it('takes the good orders in, and holds each order with a wrong row as a task that names row, column and remedy', async () => {
    const { id, result } = await taken(withWrongRows, '出貨.xls')
    firstImport = id
    expect(result).toMatchObject({ rows: 9, new: 4, known: 0, failed: 0, heldOrders: ['M-5', 'M-6', 'M-7', 'M-8', 'M-9'] })
    expect(
      result.errors.map(({ row, column, value, code }) => ({ row, column: column.replace(/\n.*/, ''), value, code })),
    ).toEqual([
      { row: 8, column: '商品原廠編號', value: '', code: 'missing' },
      { row: 9, column: '數量', value: '1.5', code: 'notWhole' },
      { row: 10, column: '收件人行動電話', value: '09001', code: 'badPhone' },
      { row: 11, column: '收件人地址', value: '', code: 'missing' },
      { row: 12, column: '收件人姓名', value: '', code: 'missing' },
    ])
    const tasks = await openTasks(world, { kind: 'import.wrongRow' })
    expect(tasks.map((task) => task.subject)).toEqual(result.heldOrders)
    expect(tasks[1]?.detail).toMatch(/^row 9, 數量: .+/)
    expect(tasks.every((task) => task.remedy.includes('import the file again'))).toBe(true)
    expect(await isThere(world, 'M-5')).toBe(false)
  })

  it('mended, it takes in just the mended orders and closes their tasks', async () => {
    const { id, result } = await taken(mended, '出貨.xls')
    secondImport = id
    expect(result).toMatchObject({ new: 5, known: 4, changed: 0, filled: 0, failed: 0, heldOrders: [], errors: [] })
    expect(await openTasks(world, { kind: 'import.wrongRow' })).toEqual([])
  })

  it('the same file again changes nothing, under another name, saved as .xlsx and sorted otherwise', async () => {
    for (const { externalId } of orders) await untilBooked(world, externalId)
    await world.until('all is told', async () => {
      const { rows } = await world.runtime.pool.query<{ n: number }>(
        `select count(*)::int as n from outbox where state <> 'done'`,
      )
      return rows[0]?.n === 0
    })
    const before = {
      orders: await lastChanges(),
      inbox: await inboxOrders(),
      commands: await rowsIn('commands'),
      tasks: await rowsIn('tasks'),
    }
    const book = XLSX.read(mended, { type: 'buffer' })
    const sheet = book.Sheets['出貨明細']
    if (!sheet) throw new Error('the sheet is missing')
    const cells = XLSX.utils.sheet_to_json<unknown[]>(sheet, { header: 1, raw: true, defval: null })
    const isOrder = (row: unknown[]) => String(row[1]).startsWith('M-')
    const sorted = [...cells.filter((row) => !isOrder(row)).slice(0, 3), ...cells.filter(isOrder).reverse()]
    const resaved = XLSX.utils.book_new()
    XLSX.utils.book_append_sheet(resaved, XLSX.utils.aoa_to_sheet(sorted), '工作表1')
    for (const [bytes, name] of [
      [mended, '出貨.xls'],
      [mended, '出貨 (1).xls'],
      [Buffer.from(XLSX.write(resaved, { type: 'buffer', bookType: 'xlsx' }) as Uint8Array), '另存.xlsx'],
    ] as const) {
      const { result } = await taken(bytes, name)
      expect(result, name).toMatchObject({ new: 0, known: 9, changed: 0, filled: 0, failed: 0, errors: [] })
    }
    expect({
      orders: await lastChanges(),
      inbox: await inboxOrders(),
      commands: await rowsIn('commands'),
      tasks: await rowsIn('tasks'),
    }).toEqual(before)
  })

  const workbookOf = async (id: string) => {
    const answer = await fetch(`${world.url}/api/v1/imports/${id}/workbook`)
    expect(answer.status).toBe(200)
    return Buffer.from(await answer.arrayBuffer())
  }
  /** Every cell of every sheet, as an independent reader sees it. */
  const cellsOf = (bytes: Buffer) => {
    const found = new Map<string, string>()
    for (const sheet of readXls(bytes).sheets)
      for (const [row, cells] of sheet.rows.entries())
        for (const [column, cell] of cells.entries()) {
          const value = (cell as { value?: unknown } | null)?.value ?? cell
          if (value !== null && value !== undefined && value !== '')
            found.set(`${sheet.name}!${row},${column}`, JSON.stringify(value))
        }
    return found
  }

  it("the tracking numbers come back in momo's own workbook; every other cell is as it was, and it can be sent again", async () => {
    const waybills = new Map<string, string>()
    for (const { externalId } of orders) waybills.set(externalId, (await show(world, externalId)).parcels[0]?.waybill ?? '')
    // The newest file has them all; the first, the orders that were right in it.
    for (const [id, source, count] of [
      [secondImport, mended, 9],
      [firstImport, withWrongRows, 4],
    ] as const) {
      const [was, is] = [cellsOf(source), cellsOf(await workbookOf(id))]
      const changed = [...is].filter(([place, value]) => was.get(place) !== value)
      expect([...was.keys()].filter((place) => !is.has(place))).toEqual([])
      const expected = orders.slice(0, count).flatMap(({ externalId }, n) => [
        [`出貨明細!${n + 3},2`, JSON.stringify('已配送')],
        [`出貨明細!${n + 3},5`, JSON.stringify('黑貓宅急便')],
        [`出貨明細!${n + 3},6`, JSON.stringify(waybills.get(externalId))],
      ])
      expect(changed).toEqual(expected)
    }
    expect(new Set(waybills.values()).size).toBe(9)
    const { result } = await taken(await workbookOf(secondImport), '回傳.xls')
    expect(result).toMatchObject({ new: 0, changed: 0, failed: 0, errors: [] })
  })

  it('rows that name no order are told in one task, which the mended file of that name closes', async () => {
    const csv = (number: string) =>
      Buffer.from(
        `訂單編號,商品原廠編號,數量,收件人姓名,收件人行動電話,收件人地址\r\nN-1,TEE-S,1,王測試,0900000001,臺北市信義區測試路1號\r\n${number},TEE-S,1,李測試,0900000002,臺北市信義區測試路2號\r\n`,
      )
    expect((await taken(csv(''), '缺號.csv')).result).toMatchObject({
      new: 1,
      heldOrders: [],
      errors: [{ row: 3, column: '訂單編號' }],
    })
    expect(await openTasks(world, { kind: 'import.noOrderNumber' })).toMatchObject([{ subject: '缺號.csv', connection: 'momo' }])
    expect((await taken(csv('N-2'), '缺號.csv')).result).toMatchObject({ new: 1, known: 1 })
    expect(await openTasks(world, { kind: 'import.noOrderNumber' })).toEqual([])
  })
})

describe('files of every kind', () => {
  it.each(['utf8', 'utf8 with its mark', 'cp950'] as const)('CSV in %s: the text comes through exactly', async (encoding) => {
    const number = `C-${encoding.replaceAll(' ', '-')}`
    const text = `訂單編號,商品原廠編號,品名,數量,收件人姓名,收件人行動電話,收件人地址\r\n${number},TEE-S,①號上衣「黃」,1,游錫鈞,0900000003,臺北市信義區測試路3號5樓之1\r\n`
    const bytes = encoding === 'cp950' ? iconv.encode(text, 'big5') : Buffer.from(encoding === 'utf8' ? text : `\ufeff${text}`)
    expect((await taken(bytes, `${number}.csv`)).result).toMatchObject({ new: 1, errors: [] })
    const order = await show(world, number)
    expect(order.recipient).toMatchObject({ name: '游錫鈞', address: { raw: '臺北市信義區測試路3號5樓之1' } })
    expect((order.lines as { name?: string }[])[0]?.name).toBe('①號上衣「黃」')
  })

  it("Shopee's encrypted workbook: read with its password, refused with a wrong one and without one", async () => {
    const bytes = shopeeWorkbook({ orders: [{ ...momoOrder('X-1', 1), shippingFee: 60 }], password: '123456' })
    const before = await rowsIn('orders')
    for (const more of [[], [['password', '654321']]] as [string, string][][]) {
      const { status, body } = await send(bytes, 'Order.xlsx', { connection: 'shopee', ...Object.fromEntries(more) })
      expect(status).toBe(422)
      expect(body.detail).toMatch(/password/i)
    }
    expect(await rowsIn('orders')).toBe(before)
    expect((await taken(bytes, 'Order.xlsx', { connection: 'shopee', password: '123456' })).result).toMatchObject({
      new: 1,
      errors: [],
    })
    expect(await show(world, 'X-1')).toMatchObject({ connection: 'shopee', totals: { shippingMinor: 6_000 } })
  })

  it.each([
    ['no workbook at all', () => Buffer.from('%PDF-1.7 ...'), 415],
    ['a workbook that breaks off', () => momoWorkbook({ orders: momoOrders('D', 40) }).subarray(0, 9_000), 422],
    ['a zip that is no workbook', () => Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), Buffer.alloc(500, 7)]), 422],
    ['a bomb', () => xlsxOf({ sheets: [{ name: 'a', xml: `<sheetData>${' '.repeat(64 * 1024 * 1024)}</sheetData>` }] }), 413],
    ['a file above the limit', () => Buffer.alloc(50 * 1024 * 1024 + 1, 'a'), 413],
    ['another channel’s columns', () => shopeeWorkbook({ orders: momoOrders('O', 1) }), 422],
  ] as const)('%s is refused clearly, and nothing of it is kept', async (_what, bytes, status) => {
    // Other tasks may still come of the orders that were imported before.
    const importTasks = async () => (await openTasks(world)).filter(({ kind }) => kind.startsWith('import.')).length
    const before = { orders: await rowsIn('orders'), inbox: await inboxOrders(), tasks: await importTasks() }
    const refused = await send(bytes(), 'any.xls')
    expect({ status: refused.status, detail: refused.body.detail }).toEqual({ status, detail: expect.stringMatching(/\S{3,}/) })
    expect({ orders: await rowsIn('orders'), inbox: await inboxOrders(), tasks: await importTasks() }).toEqual(before)
  })

  it('an import whose process was killed goes on from the kept file', async () => {
    const orders = momoOrders('K', 6)
    const bytes = momoWorkbook({ orders })
    const id = await startImport(world.runtime, { bytes, fileName: '中斷.xls', connection: 'momo' })
    // As a killed process leaves it: the file is kept, it says that it is being read, nobody reads it.
    await world.runtime.pool.query(
      `update imports set state = 'running', created_at = now() - interval '3 minutes' where id = $1`,
      [id],
    )
    expect((await untilDone(id)).result).toMatchObject({ rows: 6, new: 6, failed: 0 })
    for (const { externalId } of orders) expect(await isThere(world, externalId)).toBe(true)
  })
})

describe('the command line', () => {
  const orders = momoOrders('L', 4)
  const file = async (name: string, bytes: Buffer) => {
    const path = join(folder, name)
    await writeFile(path, bytes)
    return path
  }

  it('imports a file, and tells what is wrong by exit code and table', async () => {
    const path = await file('cli.xls', momoWorkbook({ orders, wrongRows: ['quantityNotWhole'] }))
    const { code, stdout, stderr } = await omnisaga('import', path, '--connection', 'momo')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(stdout).toMatch(/4 rows/)
    expect(stdout).toMatch(/3 new/)
    expect(stdout).toMatch(/7\s+數量\s+1\.5/)
    expect(await isThere(world, 'L-1')).toBe(true)
    const again = await omnisaga('import', await file('mended.xls', momoWorkbook({ orders })), '--connection', 'momo', '--json')
    expect(again.code, again.stderr).toBe(0)
    expect((JSON.parse(again.stdout) as Imported).result).toMatchObject({ new: 1, known: 3 })
    expect(await openTasks(world, { kind: 'import.wrongRow' })).toEqual([])
  })

  it('--dry-run --json prints the contract, judged against the database, and changes nothing', async () => {
    // What the warehouse has in its hands is not changed by a file any more.
    await untilBooked(world, 'L-2')
    const moved = { ...momoOrder('L-2', 1), address: '臺中市西屯區虛構街77號' }
    const unknownGoods = momoOrder('L-8', 2, { lines: [{ sku: 'NOT-OURS', quantity: 1 }] })
    const path = await file(
      'dry.xls',
      momoWorkbook({
        orders: [orders[0] ?? moved, moved, unknownGoods, momoOrder('L-9', 3), momoOrder('L-10', 4)],
        wrongRows: ['missingAddress'],
      }),
    )
    const before = { orders: await lastChanges(), imports: await rowsIn('imports'), inbox: await inboxOrders() }
    const { code, stdout, stderr } = await omnisaga('import', path, '--connection', 'momo', '--dry-run', '--json')
    expect(code, stderr).toBe(1)
    const result = JSON.parse(stdout) as Record<string, unknown> & {
      orders: Record<string, unknown>[]
      errors: Record<string, unknown>[]
    }
    expect(Object.keys(result)).toEqual(['profile', 'rows', 'orders', 'errors', 'duplicates', 'changed', 'blocked'])
    expect(result).toMatchObject({ profile: 'momo', rows: 5, duplicates: 1, changed: 0, blocked: 2 })
    expect(result.orders.map((order) => order.externalId)).toEqual(['L-1', 'L-2', 'L-8', 'L-9'])
    expect(result.errors.map((error) => Object.keys(error))).toEqual([['row', 'column', 'value', 'code', 'message']])
    expect(result.errors[0]).toMatchObject({ row: 8, column: '收件人地址', code: 'missing' })
    expect({ orders: await lastChanges(), imports: await rowsIn('imports'), inbox: await inboxOrders() }).toMatchObject({
      imports: before.imports,
      inbox: before.inbox,
    })
    // Without a running system the file alone is read.
    const alone = await omnisaga('import', path, '--profile', 'momo', '--dry-run', '--json')
    expect(JSON.parse(alone.stdout)).toMatchObject({ rows: 5, duplicates: 0, changed: 0, blocked: 0 })
  })

  it('--annotate marks the wrong cells in a copy that can be imported again', async () => {
    const path = await file('wrong.xls', momoWorkbook({ orders: momoOrders('A', 3), wrongRows: ['phoneTooShort'] }))
    const out = join(folder, 'annotated.xlsx')
    const { code } = await omnisaga('import', path, '--connection', 'momo', '--dry-run', '--annotate', out)
    expect(code).toBe(1)
    const sheet = XLSX.read(await readFile(out), { type: 'buffer' }).Sheets['出貨明細']
    if (!sheet) throw new Error('the sheet is missing')
    const cells = XLSX.utils.sheet_to_json<string[]>(sheet, { header: 1, raw: false, defval: '' })
    expect(cells[2]?.at(-1)).toBe('錯誤說明')
    expect(cells[5]?.at(-1)).toMatch(/收件人行動電話: /)
    expect(cells[3]?.at(-1)).toBe('')
    const again = await omnisaga('import', out, '--connection', 'momo', '--json')
    expect((JSON.parse(again.stdout) as Imported).result).toMatchObject({ new: 2, heldOrders: ['A-3'] })
  })
})

it('and nothing is held or told wrongly in the end', async () => {
  expect((await world.audit()).violations).toEqual([])
  expect(await openTasks(world, { kind: 'inbox.unmappable' })).toEqual([])
})
