/** A warehouse without a system of its own: picked from paper, packed by scanner, handed over with a manifest. */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { setOnHand } from '../../store/ledger/operations.ts'
import { localTime } from '../../domain/localTime.ts'
import { seedOrders as cyberbizOrders, startCyberbizSimulator, type CyberbizSimulator } from '../../simulators/cyberbiz/index.ts'
import { seedOrders as wooOrders, startWooSimulator, type WooSimulator } from '../../simulators/woocommerce/index.ts'
import { apply, pull, show, untilBooked, untilShown } from './marketplaceViews.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

const WOO = { consumerKey: 'ck_scenario', consumerSecret: 'cs_scenario', webhookSecret: 'hook-secret' }
const CYBERBIZ = { token: 'a.jwt.token', appSecret: 'app-secret', shopDomain: 'example.cyberbiz.co' }
/** In-store orders are urgent and wait for none; others wait half a day, or until waves are asked for. */
const cutOff = () => localTime(new Date(Date.now() + 12 * 3_600_000).toISOString(), 'Asia/Taipei').clock

let world: World
let woo: WooSimulator
let cyberbiz: CyberbizSimulator
beforeAll(async () => {
  world = await startWorld({ stock: { 'TEE-S': 5 }, policy: { mergeParcels: 'prepaid' } })
  woo = await startWooSimulator({ ...WOO, statuses: ['arrived'] })
  cyberbiz = await startCyberbizSimulator(CYBERBIZ)
  // Only what a test asks for is pulled.
  const common = { pullEveryMs: 86_400_000, quota: { perSecond: 500, burst: 100 } }
  await apply(world, { name: 'woo', connector: 'woocommerce', config: { ...WOO, ...common, baseUrl: woo.url } })
  await apply(world, { name: 'cyberbiz', connector: 'cyberbiz', config: { ...CYBERBIZ, ...common, baseUrl: cyberbiz.url } })
  await applyConnections(
    world.runtime.pool,
    world.runtime.secretKey,
    {
      locations: [
        {
          id: 'wh-hand',
          name: '手揀倉',
          kind: 'warehouse',
          priority: 2,
          courierHome: 'ecpay',
          courierCvs: 'ecpay',
          sender: { name: '林小倉', phone: '+886912000333', postalCode: '330', address: '桃園市桃園區縣府路1號' },
          packing: { splitBy: ['courier'], cutOffs: [cutOff()] },
        },
      ],
      products: [
        {
          sku: 'CAP',
          name: '帽子',
          barcode: '4711111111111',
          shelves: { 'wh-hand': 'A-2' },
          sizeMm: [200, 150, 100],
          weightGrams: 150,
        },
        {
          sku: 'MUG',
          name: '馬克杯',
          barcode: '4712222222222',
          shelves: { 'wh-hand': 'A-10' },
          fragile: true,
          sizeMm: [100, 100, 100],
        },
        { sku: 'TEE-S', name: '上衣', barcode: '4713333333333' },
      ],
      boxes: [
        { id: 'S', name: '小箱', innerMm: [300, 250, 200] },
        { id: 'F', name: '緩衝箱', innerMm: [350, 300, 250], fragile: true },
      ],
    },
    world.runtime.connectors,
  )
  for (const sku of ['CAP', 'MUG'])
    await transaction(world.runtime.pool, (tx) =>
      setOnHand(tx, { key: `count:wh-hand:${sku}`, sku, location: 'wh-hand', onHand: 10, reason: 'count' }),
    )
})
afterAll(async () => {
  await woo?.stop()
  await cyberbiz?.stop()
  await world?.stop()
})

interface Told {
  message: { tone: string; zh: string; en: string }
  next: { zh: string; en: string }
  box: { unitId: string; suggestedBox: string | null } | null
  closed: string | null
}
const scan = async (code: string) => {
  const { status, body } = await world.post<Told>('/api/v1/packing/scan', { station: 'bench-1', code, scanId: `${scans++}` })
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
let scans = 0
const file = async (path: string) => {
  const answer = await fetch(`${world.url}${path}`)
  return {
    status: answer.status,
    type: answer.headers.get('content-type') ?? '',
    text: Buffer.from(await answer.arrayBuffer()).toString('latin1'),
  }
}
const waveWithUnits = (seen: number) =>
  world.until(`wave ${seen + 1} is made`, async () => {
    const { body } = await world.get<{ waves: { id: string; units: number; state: string }[] }>('/api/v1/waves?location=wh-hand')
    return body.waves.length > seen && body.waves[0]?.state === 'written' ? body.waves[0] : null
  })
const labelled = (unitId: string) =>
  world.until(`the label of ${unitId} is there`, async () => {
    const { body } = await world.get<{ last: { unitId: string; label: string | null } | null }>(
      '/api/v1/packing/stations/bench-1',
    )
    return body.last?.unitId === unitId ? body.last.label : null
  })

it('a person picks, scans, packs and hands over: what is wrong is stopped, what is broken is replaced, everything arrives', async () => {
  const placed = await world.post<OrderBody>(
    '/api/v1/orders',
    storeOrder({
      lines: [
        { sku: 'CAP', quantity: 2, unitPriceMinor: 30_000 },
        { sku: 'MUG', quantity: 1, unitPriceMinor: 20_000 },
      ],
    }),
  )
  const { id } = placed.body
  const wave = await waveWithUnits(0)
  const list = await file(`/api/v1/waves/${wave.id}/pick-list.pdf`)
  expect([list.status, list.type]).toEqual([200, 'application/pdf'])
  expect(list.text.match(/\/Type \/Page\b/g)).toHaveLength(2)

  expect(await scan(wave.id)).toMatchObject({ message: { tone: 'ok' }, box: { suggestedBox: 'F' } })
  expect((await scan('4713333333333')).message).toMatchObject({ tone: 'stop', zh: expect.stringContaining('拿錯了') })
  expect((await scan('DONE')).message.tone).toBe('stop')
  await scan('UNDO')
  await scan('4712222222222')
  expect((await scan('4712222222222')).message).toMatchObject({ tone: 'stop', en: expect.stringContaining('Too many') })
  await scan('UNDO')
  await scan('4711111111111')
  expect((await scan('DONE')).next.en).toContain('CAP × 1 (A-2)')
  await scan('DAMAGED')
  await scan('4711111111111')
  await scan('W:640')
  // Another lies on the same shelf: it is held for this box, and fetched.
  expect(await scan('DONE')).toMatchObject({
    closed: null,
    message: { tone: 'warn', en: expect.stringContaining('Fetch CAP × 1 (A-2)') },
  })
  await scan('4711111111111')
  const first = (await scan('DONE')).closed ?? ''
  const label = await labelled(first)
  expect((await file(label ?? '')).status).toBe(200)
  expect((await file(`/api/v1/units/${first}/delivery-note.pdf`)).type).toBe('application/pdf')
  expect((await world.stock('CAP', 'wh-hand')).onHand).toBe(9)

  const manifest = await world.post<{ id: string; parcels: number }>('/api/v1/manifests', {
    location: 'wh-hand',
    courier: 'ecpay',
  })
  expect(manifest).toMatchObject({ status: 201, body: { parcels: 1 } })
  expect((await world.post('/api/v1/manifests', { location: 'wh-hand', courier: 'ecpay' })).status).toBe(409)
  expect((await file(`/api/v1/manifests/${manifest.body.id}/paper`)).type).toBe('application/pdf')
  const given = await world.post(`/api/v1/manifests/${manifest.body.id}/handed-over`, {
    proof: { kind: 'signature', reference: 'sheet 7' },
  })
  expect(given).toMatchObject({ status: 200, body: { proofs: [{ kind: 'signature', reference: 'sheet 7' }] } })
  await world.untilPhase(id, 'shipped')
  // Printed again after it left: nothing is booked anew.
  expect((await file(label ?? '')).status).toBe(200)

  const { body: order } = await world.get<OrderBody>(`/api/v1/orders/${id}`)
  expect(order.parcels).toHaveLength(1)
  expect(world.ecpay.parcels()).toHaveLength(1)
  for (const { reference } of order.parcels) await world.ecpay.advance(reference, { to: 'delivered' })
  await world.untilPhase(id, 'delivered')
  await world.until('the order is closed', async () => (await world.get<OrderBody>(`/api/v1/orders/${id}`)).body.closed)
  expect(await world.stock('CAP', 'wh-hand')).toMatchObject({ onHand: 7, held: 0 })
  expect(await world.stock('MUG', 'wh-hand')).toMatchObject({ onHand: 9, held: 0 })
  expect(await world.audit()).toMatchObject({ ok: true, violations: [] })
})

const CAP = '4711111111111'
/** The command as a person runs it, in a process of its own. */
async function omnisaga(args: string[], lines: string[] = []): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const env = {
    ...process.env,
    DATABASE_URL: world.runtime.databaseUrl,
    TEMPORAL_ADDRESS: world.engine.address,
    OMNISAGA_SECRET_KEY: 'a passphrase for tests',
    NO_COLOR: '1',
  }
  const child = spawn(process.execPath, ['bin/omnisaga.mjs', ...args], { env })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', (text: Buffer) => (said.stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (said.stderr += text.toString()))
  child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  const code = await new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  return { code, ...said }
}

/** A paid order in the web shop, and one in the marketplace, of the same person. */
function placeBoth(): [web: string, market: string] {
  const product = { sku: 'CAP', price: 300 }
  const [web] = wooOrders(1, { skus: [{ ...product, name: '帽子' }], startAt: 1 })
  const [market] = cyberbizOrders(1, { skus: [{ ...product, title: '帽子' }], startAt: 1 })
  if (!web || !market) throw new Error('nothing was placed')
  const who = { first_name: '小明', last_name: '王', address_1: '市府路45號', city: '信義區', state: '臺北市', postcode: '110' }
  const billing = { ...(web.billing as object), ...who, phone: '0912-777-888' }
  woo.seed([{ ...web, billing, shipping: { ...(web.shipping as object), ...who } }])
  const receiver = {
    ...(market.receiver as object),
    name: '王小明',
    phone: '0912777888',
    address: '110 台北市信義區市府路４５號',
    detail_address: {
      country: null,
      province: null,
      address2: null,
      zip: '110',
      city: '台北市',
      district: '信義區',
      address1: '市府路４５號',
    },
  }
  cyberbiz.seed([{ ...market, receiver }])
  return [String(web.id), String(market.id)]
}
const online = async (change: Record<string, unknown>) => {
  const order = storeOrder({ kind: 'online', lines: [{ sku: 'CAP', quantity: 1, unitPriceMinor: 30_000 }], ...change })
  const { status, body } = await world.post<OrderBody>('/api/v1/orders', order)
  expect(status, JSON.stringify(body)).toBe(201)
  return { id: body.id, number: String(order.externalId) }
}
const address = { raw: '台北市信義區市府路45號' }
const waitsForWave = (id: string) => untilShown(world, 'waits for a wave', id, (order) => order.units[0]?.state === 'ready')
const makeWave = async () => {
  const { body } = await world.post<{ waves: string[] }>('/api/v1/waves', { location: 'wh-hand' })
  expect(body.waves).toHaveLength(1)
  return (await world.get(`/api/v1/waves/${body.waves[0]}`)).body as { id: string; units: number; boxes: number; regions: object }
}

it('two orders of one person, from the web shop and the marketplace, go out in one parcel; both channels hear of it', async () => {
  const bookedBefore = world.ecpay.parcels().length
  const [web, market] = placeBoth()
  const stranger = await online({ recipient: { name: '李大華', phone: '0912777888', address } })
  await pull(world, 'woo')
  await pull(world, 'cyberbiz')
  for (const id of [web, market, stranger.id]) await waitsForWave(id)
  expect(await makeWave()).toMatchObject({ units: 3, boxes: 2, regions: { 臺北市: 3 } })

  const opened = await scan(market)
  expect(opened.box).toMatchObject({ orderNumber: expect.stringContaining(' + ') })
  for (const number of [web, market]) expect((opened.box as { orderNumber?: string } | null)?.orderNumber).toContain(number)
  await scan(CAP)
  expect((await scan('DONE')).next.en).toContain('CAP × 1')
  await scan(CAP)
  const shared = (await scan('DONE')).closed ?? ''
  await labelled(shared)
  await scan(stranger.number)
  await scan(CAP)
  await labelled((await scan('DONE')).closed ?? '')

  const orders = await Promise.all([web, market].map((id) => untilBooked(world, id)))
  const numbers = orders.map(({ parcels }) => parcels[0]?.waybill)
  expect(numbers[0]).toBe(numbers[1])
  expect(world.ecpay.parcels()).toHaveLength(bookedBefore + 2)
  await world.until('the web shop shows the number', async () =>
    woo.notes(Number(web)).some(({ note }) => note.endsWith(String(numbers[0]))),
  )
  await world.until('the marketplace shows the number', async () =>
    cyberbiz.order(Number(market)).fulfillments.some((each) => each.tracking_number === numbers[0]),
  )

  const manifest = await world.post<{ id: string }>('/api/v1/manifests', { location: 'wh-hand', courier: 'ecpay' })
  expect(manifest).toMatchObject({ status: 201, body: { parcels: 2 } })
  await world.post(`/api/v1/manifests/${manifest.body.id}/handed-over`, { proof: { kind: 'signature', reference: 'sheet 8' } })
  for (const id of [web, market]) await untilShown(world, 'has left', id, (order) => order.phase === 'shipped')

  // One report of the courier, by the number of the one that was booked.
  const booked = orders
    .flatMap(({ parcels }) => parcels)
    .find((parcel) => world.ecpay.parcels().some(({ merchantTradeNo }) => merchantTradeNo === parcel.reference))
  await world.ecpay.advance(booked?.reference ?? '', { to: 'delivered' })
  for (const id of [web, market]) await untilShown(world, 'is closed', id, (order) => order.phase === 'delivered' && order.closed)
  expect((await show(world, stranger.id)).phase).toBe('shipped')
  expect((await world.audit()).violations).toEqual([])
})

it('of two orders for one box one is cancelled before it is packed: the other goes alone', async () => {
  const bookedBefore = world.ecpay.parcels().length
  const recipient = { name: '張小美', phone: '0912666555', address }
  const [gone, stays] = [await online({ recipient }), await online({ recipient })]
  for (const { id } of [gone, stays]) await waitsForWave(id)
  expect(await makeWave()).toMatchObject({ units: 2, boxes: 1 })
  expect((await world.post(`/api/v1/orders/${gone.id}/cancel`, { reason: 'second thoughts' })).status).toBe(200)
  await untilShown(world, 'is cancelled', gone.id, (order) => order.phase === 'cancelled' && order.closed)

  // By somebody who works in a terminal, with a scanner that types.
  const packed = await omnisaga(
    ['pack', 'terminal', '--location', 'wh-hand'],
    [stays.number, 'nonsense', 'DONE', 'UNDO', CAP, 'DONE'],
  )
  expect(packed, packed.stderr).toMatchObject({ code: 0, stderr: '' })
  expect(packed.stdout).toContain(`Order ${stays.number}`)
  expect(packed.stdout).toMatch(/^! .*nonsense is not known and not part of this box/m)
  expect(packed.stdout).toContain('Packed; the label comes next')
  expect((await untilBooked(world, stays.id)).parcels).toHaveLength(1)
  expect((await show(world, gone.id)).parcels).toEqual([])
  expect(world.ecpay.parcels()).toHaveLength(bookedBefore + 1)

  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-manifest-'))
  const out = join(folder, 'manifest.pdf')
  const create = ['manifest', 'create', 'wh-hand', 'ecpay', '--out', out, '--json']
  const created = await omnisaga(create)
  expect(created, created.stderr).toMatchObject({ code: 0 })
  const { id, parcels } = JSON.parse(created.stdout) as { id: string; parcels: number }
  expect(parcels).toBe(1)
  expect((await readFile(out)).subarray(0, 5).toString()).toBe('%PDF-')
  await rm(folder, { recursive: true })
  const given = await omnisaga(['manifest', 'handed-over', id, '--signature', 'sheet 9'])
  expect(given, given.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('1 parcel(s)') })
  await untilShown(world, 'has left', stays.id, (order) => order.phase === 'shipped')
  expect((await world.audit()).violations).toEqual([])
}, 300_000)
