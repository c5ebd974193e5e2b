/**
 * Writes down what the running shops answer to our requests, for the tests that have no shop: npx tsx tests/peers/record.ts.
 * tests/unit/fixtures/{vendure,medusa}.json: by name, the HTTP status and the body. The people in it are made up here.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as m from '../../connectors/medusa/api.ts'
import { medusa } from '../../connectors/medusa/index.ts'
import * as v from '../../connectors/vendure/api.ts'
import { vendure } from '../../connectors/vendure/index.ts'
import * as stock from '../../connectors/vendure/stock.ts'
import type { HttpResponse } from '../../connectors/kit/types.ts'
import { root } from '../harness/paths.ts'
import { contextOf } from './contextOf.ts'
import { peer as medusaPeer } from './medusa.ts'
import { medusaShop } from './medusaShop.ts'
import { memoryTokens } from './memoryTokens.ts'
import type { RunningPeer } from './peer.ts'
import { peer as vendurePeer } from './vendure.ts'
import { vendureShop } from './vendureShop.ts'

type Recorded = Record<string, { status: number; body: unknown }>
const say = (line: string) => process.stdout.write(`${line}\n`)

function recorder() {
  const recorded: Recorded = {}
  return {
    recorded,
    keep(name: string, { status, body }: Pick<HttpResponse, 'status' | 'body'>) {
      recorded[name] = { status, body: JSON.parse(body) as unknown }
    },
  }
}

function save(name: string, title: string, recorded: Recorded): void {
  const folder = join(root, 'tests', 'unit', 'fixtures')
  mkdirSync(folder, { recursive: true })
  // One line an answer. Medusa shows each amount a second time, as a big decimal (raw_...): left out.
  const lines = Object.entries(recorded).map(
    ([key, answer]) =>
      `    ${JSON.stringify(key)}: ${JSON.stringify(answer, (field, value: unknown) => (field.startsWith('raw_') ? undefined : value))}`,
  )
  const text = `{\n  "recordedFrom": "${title}, a running one",\n  "answers": {\n${lines.join(',\n')}\n  }\n}\n`
  // Tokens are of this run alone.
  writeFileSync(join(folder, `${name}.json`), text.replace(/"eyJ[\w.-]+"/g, '"(token)"'))
  say(`${name}: ${Object.keys(recorded).length} answers`)
}

async function vendureAnswers(running: RunningPeer): Promise<Recorded> {
  const { recorded, keep } = recorder()
  const shop = await vendureShop(running)
  const config = { ...running.connection.config, shop: 'peer' } as unknown as { username: string; password: string }
  const ctx = { ...contextOf(vendure, { ...config }), tokens: memoryTokens() }
  await vendure.check(ctx)
  const token = (await ctx.tokens.read())?.accessToken ?? ''
  const ask = async (name: string, call: v.GraphqlCall, bearer = token) => {
    const answer = await ctx.http.request({
      method: 'POST',
      url: `${running.url}/admin-api`,
      headers: { authorization: `Bearer ${bearer}` },
      body: { operationName: call.operation, query: call.query, variables: call.variables },
    })
    keep(name, answer)
    return JSON.parse(answer.body) as {
      data: Record<string, { id: string; items: { id: string; lines: { id: string }[]; payments: { id: string }[] }[] }>
    }
  }
  const end = new Date(Date.now() + 60_000)
  await ask('login', v.loginRequest(config))
  await ask('login refused', v.loginRequest({ ...config, password: 'wrong' }), '')
  await ask('no session', v.ordersByCodeRequest(['x']), 'unknown')
  await ask('wrong query', { operation: 'q', query: 'query q { nothing }', variables: {}, write: false })
  const code = await shop.place({ 'SHIRT-S': 2, 'MUG-01': 1 })
  const placed = (await ask('order placed', v.ordersByCodeRequest([code]))).data.orders!.items[0]!
  await shop.settle(code)
  await ask('order settled', v.changedOrdersRequest({ start: new Date(0), end, take: 10 }))
  await ask('open orders', v.openOrdersRequest({ start: new Date(0), end, take: 10 }))
  const lines = placed.lines.map(({ id }, at) => ({ orderLineId: id, quantity: at === 0 ? 2 : 1 }))
  const fulfilment = { lines, handler: 'manual-fulfillment', method: 'TCAT', trackingCode: 'W-1' }
  const made = await ask('fulfilment', v.addFulfillmentRequest(fulfilment))
  await ask('fulfilment again', v.addFulfillmentRequest(fulfilment))
  await ask('fulfilment of no line', v.addFulfillmentRequest({ ...fulfilment, lines: [{ orderLineId: '999', quantity: 1 }] }))
  const id = made.data.addFulfillmentToOrder!.id
  await ask('shipped', v.transitionRequest(id, 'Shipped'))
  await ask('shipped again', v.transitionRequest(id, 'Shipped'))
  await ask('delivered', v.transitionRequest(id, 'Delivered'))
  const refund = { paymentId: placed.payments[0]!.id, amount: 10_000, reason: 'damaged [r1]' }
  await ask('refund', v.refundRequest(refund))
  await ask('refund too much', v.refundRequest({ ...refund, amount: 999_999_00 }))
  await ask('order delivered', v.ordersByCodeRequest([code]))
  const second = await shop.place({ 'SHIRT-M': 1 })
  const other = (await ask('second order', v.ordersByCodeRequest([second]))).data.orders!.items[0]!
  await ask('cancelled', v.cancelOrderRequest(other.id, 'out of stock'))
  await ask('cancelled again', v.cancelOrderRequest(other.id, 'out of stock'))
  await ask('order cancelled', v.ordersByCodeRequest([second]))
  await ask('variants', stock.variantsRequest({ start: new Date(0), take: 10 }))
  await ask('levels written', stock.updateVariantsRequest('1', [{ id: '1', stockOnHand: 17 }]))
  await ask('level of no variant', stock.updateVariantsRequest('1', [{ id: '999', stockOnHand: 17 }]))
  await ask('stock locations', stock.stockLocationsRequest())
  return recorded
}

async function medusaAnswers(running: RunningPeer): Promise<Recorded> {
  const { recorded, keep } = recorder()
  const shop = await medusaShop(running)
  const config = running.connection.config as unknown as { email: string; password: string }
  const ctx = { ...contextOf(medusa, { ...config }), tokens: memoryTokens() }
  await medusa.check(ctx)
  const token = (await ctx.tokens.read())?.accessToken ?? ''
  const ask = async <T>(name: string, call: m.MedusaCall, bearer = token): Promise<T> => {
    const query = new URLSearchParams(call.query).toString()
    const answer = await fetch(`${running.url}${call.path}${query ? `?${query}` : ''}`, {
      method: call.method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(call.body ? { body: JSON.stringify(call.body) } : {}),
    })
    const body = await answer.text()
    keep(name, { status: answer.status, body })
    return JSON.parse(body) as T
  }
  const end = new Date(Date.now() + 60_000)
  const start = new Date(0)
  await ask('login', m.loginRequest(config))
  await ask('login refused', m.loginRequest({ ...config, password: 'wrong' }))
  await ask('no session', m.stockLocationsRequest(), 'unknown')
  const id = await shop.place({ 'SHIRT-S': 2, 'MUG-01': 1 })
  type Orders = {
    orders: {
      items: { id: string; quantity: number }[]
      payment_collections: { payments: { id: string }[] }[]
      fulfillments: { id: string }[]
    }[]
  }
  const placed = (await ask<Orders>('order placed', m.changedOrdersRequest({ start, end, take: 10 }))).orders[0]!
  await shop.capture(id)
  await ask('order captured', m.ordersByIdRequest([id]))
  await ask('payments', m.changedPaymentsRequest({ start, end, take: 10 }))
  const items = placed.items.map((item) => ({ id: item.id, quantity: item.quantity }))
  const parcel = { items, waybill: 'W-1', notify: true }
  await ask('fulfilment', m.fulfillRequest(id, { ...parcel, locationId: null }))
  await ask('fulfilment again', m.fulfillRequest(id, { ...parcel, locationId: null }))
  const made = (await ask<Orders>('order fulfilled', m.ordersByIdRequest([id]))).orders[0]!.fulfillments[0]!.id
  await ask('shipped', m.shipRequest(id, made, { ...parcel, trackingUrl: '' }))
  await ask('shipped again', m.shipRequest(id, made, { ...parcel, trackingUrl: '' }))
  await ask('delivered', m.deliveredRequest(id, made))
  await ask('delivered again', m.deliveredRequest(id, made))
  await ask('cancel too late', m.cancelRequest(id))
  const payment = placed.payment_collections[0]!.payments[0]!.id
  await ask('refund', m.refundRequest(payment, { amount: 100, note: 'damaged [r1]' }))
  await ask('refund too much', m.refundRequest(payment, { amount: 99_999, note: 'x' }))
  await ask('order delivered', m.ordersByIdRequest([id]))
  const second = await shop.place({ 'SHIRT-M': 1 })
  await ask('cancelled', m.cancelRequest(second))
  await ask('cancelled again', m.cancelRequest(second))
  await ask('order cancelled', m.ordersByIdRequest([second]))
  const { variants } = await ask<{ variants: m.Variant[] }>('variants', m.variantsRequest({ offset: 0, limit: 10 }))
  await ask('inventory', m.inventoryRequest({ offset: 0, limit: 10 }))
  const {
    stock_locations: [location],
  } = await ask<{ stock_locations: { id: string }[] }>('stock locations', m.stockLocationsRequest())
  const level = {
    inventory_item_id: variants[0]!.inventory_items![0]!.inventory_item_id,
    location_id: location!.id,
    stocked_quantity: 17,
  }
  await ask('levels written', m.levelsRequest([level]))
  await ask('level of no item', m.levelsRequest([{ ...level, inventory_item_id: 'iitem_none' }]))
  return recorded
}

for (const [peer, answers] of [
  [vendurePeer, vendureAnswers],
  [medusaPeer, medusaAnswers],
] as const) {
  const running = await peer.start(say)
  try {
    save(peer.name, peer.title, await answers(running))
  } finally {
    await running.stop()
  }
}
