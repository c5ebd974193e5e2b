/** Rules tried on past orders, and what can be promised to a customer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliveryOffer, deliveryOptions, type Basket } from '../../activities/deliveryOptions.ts'
import { simulateRouting } from '../../activities/routingSimulation.ts'
import { Policy } from '../../domain/policy.ts'
import { addDays, localTime } from '../../domain/localTime.ts'
import { Routing } from '../../domain/routing/types.ts'
import { lines, startSpine, type Spine } from './spineFixture.ts'

let spine: Spine
beforeAll(async () => {
  spine = await startSpine()
})
afterAll(() => spine.stop())

const tariffs = [
  { courier: 'ecpay', service: 'TCAT', method: 'home', priceMinor: 12_000, days: 1 },
  { courier: 'ecpay', service: 'POST', method: 'home', priceMinor: 8_000, days: 3 },
  { courier: 'ecpay', service: 'UNIMART', method: 'cvs', priceMinor: 6_000, days: 2 },
]
const settle = async (routing: object) => {
  const policy = Policy.parse({ routing })
  await spine.runtime.pool.query('insert into settings (version, policy) select max(version) + 1, $1 from settings', [policy])
}

describe('simulating', () => {
  it('decides past orders anew with the stock that was known then, and leaves them alone', async () => {
    const both = await spine.place({ lines: lines(['TEE-M', 2]) })
    const onlyNorth = await spine.place({ lines: lines(['TEE-S', 1]) })
    for (const id of [both, onlyNorth]) await spine.untilRouted(id)
    // Meanwhile the south has sold out: what was known then still counts.
    await spine.runtime.pool.query(`update stock set safety = on_hand where location = 'south'`)
    const rules = Routing.parse({ tariffs, rules: [{ name: 'south', effect: 'prefer', locations: ['south'] }] })
    const { orders, unknown } = await simulateRouting(spine.runtime, [both, onlyNorth, 'nobody'], rules)
    expect(unknown).toEqual(['nobody'])
    expect(orders).toMatchObject([
      { was: ['north'], would: ['south'], changed: true, asKnownThen: true, freightAfterMinor: 8_000 },
      { was: ['north'], would: ['north'], changed: false, because: 'north: no other way has everything' },
    ])
    expect((await spine.order(both)).units.map((unit) => unit.location)).toEqual(['north'])
    await spine.runtime.pool.query(`update stock set safety = 0 where location = 'south'`)
  })

  it('refuses rules that name what is not there: they would do nothing, without a word', async () => {
    const rules = Routing.parse({
      tariffs: [{ ...tariffs[0], courier: 'nobody' }],
      rules: [{ name: 'typo', effect: 'only', locations: ['north', 'noth'] }],
      places: { sooth: { couriers: ['store-taipei'] } },
    })
    await expect(simulateRouting(spine.runtime, [], rules)).rejects.toMatchObject({
      kind: 'Invalid',
      message:
        'rules[0].locations[1] "noth": there is no such location; tariffs[0].courier "nobody": there is no such connection; ' +
        'places.sooth "sooth": there is no such location; places.sooth.couriers[0] "store-taipei": this connection books no parcels',
      remedy: expect.stringContaining('north, shop, south') as string,
    })
  })

  it('says of a pickup that it is for its store, not that there was no other way', async () => {
    const id = await spine.place({ kind: 'store', delivery: { method: 'storePickup', location: 'shop' } })
    await spine.steps.check(id)
    await spine.steps.reserve(id)
    const { orders } = await simulateRouting(spine.runtime, [id], Routing.parse({}))
    expect(orders).toMatchObject([{ was: ['shop'], because: 'shop: the order is for this store' }])
  })
})

describe('goods that break', () => {
  it('go by the courier that takes them, and where none does a person is told which to name', async () => {
    const fragile = (is: boolean) => spine.runtime.pool.query(`update products set fragile = $1 where sku = 'CAP'`, [is])
    const packed = async () => {
      const id = await spine.place({ lines: lines(['CAP', 1]) })
      await spine.untilRouted(id)
      await spine.command(id, 'packed')
      await spine.steps.intendParcel(id, (await spine.order(id)).units[0]?.id ?? '')
      return id
    }
    await fragile(true)
    await settle({ tariffs: [tariffs[0], { ...tariffs[1], fragile: false }] })
    expect((await spine.order(await packed())).parcels.map(({ service }) => service)).toEqual(['TCAT'])
    await settle({ tariffs: [{ ...tariffs[1], fragile: false }] })
    const id = await packed()
    expect((await spine.order(id)).parcels).toEqual([])
    const { rows } = await spine.runtime.pool.query(
      `select detail, remedy from tasks where order_id = $1 and kind = 'courier.missing'`,
      [id],
    )
    expect(rows).toMatchObject([
      {
        detail: expect.stringContaining('no courier of location south takes goods that break') as string,
        remedy: expect.stringContaining('policy.routing.places.south') as string,
      },
    ])
    await fragile(false)
    await settle({})
  })
})

describe('what can be promised', () => {
  const basket = (more: Partial<Basket> = {}): Basket => ({
    channel: 'web',
    postalCode: '106',
    lines: [{ sku: 'TEE-M', quantity: 1 }],
    cod: false,
    valueMinor: 10_000,
    ...more,
  })
  const offered = async (more?: Partial<Basket>) =>
    (await deliveryOptions(spine.runtime, basket(more))).map(({ option, location, service }) =>
      [option, location ?? service].join(' '),
    )
  const today = localTime(new Date().toISOString(), 'Asia/Taipei').date

  it('is everything that stock and tariffs can keep, with its day and price', async () => {
    await settle({ tariffs })
    const options = await deliveryOptions(spine.runtime, basket())
    expect(options).toEqual([
      {
        option: 'nextDay',
        location: null,
        from: ['north'],
        courier: 'ecpay',
        service: 'TCAT',
        freightMinor: 12_000,
        arrivesOn: addDays(today, 1),
      },
      {
        option: 'home',
        location: null,
        from: ['north'],
        courier: 'ecpay',
        service: 'POST',
        freightMinor: 8_000,
        arrivesOn: addDays(today, 3),
      },
      {
        option: 'cvs',
        location: null,
        from: ['north'],
        courier: 'ecpay',
        service: 'UNIMART',
        freightMinor: 6_000,
        arrivesOn: addDays(today, 2),
      },
      {
        option: 'storePickup',
        location: 'shop',
        from: ['shop'],
        courier: null,
        service: null,
        freightMinor: 0,
        arrivesOn: today,
      },
    ])
  })

  it('is no store that has not all of it, and nothing at all of what is not there', async () => {
    expect(await offered({ lines: [{ sku: 'CAP', quantity: 1 }] })).toEqual(['nextDay TCAT', 'home POST', 'cvs UNIMART'])
    expect(await deliveryOffer(spine.runtime, basket({ lines: [{ sku: 'RARE', quantity: 1 }] }))).toEqual({
      options: [],
      because: 'not enough of RARE (0 of 1)',
    })
  })

  it('is not the next day after the cut-off, and nothing by courier from where all is closed', async () => {
    await settle({ tariffs, places: { north: { cutOff: '00:00' }, south: { cutOff: '00:00' } } })
    expect(await offered()).toEqual(['home POST', 'cvs UNIMART', 'storePickup shop'])
    await settle({ tariffs, places: { north: { closed: true }, south: { closed: true } } })
    expect(await offered()).toEqual(['storePickup shop'])
    await settle({})
  })
})
