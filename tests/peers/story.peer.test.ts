/**
 * Orders through real systems from end to end: bought in Vendure and in Medusa, paid there, picked, shipped through karrio, booked in
 * Tryton, delivered by the courier's own report, told back to the shop. The warehouse is the drop folder's stand-in. That a parcel
 * was delivered is entered in karrio through its API (its generic carrier has no drivers); karrio tells us by its webhook.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { contextOf } from './contextOf.ts'
import { tryton as trytonConnector } from '../../connectors/tryton/index.ts'
import { peer as karrioPeer, type RunningKarrio } from './karrio.ts'
import { peer as medusaPeer } from './medusa.ts'
import { medusaShop, type MedusaShop } from './medusaShop.ts'
import type { RunningPeer } from './peer.ts'
import { startStory, SHELVES, type StoryOrder, type StoryWorld } from './storyWorld.ts'
import { peer as trytonPeer } from './tryton.ts'
import { peer as vendurePeer } from './vendure.ts'
import { vendureShop, type VendureShop } from './vendureShop.ts'

const stops: (() => Promise<void>)[] = []
let karrio: RunningKarrio
let tryton: RunningPeer
let vendure: VendureShop
let medusa: MedusaShop
let world: StoryWorld
const say = (line: string) => void process.stdout.write(`${line}\n`)

beforeAll(async () => {
  const started = async <R extends RunningPeer>(starting: Promise<R>): Promise<R> => {
    const running = await starting
    stops.push(() => running.stop())
    return running
  }
  const vendureRunning = await started(vendurePeer.start(say))
  const medusaRunning = await started(medusaPeer.start(say))
  tryton = await started(trytonPeer.start(say))
  karrio = await started(karrioPeer.start(say))
  vendure = await vendureShop(vendureRunning)
  medusa = await medusaShop(medusaRunning)
  world = await startStory({ vendure: vendureRunning, medusa: medusaRunning, tryton, karrio })
}, 1_800_000)
afterAll(async () => {
  await world?.stop()
  for (const stop of stops.toReversed()) await stop()
})

/** What Tryton itself says of a sale, past the connector. */
async function inTryton(model: string, domain: unknown[], fields: string[]): Promise<Record<string, unknown>[]> {
  const { database, applicationKey } = tryton.connection.config as { database: string; applicationKey: string }
  const url = new URL(`${tryton.url}/${database}/rest/model/${model}`)
  for (const field of fields) url.searchParams.append('f', field)
  url.searchParams.set('d', Buffer.from(JSON.stringify(domain)).toString('base64').replaceAll('+', '-').replaceAll('/', '_'))
  const answer = await fetch(url, { headers: { authorization: `bearer ${applicationKey}` } })
  if (!answer.ok) throw new Error(`Tryton: HTTP ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as Record<string, unknown>[]
}

/** Told with what still stands open, when it does not come. */
async function untilPhase(channel: string, externalId: string, phase: string): Promise<StoryOrder> {
  let last: StoryOrder | null = null
  try {
    return await world.until(`the order of ${channel} is ${phase}`, async () => {
      last = await world.order(channel, externalId)
      return last?.phase === phase ? last : null
    })
  } catch (error) {
    const { phase: now, parcels, participants } = (last ?? {}) as Partial<StoryOrder>
    throw new Error(`${(error as Error).message}; ${JSON.stringify({ now, parcels, participants, tasks: await world.tasks() })}`)
  }
}

/** From the payment to the door. @returns the waybill */
async function carried(channel: string, externalId: string): Promise<{ order: StoryOrder; waybill: string }> {
  const booked = await world.until(
    `karrio has booked the parcel of ${channel}`,
    async () => {
      const order = await world.order(channel, externalId)
      return order?.parcels.find(({ state, waybill }) => state === 'booked' && waybill !== null)?.waybill
    },
    120_000,
  )
  const now = Date.now()
  const report = (status: string, agoMs: number) =>
    karrio.carrierReports(booked, { status, description: `It is ${status}`, at: new Date(now - agoMs).toISOString() })
  await report('picked_up', 3_000)
  await untilPhase(channel, externalId, 'shipped')
  await report('delivered', 1_000)
  return { order: await untilPhase(channel, externalId, 'delivered'), waybill: booked }
}

/** The sale and the shipment that Tryton has of an order, and its waybill. */
async function booksShow(order: StoryOrder, waybill: string): Promise<void> {
  await world.until('Tryton has the sale and the shipment', async () =>
    (await world.order(channelOf(order), order.externalId))?.participants
      .filter(({ connection }) => connection === 'tryton')
      .every(({ state }) => state === 'acknowledged'),
  )
  const sales = await inTryton('sale.sale', [['reference', 'like', `${order.id}%`]], ['state', 'shipment_state', 'shipments'])
  expect(sales).toMatchObject([{ shipment_state: 'sent' }])
  const shipments = await inTryton('stock.shipment.out', [['shipping_reference', '=', waybill]], ['state', 'number'])
  expect(shipments).toMatchObject([{ state: 'done' }])
}
let channels = new Map<string, string>()
const channelOf = ({ id }: StoryOrder) => channels.get(id) ?? ''
const remember = (channel: string, order: StoryOrder) => void (channels = new Map(channels).set(order.id, channel))

describe('an order through real systems', () => {
  it('bought in Vendure, it waits for its payment, is picked, goes with karrio, is booked in Tryton, and is delivered in Vendure', async () => {
    const code = await vendure.place({ 'SHIRT-S': 2, 'MUG-01': 1 })
    await untilPhase('vendure', code, 'confirming')
    await vendure.settle(code)
    const { order, waybill } = await carried('vendure', code)
    remember('vendure', order)
    const shown = await world.until('Vendure shows it as delivered', async () => {
      const seen = await vendure.order(code)
      return seen.state === 'Delivered' ? seen : null
    })
    expect(shown.fulfillments).toMatchObject([{ state: 'Delivered', trackingCode: waybill }])
    expect(world.wms.units().filter(({ orderNumber }) => orderNumber === code)).toHaveLength(1)
    await booksShow(order, waybill)
  })

  it('bought in Medusa, the same, and Medusa shows it as delivered with the tracking number', async () => {
    const id = await medusa.place({ 'SHIRT-M': 3, 'MUG-01': 2 })
    await untilPhase('medusa', id, 'confirming')
    await medusa.capture(id)
    const { order, waybill } = await carried('medusa', id)
    remember('medusa', order)
    const shown = await world.until('Medusa shows it as delivered', async () => {
      const seen = await medusa.order(id)
      return seen.fulfillment_status === 'delivered' ? seen : null
    })
    expect(shown.fulfillments).toHaveLength(1)
    expect(shown.fulfillments[0]?.labels.map((label) => label.tracking_number)).toEqual([waybill])
    await booksShow(order, waybill)
  })

  it('an order cancelled in Vendure before it is paid goes back on sale everywhere and is never booked', async () => {
    const code = await vendure.place({ 'SHIRT-S': 1 })
    const waiting = await untilPhase('vendure', code, 'confirming')
    const answer = await fetch(`${world.url}/api/v1/orders/${waiting.id}/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ reason: 'the customer asked' }),
    })
    expect(answer.status, await answer.text()).toBeLessThan(300)
    await untilPhase('vendure', code, 'cancelled')
    await world.until('Vendure hears of it', async () => (await vendure.order(code)).state === 'Cancelled')
    expect(
      await inTryton(
        'sale.sale',
        [
          ['reference', 'like', `${waiting.id}%`],
          ['state', '!=', 'cancelled'],
        ],
        ['state'],
      ),
    ).toEqual([])
  })

  it("at the end Medusa's stock, Vendure's and Tryton's equal the ledger", async () => {
    const expected = { 'SHIRT-S': 20 - 2, 'SHIRT-M': 30 - 3, 'MUG-01': 40 - 1 - 2 }
    for (const sku of Object.keys(SHELVES)) {
      const { onHand, available } = await world.ledger(sku)
      expect({ sku, onHand, available }).toEqual({ sku, onHand: expected[sku as keyof typeof expected], available: onHand })
    }
    const equal = Object.entries(expected).toSorted(([a], [b]) => a.localeCompare(b))
    const sorted = (levels: { sku: string; n: number }[]) =>
      levels.map(({ sku, n }): [string, number] => [sku, n]).toSorted(([a], [b]) => a.localeCompare(b))
    const same = (levels: { sku: string; n: number }[]) => JSON.stringify(sorted(levels)) === JSON.stringify(equal)
    const inMedusa = async () =>
      (await medusa.levels()).map(({ sku, stocked, reserved }) => ({ sku, n: reserved === 0 ? stocked : -1 }))
    const inVendure = async () =>
      (await vendure.levels()).map(({ sku, onHand, allocated }) => ({ sku, n: allocated === 0 ? onHand : -1 }))
    await world
      .until("the shops' levels are the ledger's", async () => same(await inMedusa()) && same(await inVendure()))
      .catch(() => undefined)
    expect(sorted(await inMedusa()), 'Medusa').toEqual(equal)
    expect(sorted(await inVendure()), 'Vendure').toEqual(equal)
    const books: { sku: string; n: number }[] = []
    for await (const page of trytonConnector.stock!.read!(contextOf(trytonConnector, tryton.connection.config)))
      books.push(
        ...page.filter(({ location }) => location === 'main').map(({ externalSku, onHand }) => ({ sku: externalSku, n: onHand })),
      )
    expect(sorted(books), 'Tryton').toEqual(equal)
    expect(await world.tasks()).toEqual([])
    expect((await world.audit()).violations).toEqual([])
  })
})
