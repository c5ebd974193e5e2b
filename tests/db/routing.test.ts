/** Rules tried on past orders, and what can be promised to a customer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deliveryOptions, type Basket } from '../../activities/deliveryOptions.ts'
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
    expect(await offered({ lines: [{ sku: 'RARE', quantity: 1 }] })).toEqual([])
  })

  it('is not the next day after the cut-off, and nothing by courier from where all is closed', async () => {
    await settle({ tariffs, places: { north: { cutOff: '00:00' }, south: { cutOff: '00:00' } } })
    expect(await offered()).toEqual(['home POST', 'cvs UNIMART', 'storePickup shop'])
    await settle({ tariffs, places: { north: { closed: true }, south: { closed: true } } })
    expect(await offered()).toEqual(['storePickup shop'])
    await settle({})
  })
})
