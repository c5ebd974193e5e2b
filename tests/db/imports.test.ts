/** Files that come in parts, are stopped, teach a layout, or wait for the name of an article. */
import { connect } from 'node:net'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import ExcelJS from 'exceljs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { check } from '../../activities/order/check.ts'
import { resumeImports, runImport, startImport } from '../../activities/imports.ts'
import { beat, getImport, requestCancel } from '../../store/imports.ts'
import { applyConnections } from '../../store/configuration.ts'
import { connectors } from '../../connectors/registry.ts'
import { layoutOrders, payeasyFile, pchomeFile } from '../../samples/layouts.ts'
import { root } from '../harness/paths.ts'
import { startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
  const connection = { name: 'files', connector: 'file', config: { channel: 'shop', shop: 'one' } }
  await applyConnections(at.db.pool, at.runtime.secretKey, { connections: [connection] }, connectors)
})
afterAll(async () => {
  await at.stop()
})

const HEADER = '訂單編號,商品原廠編號,品名,數量,收件人姓名,收件人行動電話,收件人地址'
const row = (number: string, sku = 'TEE-S', quantity = '1', phone = '0912345678') =>
  `${number},${sku},純棉上衣,${quantity},王小明,${phone},110台北市信義區市府路45號3樓`
const csv = (...rows: string[]) => Buffer.from([HEADER, ...rows].join('\r\n'))

interface Imported {
  id: string
  state: string
  profile: string
  confidence: number | null
  progress: { rowsRead: number; rowsTotal: number; ordersStored: number }
  result: {
    new: number
    known: number
    changed: number
    gone: number
    heldOrders: string[]
    errors: { row: number; code: string; message: string }[]
  }
}
async function send(bytes: Buffer, over: { connection?: string; fileName?: string; profile?: string } = {}) {
  const form = new FormData()
  form.set('connection', over.connection ?? 'momo')
  if (over.profile !== undefined) form.set('profile', over.profile)
  form.set('file', new Blob([new Uint8Array(bytes)]), over.fileName ?? '訂單.csv')
  return await at.call('/api/v1/imports', { method: 'POST', body: form })
}
async function taken(bytes: Buffer, over: Parameters<typeof send>[1] = {}): Promise<Imported> {
  const { status, text, body } = await send(bytes, over)
  expect(status, text).toBe(202)
  return await vi.waitFor(
    async () => {
      const found = (await at.call(`/api/v1/imports/${(body as Imported).id}`)).body as Imported
      expect(found.state).toBe('done')
      return found
    },
    { timeout: 20_000 },
  )
}
const linesOf = async (number: string) =>
  ((await at.call(`/api/v1/orders/${number}`)).body as { lines: { sku: string; quantity: number }[] }).lines.map(
    ({ sku, quantity }) => `${quantity} ${sku}`,
  )
const openTask = async (subject: string) =>
  (await at.db.pool.query<{ kind: string }>(`select kind from tasks where subject = $1 and state = 'open'`, [subject])).rows.map(
    ({ kind }) => kind,
  )

describe('mended rows alone', () => {
  it('make an order whole with the good rows that were kept of it', async () => {
    const first = await taken(csv(row('R-1', 'TEE-S'), row('R-1', 'CAP', '兩件'), row('R-2')))
    expect(first.result).toMatchObject({ new: 1, heldOrders: ['R-1'] })
    const mended = await taken(csv(row('R-1', 'CAP', '2')))
    expect(mended.result).toMatchObject({ new: 1, heldOrders: [], errors: [] })
    expect(await linesOf('R-1')).toEqual(['1 TEE-S', '2 CAP'])
    expect(await openTask('R-1')).toEqual([])
    // The whole mended file says the same.
    expect((await taken(csv(row('R-1', 'TEE-S'), row('R-1', 'CAP', '2'), row('R-2')))).result).toMatchObject({
      new: 0,
      changed: 0,
      known: 2,
    })
  })

  it('one of two wrong rows is not enough, and what is still wrong is told', async () => {
    await taken(csv(row('R-3', 'TEE-S'), row('R-3', 'CAP', '零'), row('R-3', 'TEE-S', '3', '09')))
    const half = await taken(csv(row('R-3', 'CAP', '2')))
    expect(half.result).toMatchObject({ new: 0, heldOrders: ['R-3'], errors: [{ code: 'badPhone' }] })
    expect(await openTask('R-3')).toEqual(['import.wrongRow'])
    expect((await taken(csv(row('R-3', 'TEE-S', '3')))).result).toMatchObject({ new: 1, errors: [] })
    expect(await linesOf('R-3')).toEqual(['1 TEE-S', '2 CAP', '3 TEE-S'])
  })

  it('a row that changed in other cells too is not guessed to be the mended one', async () => {
    await taken(csv(row('R-4', 'TEE-S'), row('R-4', 'CAP', '零')))
    const unclear = await taken(csv(row('R-4', 'TEE-S', '2')))
    expect(unclear.result).toMatchObject({ new: 0, heldOrders: ['R-4'], errors: [{ code: 'incomplete' }] })
    // All of its rows, as the channel has them now, are believed.
    expect((await taken(csv(row('R-4', 'TEE-S', '2'), row('R-4', 'CAP', '4')))).result).toMatchObject({ new: 1 })
    expect(await linesOf('R-4')).toEqual(['2 TEE-S', '4 CAP'])
  })

  it('what a person has skipped is waited for no longer: a later file stands for itself', async () => {
    await taken(csv(row('R-5', 'TEE-S'), row('R-5', 'CAP', '零')))
    const task = await at.db.pool.query<{ id: number }>(`select id from tasks where subject = 'R-5' and state = 'open'`)
    expect(await at.post(`/api/v1/tasks/${task.rows[0]?.id}/skip`, {})).toMatchObject({ status: 200 })
    expect((await taken(csv(row('R-5', 'CAP', '2')))).result).toMatchObject({ new: 1 })
    expect(await linesOf('R-5')).toEqual(['2 CAP'])
  })

  it('a part of the annotated copy is known for one: rows that were taken in are duplicates, orders that are not whole wait', async () => {
    const { id } = await taken(csv(row('W-1', 'TEE-S'), row('W-1', 'CAP'), row('W-2', 'TEE-S'), row('W-2', 'CAP', '零')), {
      fileName: '出貨.csv',
    })
    const response = await fetch(`${at.server.url}/api/v1/imports/${id}/annotated`)
    expect(response.headers.get('content-disposition')).toContain(encodeURIComponent('出貨-annotated.xlsx'))
    const book = new ExcelJS.Workbook()
    await book.xlsx.load(await response.arrayBuffer())
    const sheet = book.worksheets[0]!
    expect(sheet.getRow(1).values).toEqual(expect.arrayContaining(['錯誤說明']))
    expect(sheet.getRow(5).getCell(4).fill).toMatchObject({ pattern: 'solid' })
    expect(sheet.getRow(5).getCell(8).value).toContain('not a whole number')
    expect(sheet.getRow(2).getCell(8).value).toBe('訂單共 2 列')
    // Only the second row of W-1, which was good, and the mended one of W-2 are sent.
    sheet.getRow(5).getCell(4).value = 5
    sheet.spliceRows(4, 1)
    sheet.spliceRows(2, 1)
    const part = await taken(Buffer.from(await book.xlsx.writeBuffer()), { fileName: 'part.xlsx' })
    expect(part.result).toMatchObject({ new: 1, changed: 0, known: 1, heldOrders: [], errors: [] })
    expect(await linesOf('W-1')).toEqual(['1 TEE-S', '1 CAP'])
    expect(await linesOf('W-2')).toEqual(['1 TEE-S', '5 CAP'])
    // Of an order that nobody knows, a part is no order.
    sheet.getRow(2).getCell(1).value = 'W-9'
    sheet.spliceRows(3, 1)
    const unknown = await taken(Buffer.from(await book.xlsx.writeBuffer()), { fileName: 'part2.xlsx' })
    expect(unknown.result).toMatchObject({ new: 0, heldOrders: ['W-9'], errors: [{ code: 'incomplete' }] })
  })
})

describe('a profile that is guessed', () => {
  it('is said with its confidence, and known the next time', async () => {
    const orders = layoutOrders(2)
    const first = await taken(payeasyFile(orders), { connection: 'files', fileName: 'p.xls' })
    expect(first).toMatchObject({ profile: 'payeasy', confidence: expect.closeTo(0.99) as number, result: { new: 2 } })
    expect(first.progress).toEqual({ rowsRead: 3, rowsTotal: 3, ordersStored: 2 })
    expect(await taken(payeasyFile(layoutOrders(3)), { connection: 'files', fileName: 'q.xls' })).toMatchObject({ confidence: 1 })
    const named = await taken(pchomeFile(layoutOrders(4).slice(3)), { connection: 'files', fileName: 'c.xls', profile: 'pchome' })
    expect(named).toMatchObject({ profile: 'pchome', confidence: null, result: { new: 1 } })
  })

  it('a layout is taught once, by its YAML, and the next upload just works', async () => {
    const bytes = await readFile(join(root, 'samples/files/new-shop.csv'))
    const unknown = await send(bytes, { connection: 'files' })
    expect(unknown).toMatchObject({ status: 422, text: expect.stringContaining('profile new') as string })
    const yaml = await readFile(join(root, 'samples/files/new-shop.yaml'), 'utf8')
    expect(await at.post('/api/v1/profiles', { yaml })).toMatchObject({
      status: 200,
      body: { name: 'new-shop', version: 1, isNew: true },
    })
    expect(await taken(bytes, { connection: 'files' })).toMatchObject({ profile: 'new-shop', confidence: 1, result: { new: 2 } })
    expect(await at.post('/api/v1/profiles', { yaml })).toMatchObject({ body: { version: 1, isNew: false } })
    expect(await at.post('/api/v1/profiles', { yaml: yaml.replace('payment: prepaid', 'payment: cod') })).toMatchObject({
      body: { version: 2 },
    })
    expect(await at.post('/api/v1/profiles', { yaml: 'name: X' })).toMatchObject({
      status: 400,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path: 'name (line 1)', value: '"X"' })]) as unknown },
    })
    const { body } = await at.call('/api/v1/profiles')
    expect((body as { profiles: { name: string }[] }).profiles).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'momo', version: null }),
        expect.objectContaining({ name: 'new-shop', version: 2 }),
      ]),
    )
  })

  it('a profile that does not exist is refused before anything is kept', async () => {
    const { status } = await send(csv(row('X-1')), { profile: 'nobody' })
    expect(status).toBe(422)
  })
})

describe('an import that is stopped', () => {
  const many = (prefix: string, count: number) => csv(...Array.from({ length: count }, (_, n) => row(`${prefix}-${n}`)))

  it('the wish to stop, heard in the middle of a batch, left that batch to run on uncounted', async () => {
    const id = await startImport(at.runtime, { bytes: many('M', 60), fileName: 'middle.csv', connection: 'momo' })
    const stored = async () => (await at.db.pool.query(`select 1 from inbox where external_id like 'M-%'`)).rowCount
    let open = () => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    // The batch has begun and cannot end: its orders wait to be mapped.
    const slow: typeof at.runtime = {
      ...at.runtime,
      connection: async (...asked) => {
        if ((await stored()) === 60) await gate
        return await at.runtime.connection(...asked)
      },
    }
    const counted = runImport(slow, id).then((result) => result.new)
    try {
      await vi.waitFor(async () => expect(await stored()).toBe(60), { timeout: 60_000 })
      await requestCancel(at.db.pool, id)
      const asked = (await at.db.pool.query<{ at: Date }>('select clock_timestamp() as at')).rows[0]!.at
      const heard = `select 1 from imports where id = $1 and heartbeat_at > $2`
      await vi.waitFor(async () => expect((await at.db.pool.query(heard, [id, asked])).rowCount).toBe(1), { timeout: 60_000 })
    } finally {
      open()
    }
    expect(await counted).toBe(60)
    expect((await at.db.pool.query(`select 1 from orders where external_id like 'M-%'`)).rowCount).toBe(60)
    expect(await getImport(at.db.pool, id)).toMatchObject({ state: 'cancelled', result: { new: 60 } })
  }, 150_000)

  it('takes no order half in: what was taken stays and is told, the same file takes in the rest', async () => {
    const id = await startImport(at.runtime, { bytes: many('C', 450), fileName: 'many.csv', connection: 'momo' })
    const result = await runImport(at.runtime, id, {
      progress: ({ ordersStored }) => {
        if (ordersStored >= 200) void requestCancel(at.db.pool, id)
      },
    })
    const found = await getImport(at.db.pool, id)
    expect(found).toMatchObject({ state: 'cancelled', progress: { rowsTotal: 450 } })
    const stored = (await at.db.pool.query<{ n: number }>(`select count(*)::int as n from orders where external_id like 'C-%'`))
      .rows[0]!.n
    expect([200, 400]).toContain(stored)
    expect(result.new).toBe(stored)
    expect((await at.db.pool.query(`select 1 from inbox where external_id like 'C-%' and state <> 'mapped'`)).rowCount).toBe(0)
    expect(await at.post(`/api/v1/imports/${id}/cancel`, undefined)).toMatchObject({ status: 409 })
    expect((await taken(many('C', 450), { fileName: 'many.csv' })).result).toMatchObject({ new: 450 - stored, known: stored })
  })

  it('before the first order, nothing of it is taken; nobody resumes it', async () => {
    const id = await startImport(at.runtime, { bytes: many('D', 3), fileName: 'few.csv', connection: 'momo' })
    expect(await at.post(`/api/v1/imports/${id}/cancel`, undefined)).toMatchObject({ status: 202, body: { state: 'received' } })
    await at.db.pool.query(`update imports set created_at = now() - interval '3 minutes' where id = $1`, [id])
    await resumeImports(at.runtime)
    expect(await getImport(at.db.pool, id)).toMatchObject({ state: 'cancelled', result: { new: 0 } })
    expect(await at.call('/api/v1/orders/D-1')).toMatchObject({ status: 404 })
    expect(await at.post('/api/v1/imports/i-none/cancel', undefined)).toMatchObject({ status: 404 })
  })

  it('whose process was killed goes on, but not while somebody is at it', async () => {
    const id = await startImport(at.runtime, { bytes: many('E', 3), fileName: 'killed.csv', connection: 'momo' })
    await at.db.pool.query(`update imports set state = 'running', created_at = now() - interval '1 hour' where id = $1`, [id])
    await beat(at.db.pool, id)
    await resumeImports(at.runtime)
    expect(await getImport(at.db.pool, id)).toMatchObject({ state: 'running' })
    await at.db.pool.query(`update imports set heartbeat_at = now() - interval '3 minutes' where id = $1`, [id])
    await resumeImports(at.runtime)
    expect(await getImport(at.db.pool, id)).toMatchObject({ state: 'done', result: { new: 3 } })
  })

  it('an upload that breaks off leaves nothing', async () => {
    const counts = async () =>
      (
        await at.db.pool.query<Record<string, string>>(
          'select (select count(*) from uploads) as uploads, (select count(*) from imports) as imports, (select count(*) from inbox) as inbox',
        )
      ).rows[0]
    const before = await counts()
    const { hostname, port } = new URL(at.server.url)
    const head =
      '--b\r\ncontent-disposition: form-data; name="connection"\r\n\r\nmomo\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    await new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `POST /api/v1/imports HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: 100000\r\n\r\n${head}${csv(row('H-1')).toString()}`,
          () => socket.destroy(),
        )
      })
      socket.on('close', () => resolve()).on('error', reject)
    })
    // The server is done with it when it answers the next one.
    expect(await at.call('/healthz')).toMatchObject({ status: 200 })
    expect(await taken(csv(row('H-2')))).toMatchObject({ result: { new: 1 } })
    expect(await at.call('/api/v1/orders/H-1')).toMatchObject({ status: 404 })
    const after = await counts()
    expect([Number(after?.uploads), Number(after?.imports)]).toEqual([Number(before?.uploads) + 1, Number(before?.imports) + 1])
  })
})

describe('an article that nobody knows', () => {
  const blocked = async (number: string) => {
    const found = await at.db.pool.query<{ id: string }>('select id from orders where external_id = $1', [number])
    const orderId = found.rows[0]!.id
    // The engine is a stand-in here: what the saga's check would do is done by hand.
    await check(at.runtime, orderId)
    return orderId
  }

  it('gets its SKU by the task, once for ever: every order that waits for it goes on', async () => {
    await taken(csv(row('S-1', 'M-900'), row('S-2', 'M-900'), row('S-3', 'M-901')))
    const [first, second, other] = [await blocked('S-1'), await blocked('S-2'), await blocked('S-3')]
    const { body } = await at.call(`/api/v1/tasks`)
    const task = (body as { tasks: { id: number; subject: string; actions: string[]; kind: string }[] }).tasks.find(
      (each) => each.subject === 'S-1' && each.kind === 'order.check',
    )!
    expect(task.actions).toEqual(['chooseSku', 'change', 'retry', 'cancel'])
    expect(await at.post(`/api/v1/tasks/${task.id}/chooseSku`, { sku: 'NOTHING' })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'body.sku', value: 'NOTHING' }] },
    })
    expect(await at.post(`/api/v1/tasks/${task.id}/chooseSku`, { sku: 'CAP' })).toMatchObject({
      status: 200,
      body: { answer: expect.stringContaining('2 waiting orders go on') as string },
    })
    expect(
      (await at.db.pool.query<{ id: string }>(`select order_id as id from commands where verb = 'retry' order by order_id`)).rows
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual([first, second].toSorted())
    expect((await at.call('/api/v1/aliases?channel=momo')).body).toEqual({
      aliases: [{ channel: 'momo', externalSku: 'M-900', sku: 'CAP' }],
    })
    for (const id of [first, second]) expect(await check(at.runtime, id)).toMatchObject({ orderId: id, facts: ['checked'] })
    expect(
      (await at.db.pool.query<{ phase: string }>(`select distinct phase from orders where id = any($1)`, [[first, second]])).rows,
    ).not.toContainEqual({ phase: 'blocked' })
    expect((await at.db.pool.query<{ phase: string }>('select phase from orders where id = $1', [other])).rows).toEqual([
      { phase: 'blocked' },
    ])
  })

  it('and by the alias itself', async () => {
    expect(await at.post('/api/v1/aliases', { channel: 'momo', externalSku: 'M-901', sku: 'TEE-S' })).toMatchObject({
      status: 200,
      body: { changed: true, orders: [expect.any(String)] },
    })
    expect(await at.post('/api/v1/aliases', { channel: 'momo', externalSku: 'M-901', sku: 'TEE-S' })).toMatchObject({
      body: { changed: false },
    })
    expect(await at.post('/api/v1/aliases', { channel: 'momo', externalSku: 'M-901', sku: 'NONE' })).toMatchObject({
      status: 400,
    })
  })
})
