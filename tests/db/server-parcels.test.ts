/** Labels, the store map and another store, over HTTP, against the stand-in courier. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { fileNameOf } from '../../cli/commands/label.ts'
import { main } from '../../cli/program.ts'
import { connectors } from '../../connectors/registry.ts'
import { isMapToken, mapToken } from '../../activities/mapToken.ts'
import { applyConnections } from '../../store/configuration.ts'
import { startEcpaySimulator, type EcpaySimulator } from '../../simulators/ecpay/index.ts'
import { ECPAY_KEY, inStoreOrder, startFixture, type Fixture } from './serverFixture.ts'

let at: Fixture
let sim: EcpaySimulator
beforeAll(async () => {
  ;[at, sim] = await Promise.all([startFixture(), startEcpaySimulator({ callbackAttempts: 1 })])
  const config = { merchantId: '2000132', ...ECPAY_KEY, baseUrl: sim.url, serverReplyUrl: 'http://127.0.0.1:8/webhooks/ecpay' }
  await applyConnections(
    at.db.pool,
    at.runtime.secretKey,
    { connections: [{ name: 'ecpay', connector: 'ecpay', config }] },
    connectors,
  )
})
afterAll(() => Promise.all([at.stop(), sim.stop()]))

const toStore = { delivery: { method: 'cvs', cvs: { chain: 'UNIMART', storeId: '131386' } } }
const place = async (externalId: string, over: Record<string, unknown> = toStore): Promise<string> => {
  const { status, body } = await at.post('/api/v1/orders', inStoreOrder(externalId, over))
  if (status !== 201) throw new Error(`not taken in: ${status}`)
  return (body as { id: string }).id
}

/** A parcel of the order that is booked at the stand-in. */
async function book(orderId: string, reference: string, service = 'UNIMART'): Promise<string> {
  const { connector, context } = await at.runtime.connection('ecpay')
  const home = service === 'TCAT'
  const booking = await connector.courier?.book(context, {
    reference,
    service,
    method: home ? 'home' : 'cvs',
    cvs: home ? null : { chain: 'UNIMART', storeId: '131386' },
    sender: { name: '台北倉庫', phone: '02-2655-0115', postalCode: '115', address: '臺北市南港區三重路19-2號' },
    recipient: {
      name: '王小明',
      phone: '+886912345678',
      postalCode: '110',
      city: '臺北市',
      district: '信義區',
      address: '市府路45號',
    },
    goodsName: '上衣',
    goodsAmountMinor: 59_000,
    amountDueMinor: 0,
    weightGrams: null,
    temperature: 'ambient',
    askedTime: null,
    notes: null,
    channelOrder: null,
  })
  const unit = `${orderId}-u1`
  await at.db.pool.query(`insert into units (id, order_id, serial, location, state) values ($1, $2, 1, 'taipei', 'packed')`, [
    unit,
    orderId,
  ])
  await at.db.pool.query(
    `insert into parcels (id, order_id, unit_id, attempt, courier, service, reference, state, waybill, courier_booking_id, label, amount_due_minor)
     values ($1, $2, $3, 1, 'ecpay', $4, $5, 'booked', $6, $7, $8, 0)`,
    [`${unit}-p1`, orderId, unit, service, reference, booking?.waybill, booking?.courierBookingId, booking?.label],
  )
  return `${unit}-p1`
}

describe('labels', () => {
  it("are the courier's own, for one parcel by any of its names, and printing again books nothing", async () => {
    const parcel = await book(await place('L-1'), 'OSLABEL1')
    for (const name of [parcel, 'OSLABEL1', 'L-1']) {
      const { status, headers, text } = await at.call(`/api/v1/parcels/${name}/label`)
      expect(status).toBe(200)
      expect(headers.get('content-type')).toContain('text/html')
      expect(text).toContain('class="label"')
    }
    expect(sim.parcels().filter(({ merchantTradeNo }) => merchantTradeNo === 'OSLABEL1')).toHaveLength(1)
  })
  it('of many parcels come as one document for each service, beside what cannot be printed', async () => {
    const one = await book(await place('L-2'), 'OSLABEL2')
    const two = await book(await place('L-3'), 'OSLABEL3')
    const home = await book(await place('L-4', { delivery: { method: 'home' } }), 'OSLABEL4', 'TCAT')
    await place('L-5')
    await at.db.pool.query(`update parcels set state = 'void' where reference = 'OSLABEL3'`)
    const { status, body } = await at.post('/api/v1/labels', { parcels: [one, two, home, 'L-5', one] })
    expect(status).toBe(200)
    const { documents, refused } = body as {
      documents: { service: string; parcels: string[]; content: string }[]
      refused: { parcel: string; reason: string }[]
    }
    expect(documents.map(({ service, parcels }) => [service, parcels])).toEqual([
      ['UNIMART', [one]],
      ['TCAT', [home]],
    ])
    expect(Buffer.from(documents[0]?.content ?? '', 'base64').toString('utf8')).toContain('class="label"')
    expect(refused.map(({ parcel }) => parcel)).toEqual([two, 'L-5'])
  })
  it('of an unknown parcel are 404, of one that was cancelled 409', async () => {
    expect((await at.call('/api/v1/parcels/none/label')).status).toBe(404)
    const { status, body } = await at.call('/api/v1/parcels/OSLABEL3/label')
    expect(status).toBe(409)
    expect(body).toMatchObject({ detail: expect.stringContaining('cancelled') })
  })
})

describe("the courier's store map", () => {
  const formOf = (html: string): [string, string][] =>
    [...html.matchAll(/name="([^"]+)" value="([^"]*)"/g)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll('&amp;', '&'),
    ])
  /** What a browser would do: our page, the courier's map, the first store on it. */
  async function choose(orderId: string, query = ''): Promise<{ url: string; form: URLSearchParams }> {
    const page = await at.call(`/api/v1/orders/${orderId}/pickup-map${query}`)
    expect(page.status).toBe(200)
    const map = await fetch(/action="([^"]+)"/.exec(page.text)?.[1] ?? '', {
      method: 'POST',
      body: new URLSearchParams(formOf(page.text)),
    })
    const [first = ''] = (await map.text()).split('</form>').slice(query ? 0 : 1)
    return { url: /action="([^"]+)"/.exec(first)?.[1] ?? '', form: new URLSearchParams(formOf(first)) }
  }
  const answer = (url: string, form: URLSearchParams) =>
    fetch(url, { method: 'POST', body: form, headers: { accept: 'text/html' } })
  const cvsOf = async (orderId: string) =>
    ((await at.call(`/api/v1/orders/${orderId}`)).body as { delivery: { cvs: { chain: string; storeId: string } } }).delivery.cvs

  it('brings back a store, which becomes a change of the order', async () => {
    const id = await place('M-1')
    const { url, form } = await choose(id)
    const chosen = await answer(url, form)
    expect(chosen.status).toBe(200)
    expect(await chosen.text()).toContain('896539')
    expect(await cvsOf(id)).toEqual({ chain: 'UNIMART', storeId: '896539' })
    const { rows } = await at.db.pool.query(`select verb, who, state from commands where order_id = $1`, [id])
    expect(rows).toEqual([{ verb: 'change', who: 'customer:map', state: 'done' }])
  })
  it('may be the map of another chain', async () => {
    const id = await place('M-2')
    const { url, form } = await choose(id, '?chain=FAMI')
    expect((await answer(url, form)).status).toBe(200)
    expect(await cvsOf(id)).toEqual({ chain: 'FAMI', storeId: '006598' })
  })
  it('brings nothing for another order, with a forged mark, or too late', async () => {
    const [id, other] = [await place('M-3'), await place('M-4')]
    const { url, form } = await choose(id)
    expect((await answer(url.replace(id, other), form)).status).toBe(401)
    const forged = new URLSearchParams(form)
    forged.set('ExtraData', `${'A'.repeat(16)}${form.get('ExtraData')?.slice(16)}`)
    expect((await answer(url, forged)).status).toBe(401)
    expect((await answer(url, new URLSearchParams({ ...Object.fromEntries(form), MerchantID: '2000933' }))).status).toBe(401)
    expect(await cvsOf(id)).toEqual({ chain: 'UNIMART', storeId: '131386' })
    const [key, now] = [at.runtime.secretKey, new Date('2026-11-22T10:00:00Z')]
    const about = { what: 'map' as const, connection: 'ecpay', orderId: id }
    const mark = mapToken(key, about, now)
    expect(mark).toMatch(/^[A-Z0-9]{20}$/)
    expect(isMapToken(key, about, mark, new Date('2026-11-23T09:59:00Z'))).toBe(true)
    expect(isMapToken(key, about, mark, new Date('2026-11-23T11:00:00Z'))).toBe(false)
    expect(isMapToken(key, { ...about, connection: 'other' }, mark, now)).toBe(false)
    expect(isMapToken(key, { ...about, what: 'link' }, mark, now)).toBe(false)
  })
  it('tells the customer why when the order is past it', async () => {
    const id = await place('M-5')
    const { url, form } = await choose(id)
    await book(id, 'OSMAP5')
    await at.db.pool.query(`update parcels set state = 'shipped' where reference = 'OSMAP5'`)
    await at.db.pool.query(`update units set state = 'shipped' where order_id = $1`, [id])
    const late = await answer(url, form)
    expect(late.status).toBe(409)
    expect(late.headers.get('content-type')).toContain('text/html')
    const asData = await fetch(url, { method: 'POST', body: form, headers: { accept: 'application/json' } })
    expect(asData.status).toBe(409)
    expect(((await asData.json()) as { detail: string }).detail.length).toBeGreaterThan(10)
    expect(await cvsOf(id)).toEqual({ chain: 'UNIMART', storeId: '131386' })
  })
  it('is not offered for an order that goes home, nor by a courier that has none', async () => {
    const id = await place('M-6', { delivery: { method: 'home' } })
    expect((await at.call(`/api/v1/orders/${id}/pickup-map`)).status).toBe(409)
    const cvs = await place('M-7')
    expect((await at.call(`/api/v1/orders/${cvs}/pickup-map?connection=store-taipei`)).status).toBe(409)
    expect((await at.call('/api/v1/orders/none/pickup-map')).status).toBe(404)
  })
})

describe('another store for a booked parcel', () => {
  it('is told to the courier first, and the order shows it', async () => {
    const id = await place('C-1')
    const parcel = await book(id, 'OSSTORE1')
    const early = await at.post(`/api/v1/parcels/${parcel}/store`, { storeId: '896539' })
    expect(early.status).toBe(409) // 7-ELEVEN moves a bulk parcel only once it waits for another store
    await sim.advance('OSSTORE1', { code: '2037' })
    expect((await at.post(`/api/v1/parcels/${parcel}/store`, { storeId: '896539' })).body).toEqual({ parcel, storeId: '896539' })
    expect(sim.parcels().find(({ merchantTradeNo }) => merchantTradeNo === 'OSSTORE1')?.request.ReceiverStoreID).toBe('896539')
    expect((await at.call(`/api/v1/orders/${id}`)).body).toMatchObject({ delivery: { cvs: { storeId: '896539' } } })
  })
})

describe('on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'omnisaga-label-'))
  afterAll(() => {
    rmSync(folder, { recursive: true })
    vi.unstubAllEnvs()
  })
  /** @returns the exit code and what was printed. */
  async function omnisaga(...argv: string[]): Promise<{ code: number; printed: string }> {
    vi.stubEnv('DATABASE_URL', at.db.url)
    vi.stubEnv('TEMPORAL_ADDRESS', '127.0.0.1:9')
    vi.stubEnv('OMNISAGA_SECRET_KEY', 'a passphrase for tests')
    const said: string[] = []
    const hear = (chunk: unknown) => said.push(String(chunk)) > 0
    const spies = [
      vi.spyOn(process.stdout, 'write').mockImplementation(hear),
      vi.spyOn(process.stderr, 'write').mockImplementation(hear),
    ]
    try {
      return { code: await main(argv), printed: said.join('') }
    } finally {
      for (const spy of spies) spy.mockRestore()
    }
  }

  it('labels go to files, one for each service, and what cannot be printed is told with exit code 1', async () => {
    await book(await place('CLI-1'), 'OSCLI1')
    await book(await place('CLI-2', { delivery: { method: 'home' } }), 'OSCLI2', 'TCAT')
    const out = join(folder, 'labels')
    const { code, printed } = await omnisaga('label', 'CLI-1', 'OSCLI2', 'CLI-9', '--out', out)
    expect(code).toBe(1)
    expect(printed).toContain('CLI-9: there is no such parcel or order')
    for (const file of [`${out}.html`, `${out}-2.html`]) expect(readFileSync(file, 'utf8')).toContain('class="label"')
    expect((await omnisaga('label', 'CLI-1', '--out', join(folder, 'one.html'), '--json')).code).toBe(0)
    expect(existsSync(join(folder, 'one.html'))).toBe(true)
    expect(['a', 'a.pdf', 'a.html'].map((name) => fileNameOf(name, 'application/pdf', 0))).toEqual(['a.pdf', 'a.pdf', 'a.html'])
  })
  it('remittances pull says what was paid out, and refuses days that are none', async () => {
    await book(await place('CLI-3'), 'OSCLI3')
    const pulled = await omnisaga('remittances', 'pull', 'ecpay', '--from', '2026-01-01', '--to', '2027-12-31', '--json')
    expect(pulled.code).toBe(0)
    expect(JSON.parse(pulled.printed)).toMatchObject({ lines: 0, from: '2026-01-01' })
    expect((await omnisaga('remittances', 'pull', 'ecpay', '--from', 'yesterday')).code).toBe(2)
    expect((await omnisaga('remittances', 'pull', 'momo')).code).toBe(1)
  })
})
