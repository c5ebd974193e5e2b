/** As a retailer with two warehouses would say it: sent from where it is near, by whom it is cheap, and told why. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { simulate } from '../../cli/commands/route.ts'
import { Routing } from '../../domain/routing/types.ts'
import type { KeptDecision } from '../../store/routingDecisions.ts'
import { startWorld, storeOrder, type World } from './world.ts'

const routing = Routing.parse({
  rules: [
    { name: 'near first', effect: 'rank', by: ['units', 'distance', 'priority'] },
    { name: 'quick for the impatient', effect: 'courier', by: 'time', when: { priorityAtLeast: 5 } },
  ],
  tariffs: [
    { courier: 'ecpay', service: 'TCAT', method: 'home', priceMinor: 12_000, days: 1 },
    { courier: 'ecpay', service: 'POST', method: 'home', priceMinor: 8_000, days: 3 },
  ],
})

let world: World
beforeAll(async () => {
  world = await startWorld({ policy: { routing }, secondWarehouse: { 'TEE-S': 10, MUG: 10 } })
})
afterAll(() => world.stop())

const at = (postalCode: string, city: string, district: string) => ({
  name: '王小明',
  phone: '0912345678',
  address: { postalCode, city, district, line: '中山路1號' },
})
const place = async (change: Record<string, unknown>) =>
  (await world.post<{ id: string }>('/api/v1/orders', storeOrder({ delivery: { method: 'home' }, ...change }))).body.id

interface Shown {
  units: { location: string; state: string }[]
  parcels: { reference: string; service: string; state: string }[]
  routing: KeptDecision[]
}
/** Booked, and brought to the customer. */
const delivered = async (id: string) => {
  const parcel = await world.until('the parcel is booked', async () =>
    (await shown(id)).parcels.find((each) => each.state === 'booked'),
  )
  await world.ecpay.advance(parcel.reference, { to: 'delivered' })
  await world.untilPhase(id, 'delivered')
}
const shown = async (id: string) => (await world.get<Shown>(`/api/v1/orders/${id}`)).body

it('a customer in Kaohsiung is served from Kaohsiung by post, one in Taipei from the north, and both can read why', async () => {
  const south = await place({
    recipient: at('802', '高雄市', '苓雅區'),
    lines: [{ sku: 'TEE-S', quantity: 1, unitPriceMinor: 59_000 }],
  })
  const north = await place({
    recipient: at('106', '臺北市', '大安區'),
    lines: [{ sku: 'TEE-S', quantity: 1, unitPriceMinor: 59_000 }],
  })
  for (const id of [south, north]) await delivered(id)
  const [ofSouth, ofNorth] = [await shown(south), await shown(north)]
  expect(ofSouth.units.map((unit) => unit.location)).toEqual(['wh-south'])
  expect(ofNorth.units.map((unit) => unit.location)).toEqual(['wh-north'])
  expect(ofSouth.parcels.map((parcel) => parcel.service)).toEqual(['POST'])
  expect(ofSouth.routing[0]?.decision.because).toBe('wh-south lies nearer than wh-north')
  expect(JSON.stringify(ofSouth.routing)).not.toContain('王小明')
})

it('who pays for speed gets the quick courier', async () => {
  const id = await place({
    priority: 6,
    recipient: at('106', '臺北市', '大安區'),
    lines: [{ sku: 'MUG', quantity: 1, unitPriceMinor: 20_000 }],
  })
  await delivered(id)
  expect((await shown(id)).parcels.map((parcel) => parcel.service)).toEqual(['TCAT'])
})

it('the shop page offers what can be kept, and nothing for what nobody has', async () => {
  const ask = async (sku: string) =>
    (
      await world.post<{ options: { option: string; location: string | null }[] }>('/api/v1/delivery-options', {
        channel: 'store',
        postalCode: '106',
        lines: [{ sku, quantity: 1 }],
      })
    ).body.options.map(({ option, location }) => location ?? option)
  expect(await ask('TEE-S')).toEqual(['nextDay', 'home', 'cvs', 'store-taipei'])
  expect(await ask('RARE')).toEqual([])
  expect((await world.post('/api/v1/delivery-options', { channel: 'store', lines: [] })).status).toBe(400)
})

it('rules are tried on past orders from the command line, and a file that is wrong is told where', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'omnisaga-rules-'))
  const before = { ...process.env }
  Object.assign(process.env, {
    DATABASE_URL: world.runtime.databaseUrl,
    TEMPORAL_ADDRESS: world.engine.address,
    OMNISAGA_SECRET_KEY: 'a passphrase for tests',
  })
  const said: string[] = []
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = (text: string | Uint8Array) => said.push(String(text)) > 0
  try {
    const orders = join(folder, 'past.json')
    const rules = join(folder, 'rules.yaml')
    await writeFile(orders, JSON.stringify((await world.get('/api/v1/orders')).body))
    await writeFile(rules, 'routing:\n  rules:\n    - { name: all from the north, effect: only, locations: [wh-north] }\n')
    expect(await simulate({ orders, rules, json: true })).toBe(0)
    const answer = JSON.parse(said.join('')) as { orders: { was: string[]; would: string[]; changed: boolean }[] }
    expect(answer.orders.filter((each) => each.changed)).toMatchObject([{ was: ['wh-south'], would: ['wh-north'] }])
    await writeFile(rules, 'routing:\n  rules:\n    - { name: typo, effect: onyl, locations: [wh-north] }\n')
    await expect(simulate({ orders, rules })).rejects.toThrow(/rules\.yaml.*effect/s)
  } finally {
    process.stdout.write = write
    process.env = before
    await rm(folder, { recursive: true })
  }
})

it('nothing is left behind', async () => {
  expect((await world.audit()).violations).toEqual([])
})
