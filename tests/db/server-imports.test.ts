import { deflateRawSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { saveWorkbook } from '../../store/imports.ts'
import { startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
beforeAll(async () => {
  at = await startFixture()
})
afterAll(async () => {
  await at.stop()
})

const HEADER = '訂單編號,商品原廠編號,品名,數量,收件人姓名,收件人行動電話,收件人地址'
const row = (number: string, quantity = '1', phone = '0912345678') =>
  `${number},TEE-S,純棉上衣,${quantity},王小明,${phone},110台北市信義區市府路45號3樓`
const csv = (...rows: string[]) => Buffer.from([HEADER, ...rows].join('\r\n'))

const upload = (bytes: Buffer, over: { connection?: string | null; fileName?: string; more?: Record<string, string> } = {}) => {
  const form = new FormData()
  if (over.connection !== null) form.set('connection', over.connection ?? 'momo')
  for (const [name, value] of Object.entries(over.more ?? {})) form.set(name, value)
  form.set('file', new Blob([new Uint8Array(bytes)]), over.fileName ?? '訂單.csv')
  return at.call('/api/v1/imports', { method: 'POST', body: form })
}
interface Imported {
  id: string
  state: string
  result: {
    new: number
    known: number
    errors: { row: number; column: string; value: string; message: string }[]
    heldOrders: string[]
  }
}
const done = async (id: string) =>
  await vi.waitFor(
    async () => {
      const found = (await at.call(`/api/v1/imports/${id}`)).body as Imported
      expect(found.state).toBe('done')
      return found
    },
    { timeout: 20_000 },
  )

describe('POST /api/v1/imports', () => {
  it('takes the good orders of a file in and names row, column and value of the wrong ones', async () => {
    const { status, headers, body } = await upload(csv(row('M-1'), row('M-2', '0'), row('M-3')))
    expect(status).toBe(202)
    const { id } = body as Imported
    expect(headers.get('location')).toBe(`/api/v1/imports/${id}`)
    const { result } = await done(id)
    expect(result).toMatchObject({ new: 2, known: 0, heldOrders: ['M-2'] })
    expect(result.errors).toMatchObject([{ row: 3, column: '數量', value: '0' }])
    expect(await at.call('/api/v1/orders/M-1')).toMatchObject({
      status: 200,
      body: { channel: 'momo', recipient: { name: '王小明' } },
    })
    expect(await at.call('/api/v1/orders/M-2')).toMatchObject({ status: 404 })
  })

  it('changes nothing when the same file comes again', async () => {
    const file = csv(row('N-1'), row('N-2'))
    await done(((await upload(file)).body as Imported).id)
    const again = await done(((await upload(file)).body as Imported).id)
    expect(again.result).toMatchObject({ new: 0, known: 2 })
  })

  it('refuses what is no order file, by its bytes and not by its name', async () => {
    for (const bytes of [
      Buffer.from('%PDF-1.7 …'),
      Buffer.from('<html></html>'),
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0]),
    ]) {
      expect(await upload(bytes, { fileName: 'orders.xlsx' })).toMatchObject({
        status: 415,
        body: { errors: [{ path: 'file' }] },
      })
    }
    expect(await upload(Buffer.alloc(0))).toMatchObject({ status: 400 })
  })

  it('refuses a damaged workbook and a file with other columns with what to do', async () => {
    const cut = await upload(Buffer.concat([Buffer.from([0x50, 0x4b, 3, 4]), Buffer.alloc(200, 7)]), { fileName: 'orders.xlsx' })
    expect(cut).toMatchObject({ status: 422, body: { title: 'File cannot be read' } })
    expect((cut.body as { errors: { remedy: string }[] }).errors[0]?.remedy).not.toBe('')
    expect(await upload(Buffer.from('a,b\n1,2\n'))).toMatchObject({ status: 422 })
  })

  it('refuses a bomb without growing to its size', async () => {
    const { status, body } = await upload(zipBomb(), { fileName: 'orders.xlsx' })
    expect([413, 422]).toContain(status)
    expect(body).toMatchObject({ title: 'File cannot be read' })
  })

  it('refuses a form that lacks or adds something, and what is no form', async () => {
    expect(await upload(csv(row('F-1')), { connection: null })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'connection' }] },
    })
    expect(await upload(csv(row('F-1')), { more: { colour: 'red' } })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'colour' }] },
    })
    const noFile = new FormData()
    noFile.set('connection', 'momo')
    expect(await at.call('/api/v1/imports', { method: 'POST', body: noFile })).toMatchObject({
      status: 400,
      body: { errors: [{ path: 'file' }] },
    })
    expect(await at.post('/api/v1/imports', { connection: 'momo' })).toMatchObject({ status: 415 })
    expect(await upload(csv(row('F-1')), { connection: 'nobody' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('nobody') },
    })
    expect(await upload(csv(row('F-1')), { connection: 'ecpay' })).toMatchObject({ status: 409 })
    expect(await at.call('/api/v1/orders/F-1')).toMatchObject({ status: 404 })
  })

  it('refuses a file above 50 MB', async () => {
    expect(await upload(Buffer.alloc(50 * 1024 * 1024 + 1, 'a'))).toMatchObject({ status: 413, body: { title: 'Too large' } })
  })
})

describe('GET /api/v1/imports/{id}', () => {
  it('knows no import that was never made', async () => {
    expect(await at.call('/api/v1/imports/i-none')).toMatchObject({ status: 404 })
    expect(await at.call('/api/v1/imports/i-none/workbook')).toMatchObject({ status: 404 })
  })

  it('hands the workbook out once it has tracking numbers, under its own name', async () => {
    const { id } = (await upload(csv(row('B-1')))).body as Imported
    await done(id)
    expect(await at.call(`/api/v1/imports/${id}/workbook`)).toMatchObject({ status: 404, body: { title: 'Not ready' } })
    await saveWorkbook(at.db.pool, id, Buffer.from([0xd0, 0xcf, 0, 255]), 1)
    const response = await fetch(`${at.server.url}/api/v1/imports/${id}/workbook`)
    expect(response.headers.get('content-disposition')).toContain(`filename*=UTF-8''${encodeURIComponent('訂單.csv')}`)
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0xd0, 0xcf, 0, 255])
  })
})

/** A zip whose one sheet grows to 300 MB. */
function zipBomb(): Buffer {
  const parts: [string, Buffer, number][] = [
    ['[Content_Types].xml', Buffer.from('<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'), 0],
    [
      'xl/workbook.xml',
      Buffer.from(
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>',
      ),
      0,
    ],
    [
      'xl/_rels/workbook.xml.rels',
      Buffer.from(
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
      ),
      0,
    ],
    ['xl/worksheets/sheet1.xml', Buffer.alloc(300 * 1024 * 1024, ' '), 0],
  ]
  const [locals, central]: [Buffer[], Buffer[]] = [[], []]
  let offset = 0
  for (const [name, content] of parts) {
    const data = deflateRawSync(content, { level: 9 })
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(20, 4)
    local.writeUInt16LE(8, 8)
    local.writeUInt32LE(data.length, 18)
    local.writeUInt32LE(content.length, 22)
    local.writeUInt16LE(name.length, 26)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(20, 4)
    entry.writeUInt16LE(20, 6)
    entry.writeUInt16LE(8, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(content.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    locals.push(local, Buffer.from(name), data)
    central.push(entry, Buffer.from(name))
    offset += 30 + name.length + data.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}
