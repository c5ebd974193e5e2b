/** The audit on an order's goods: each invariant is broken on purpose, in a shop that was whole before. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { askReturn } from '../../activities/returns/ask.ts'
import { exchangeLines } from '../../activities/returns/exchange.ts'
import { audit } from '../../store/audit.ts'
import { BENCH, addBench } from '../model/bench.ts'
import { OrderWorld, type Kind } from '../model/orderWorld.ts'
import { startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
  await addBench(spine)
})
afterAll(() => spine?.stop())

let world: OrderWorld
let orderId = ''
const sql = (text: string, values: unknown[] = []) => spine.db.pool.query(text, values)
const found = async () => (await audit(spine.db.pool)).violations.map(({ invariant, subject }) => [invariant, subject])
const details = async () => (await audit(spine.db.pool)).violations.map(({ detail }) => detail)
async function played(onward: number, ...kinds: Kind[]): Promise<void> {
  world = await OrderWorld.begin(spine, kinds)
  orderId = world.players[0]?.orderId ?? ''
  for (const order of kinds.keys()) await world.happen({ is: 'rest', order })
  for (let taken = 0; taken < onward; taken++) for (const order of kinds.keys()) await world.happen({ is: 'onward', order })
  expect(await found()).toEqual([])
}
const unitId = async (id = orderId) => (await sql('select id from units where order_id = $1', [id])).rows[0]?.id as string

describe('a unit at its warehouse', () => {
  beforeEach(() => played(1, 'prepaid'))

  test('more is held than is wanted', async () => {
    await sql(
      `insert into holds (key, order_id, line_id, sku, location, quantity) values ('by hand', $1, '1', 'TEE-M', 'south', 1)`,
      [orderId],
    )
    await sql(`update stock set held = held + 1 where sku = 'TEE-M' and location = 'south'`)
    expect(await found()).toEqual([['no more is held than is wanted', `${orderId}/1`]])
    expect(await details()).toEqual(['wanted 2, sent 0, held 3, being brought 0'])
  })

  test('what it shall send is held for nobody', async () => {
    await sql(`update holds set state = 'released', ended_at = now() where order_id = $1`, [orderId])
    await sql(`update stock set held = 0 where sku = 'TEE-M' and location = 'north'`)
    expect(await found()).toEqual([['what a unit shall send is held for it', `${orderId}/1 at north`]])
  })

  test('a second unit carries the same goods, and nothing is held for it', async () => {
    await sql(`insert into units (id, order_id, serial, location, state) values ('second', $1, 9, 'south', 'ready')`, [orderId])
    await sql(`insert into unit_lines (unit_id, line_id, sku, quantity) values ('second', '1', 'TEE-M', 2)`)
    expect(await found()).toEqual([
      ['what a unit shall send is held for it', `${orderId}/1 at south`],
      ['no unit carries more than is wanted', `${orderId}/1`],
    ])
  })

  test('a line counts what no unit did', async () => {
    await sql('update order_lines set picked = 1 where order_id = $1', [orderId])
    expect((await found())[0]).toEqual(['a line counts what its units did', `${orderId}/1`])
  })

  test('more is struck off than is left', async () => {
    await sql('update order_lines set held = 3 where order_id = $1', [orderId])
    expect(await found()).toEqual([['no more is held, sent or struck off than was ordered', `${orderId}/1`]])
  })
})

test('a parcel left, and more left the shelf than was in it', async () => {
  await played(3, 'prepaid')
  const unit = await unitId()
  await sql(
    `insert into movements (key, sku, location, quantity, reason, reference) values ('by hand', 'TEE-M', 'north', -1, 'shipped', $1)`,
    [unit],
  )
  await sql(`update stock set on_hand = on_hand - 1 where sku = 'TEE-M' and location = 'north'`)
  expect(await found()).toEqual([['what left the shelves is what was sent', unit]])
})

test('goods left the shelf for a unit that nobody knows', async () => {
  await played(1, 'prepaid')
  await sql(
    `insert into movements (key, sku, location, quantity, reason, reference) values ('ghost', 'TEE-M', 'north', -1, 'handedOver', 'ghost')`,
  )
  await sql(`update stock set on_hand = on_hand - 1 where sku = 'TEE-M' and location = 'north'`)
  expect(await found()).toEqual([['what left the shelves is what was sent', 'ghost']])
})

test('a voucher whose goods are still at the store is marked as used', async () => {
  await played(0, 'pickup')
  const { code } = (await sql('select code from vouchers')).rows[0] as { code: string }
  await sql('update vouchers set used_at = now()')
  expect(await found()).toEqual([['a voucher is used by whom its goods are handed over to', code]])
  expect(await details()).toEqual(['used, and its goods are packed'])
})

test('two parcels are booked for the box of two orders', async () => {
  await played(3, 'shared', 'shared')
  const boxes = await sql('select distinct shared_box as box from units where location = $1', [BENCH])
  expect(boxes.rows).toHaveLength(1)
  await sql(`update parcels set rides_in = null, waybill = waybill || '-2' where rides_in is not null`)
  expect(await found()).toEqual([['one booking a box', boxes.rows[0]?.box]])
})

describe('an exchange', () => {
  let exchangeId = ''
  let returnId = ''
  async function exchangeIsAsked(): Promise<void> {
    await played(4, 'prepaid')
    const wanted = { key: `exchange of ${orderId}`, reason: 'too small', way: 'store' as const, location: 'shop', pickup: null }
    const { row } = await askReturn(
      spine.runtime,
      orderId,
      {
        ...wanted,
        lines: [{ lineId: '1', quantity: 1 }],
        exchange: { lines: exchangeLines([{ sku: 'TEE-S', quantity: 1, unitPriceMinor: 10_000 }]) },
      },
      'person:test',
    )
    returnId = row.id
    exchangeId = row.exchangeOrderId ?? ''
    expect(await found()).toEqual([])
  }
  beforeEach(exchangeIsAsked)

  test('its other goods leave though the old ones have not come', async () => {
    await world.happen({ is: 'returnRound', late: false })
    await world.happen({ is: 'return', order: 0, which: 0, how: 'receive', quantity: 1, disposition: 'restock', other: null })
    for (let taken = 0; taken < 2; taken++) await world.happen({ is: 'onward', order: 1 })
    expect((await sql('select state from units where order_id = $1', [exchangeId])).rows).toEqual([{ state: 'packed' }])
    expect(await found()).toEqual([])
    await sql(`update returns set exchange_state = 'held' where id = $1`, [returnId])
    expect(await found()).toEqual([['the goods of an exchange leave when the old ones are here', returnId]])
  })

  test('the money is paid back though other goods were given for it', async () => {
    await world.happen({ is: 'return', order: 0, which: 0, how: 'receive', quantity: 1, disposition: 'restock', other: null })
    expect(await found()).toEqual([])
    await sql(
      `insert into outbox (key, participant, connection, kind, order_id, payload) values ('refund:by hand', 'pos', 'store-taipei', 'refund', $1, '{"amountMinor": 20000}')`,
      [orderId],
    )
    expect(await found()).toEqual([['money paid back never exceeds money paid', orderId]])
  })
})
