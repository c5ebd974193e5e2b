/** What a store's tablet and its manager send, ugly input included: over HTTP and by command, on the same database. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { main } from '../../cli/program.ts'
import { transaction } from '../../store/db.ts'
import { levels, setOnHand } from '../../store/ledger/operations.ts'
import { inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let fixture: Fixture
let folder: string
beforeAll(async () => {
  fixture = await startFixture()
  folder = mkdtempSync(join(tmpdir(), 'omnisaga-store-'))
  const always = [{ from: '00:00', to: '24:00' }]
  const week = Object.fromEntries(['1', '2', '3', '4', '5', '6', '7'].map((day) => [day, always]))
  await fixture.db.pool.query(`insert into store_hours values ('taipei-store', $1)`, [{ week, slotMinutes: 30, staff: 1 }])
  await transaction(fixture.db.pool, (tx) =>
    setOnHand(tx, { key: 'count', sku: 'CAP', location: 'taipei', onHand: 9, reason: 'count' }),
  )
})
afterAll(async () => {
  await fixture.stop()
  rmSync(folder, { recursive: true, force: true })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

/** The command as it is typed, with the system's own database; what it prints, and how it ends. */
async function omnisaga(...argv: string[]): Promise<{ code: number; text: string }> {
  const text: string[] = []
  const keep = (chunk: unknown) => text.push(String(chunk)) > 0
  vi.spyOn(process.stdout, 'write').mockImplementation(keep)
  vi.spyOn(process.stderr, 'write').mockImplementation(keep)
  vi.stubEnv('DATABASE_URL', fixture.db.url)
  vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9')
  vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
  try {
    return { code: await main(argv), text: text.join('') }
  } finally {
    vi.restoreAllMocks()
  }
}
const file = (text: string | Buffer) => {
  const path = join(folder, 'receipts.csv')
  writeFileSync(path, text)
  return path
}

describe('what a tablet sends', () => {
  let orderId = ''
  beforeAll(async () => {
    orderId = ((await fixture.post('/api/v1/orders', inStoreOrder('T-1'))).body as { id: string }).id
  })
  const evidence = { kind: 'signature', reference: 's/1.png', person: '王小明', at: '2026-11-22T15:00:00+08:00' }

  it.each([
    ['no name', { person: undefined }, 'evidence.person'],
    ['a blank name', { person: '  ' }, 'evidence.person'],
    ['no time', { at: undefined }, 'evidence.at'],
    ['a time without a zone', { at: '2026-11-22T15:00:00' }, 'evidence.at'],
    ['a picture in place of a reference', { reference: 'x'.repeat(501) }, 'evidence.reference'],
    ['what nobody asked for', { colour: 'red' }, 'evidence'],
  ])('evidence with %s is refused and names the field', async (_, change, path) => {
    const answer = await fixture.post(`/api/v1/orders/${orderId}/confirm`, { evidence: { ...evidence, ...change } })
    expect([answer.status, answer.text.includes(path)], answer.text).toEqual([400, true])
    const { rowCount } = await fixture.db.pool.query('select from evidence where order_id = $1', [orderId])
    expect(rowCount).toBe(0)
  })

  it('evidence of a megabyte is refused before it is read', async () => {
    const answer = await fixture.post(`/api/v1/orders/${orderId}/confirm`, {
      evidence: { ...evidence, reference: 'x'.repeat(1_200_000) },
    })
    expect(answer.status).toBe(413)
  })

  it.each([
    ['/api/v1/stock/alternatives?sku=NOBODY&location=taipei', 422],
    ['/api/v1/stock/alternatives?sku=CAP&location=moon', 422],
    ['/api/v1/stock/alternatives?sku=CAP', 400],
    ['/api/v1/orders/nobody/preview', 404],
    ['/api/v1/orders/nobody/voucher.pdf', 404],
  ])('%s is answered with %d', async (path, status) => {
    expect((await fixture.call(path)).status).toBe(status)
  })

  it.each([
    ['a voucher that there is not', {}, 404],
    ['a place that is none', { location: 7 }, 400],
  ])('%s hands nothing over', async (_, body, status) => {
    expect((await fixture.post('/api/v1/vouchers/PNOTHING/collected', body)).status).toBe(status)
  })

  it.each([
    [{ receipts: [] }],
    [{ receipts: [{ sku: 'CAP', location: 'taipei', quantity: 1.5, expectedOn: '2099-01-01' }] }],
    [{ receipts: [{ sku: 'CAP', location: 'taipei', quantity: 1, expectedOn: '1.1.2099' }] }],
  ])('receipts %j are refused as a whole', async (body) => {
    expect((await fixture.post('/api/v1/receipts', body)).status).toBe(400)
  })
})

describe('receipts import', () => {
  it('takes the good rows in, tells the others by their place, and ends with 1', async () => {
    const path = file(
      '品號,倉庫,數量,預計到貨日,採購單號\nCAP,taipei,"1,000",2099/1/5,PO-7\nNOBODY,taipei,1,2099/1/5,\nCAP,moon,1,2099/1/5,\nCAP,taipei,x,2099/1/5,\nCAP,taipei,2,2020/1/5,\n',
    )
    const { code, text } = await omnisaga('receipts', 'import', path)
    expect(code).toBe(1)
    expect(text).toContain('Taken in: 1.')
    for (const told of ['NOBODY', 'moon', 'quantity', 'is over']) expect(text).toContain(told)
    const known = (await fixture.call('/api/v1/receipts?sku=CAP')).body as { receipts: unknown[] }
    expect(known.receipts).toMatchObject([{ quantity: 1000, expectedOn: '2099-01-05', reference: 'PO-7' }])
    const again = await omnisaga(
      'receipts',
      'import',
      file('sku,location,quantity,expected_on,po\nCAP,taipei,4,2099-01-05,PO-7\n'),
      '--json',
    )
    expect([again.code, JSON.parse(again.text)]).toEqual([0, { receipts: 1, wrong: [] }])
  })

  it.each([
    ['no file', () => join(folder, 'nowhere.csv'), /no such file/],
    ['a folder', () => folder, /not a file/],
    ['an empty file', () => file(''), /empty/],
    ['a picture', () => file(Buffer.from('89504e470d0a1a0a0000', 'hex')), /a picture/],
    ['other columns', () => file('a,b\n1,2\n'), /does not name sku/],
  ])('of %s says what is wrong, and ends with 1', async (_, path, message) => {
    const { code, text } = await omnisaga('receipts', 'import', path())
    expect([code, text]).toEqual([1, expect.stringMatching(message) as string])
  })
})

describe('appointments', () => {
  const book = async (startsAt: string) =>
    (
      (await fixture.post('/api/v1/appointments', { location: 'taipei-store', startsAt, customer: { name: '王小明' } })).body as {
        id: string
      }
    ).id

  it('are listed, moved, met and cancelled', async () => {
    const id = await book('2099-11-23T11:00:00+08:00')
    expect((await omnisaga('appointments')).text).toContain('王小明')
    const moved = await omnisaga('appointments', 'move', id, '2099-11-23T12:00:00+08:00', '--json')
    expect([moved.code, JSON.parse(moved.text)]).toMatchObject([0, { appointments: [{ startsAt: '2099-11-23T04:00:00.000Z' }] }])
    expect((await omnisaga('appointments', 'arrived', id)).text).toContain('arrived')
    expect((await omnisaga('appointments', '--state', 'cancelled')).text).toContain('no appointments')
    const other = await book('2099-11-23T12:30:00+08:00')
    expect((await omnisaga('appointments', 'cancel', other)).code).toBe(0)
    expect((await omnisaga('appointments', 'arrived', other)).code).toBe(1)
  })

  it.each([
    [['move', 'nobody', '2099-11-23T12:00:00+08:00'], 1, /no appointment nobody/],
    [['move', 'nobody', 'noon'], 2, /a time with its offset/],
    [['move', 'nobody', '2099-11-23T12:00:00'], 2, /a time with its offset/],
    [['move', 'nobody', '2099-13-45T12:00:00Z'], 2, /a time with its offset/],
    [['arrived'], 2, /missing required argument/],
    [['--state', 'sleeping'], 2, /Allowed choices/],
  ])('%j ends with %d', async (argv, code, message) => {
    const answer = await omnisaga('appointments', ...argv)
    expect([answer.code, answer.text]).toEqual([code, expect.stringMatching(message) as string])
  })
})

describe('transfers', () => {
  const asked = async (quantity = 3) =>
    (
      (await fixture.post('/api/v1/transfers', { from: 'taipei', to: 'taipei-store', lines: [{ sku: 'CAP', quantity }] }))
        .body as { id: string }
    ).id
  const at = async (location: string) => (await levels(fixture.db.pool, { sku: 'CAP', location }))[0]?.onHand ?? 0

  it('are sent with fewer pieces, arrive by their waybill, and one is called off', async () => {
    const id = await asked()
    expect((await omnisaga('transfers')).text).toContain('3 × CAP')
    const sent = await omnisaga(
      'transfers',
      'ship',
      id,
      '--waybill',
      'T 1',
      '--expected',
      '2099-01-05',
      '--pieces',
      '1=2',
      '--json',
    )
    expect([sent.code, JSON.parse(sent.text)]).toMatchObject([0, { transfers: [{ state: 'shipped', lines: [{ shipped: 2 }] }] }])
    expect((await omnisaga('transfers', 'arrive', 'T 1')).code).toBe(0)
    expect(await at('taipei-store')).toBe(2)
    const other = await asked()
    expect((await omnisaga('transfers', 'cancel', other)).text).toContain('cancelled')
    expect((await omnisaga('transfers', 'ship', other)).text).toMatch(/was cancelled/)
  })

  it.each([
    [['ship', 'nobody'], 1, /no transfer nobody/],
    [['arrive', 'nobody'], 1, /no transfer nobody/],
    [['ship', 'nobody', '--expected', 'soon'], 2, /a day such as/],
    [['ship', 'nobody', '--expected', '2099-02-30'], 2, /a day such as/],
    [['ship', 'nobody', '--pieces', 'two'], 2, /LINE=PIECES/],
    [['ship', 'nobody', '--pieces', '1=-2'], 2, /LINE=PIECES/],
    [['--state', 'lost'], 2, /Allowed choices/],
  ])('%j ends with %d', async (argv, code, message) => {
    const answer = await omnisaga('transfers', ...argv)
    expect([answer.code, answer.text]).toEqual([code, expect.stringMatching(message) as string])
  })

  it('a line that it does not have, or goods that are not there, are told, and nothing moves', async () => {
    const before = await at('taipei')
    const id = await asked(500)
    expect((await omnisaga('transfers', 'ship', id, '--pieces', '7=1')).text).toMatch(/has no line 7[\s\S]*1 \(CAP\)/)
    const tooMany = await omnisaga('transfers', 'ship', id)
    expect([tooMany.code, tooMany.text]).toEqual([1, expect.stringMatching(/error:/) as string])
    expect((await omnisaga('transfers', 'arrive', id)).text).toMatch(/is requested[\s\S]*shipped first/)
    expect(await at('taipei')).toBe(before)
  })
})
