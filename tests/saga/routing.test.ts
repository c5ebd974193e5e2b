/** From where orders leave: rules of the configuration, the courier's tariff, a location that is closed. */
import { expect, it } from 'vitest'
import { Policy } from '../../domain/policy.ts'
import { Routing, RoutingPlace } from '../../domain/routing/types.ts'
import { decisionsOf } from '../../store/routingDecisions.ts'
import { useSagaWorld, type SagaOrder } from './sagaWorld.ts'

const rules = [
  { name: 'the market is served from the south', effect: 'prefer', locations: ['wh-south'], when: { channel: ['market'] } },
  { name: 'gifts stay together', effect: 'split', maxUnits: 1, when: { priorityAtLeast: 50 } },
]
const world = useSagaWorld({ policy: { routing: Routing.parse({ rules }) } })

const places = async (order: SagaOrder) => (await order.units()).map((unit) => `${unit.location} ${unit.state}`)
/** A new settings version; orders that began before keep their rules, but not the places. */
const close = async (...locations: string[]) => {
  const { rows } = await world.runtime.pool.query<{ version: number; policy: unknown }>(
    'select * from settings order by version desc limit 1',
  )
  const policy = Policy.parse(rows[0]?.policy)
  policy.routing.places = Object.fromEntries(locations.map((id) => [id, RoutingPlace.parse({ closed: true })]))
  await world.runtime.pool.query('insert into settings (version, policy) values ($1, $2)', [(rows[0]?.version ?? 0) + 1, policy])
}

it('an order leaves from where a rule prefers, and the decision says why', async () => {
  const order = await world.order({ lines: [[await world.sku({ north: 5, south: 5 }), 1]] })
  await order.untilPhase('confirmed')
  await order.idle()
  expect(await places(order)).toEqual(['wh-south ready'])
  const [kept] = await decisionsOf(world.runtime.pool, order.id)
  expect(kept).toMatchObject({
    stage: 'reserve',
    decision: {
      because: 'wh-south lies more to the wish of a rule than wh-north',
      rules: [{ name: 'the market is served from the south', did: 'prefers wh-south' }],
    },
  })
  for (const location of ['wh-north', 'wh-south'])
    expect(kept?.decision.candidates.find((each) => each.location === location)).toMatchObject({
      stock: [{ wanted: 1, available: 5 }],
      leftOut: null,
    })
  expect(JSON.stringify(kept)).not.toContain('陳測試')
  await world.sound()
})

it('an order that may not be split waits until one place has everything', async () => {
  const [a, b] = [await world.sku({ north: 1 }), await world.sku({ south: 1 })]
  const order = await world.order({
    lines: [
      [a, 1],
      [b, 1],
    ],
    change: { priority: 60 },
  })
  await order.untilPhase('waitingStock')
  await order.untilTask('stock.short')
  await world.receive(b, 'wh-north', 1)
  await order.ask('retry')
  await order.untilPhase('confirmed')
  await order.idle()
  expect(await places(order)).toEqual(['wh-north ready'])
  await world.sound()
})

it('what waits at a place that is closed goes from another; with none left a person decides, and reopening lets it go on', async () => {
  const sku = await world.sku({ north: 5, south: 5 })
  const order = await world.order({ lines: [[sku, 2]] })
  await order.untilPhase('confirmed')
  await order.idle()
  await close('wh-south')
  await world.sweep()
  await world.until('it waits in the north', async () => (await places(order)).includes('wh-north ready'))
  expect(await places(order)).toEqual(['wh-south cancelled', 'wh-north ready'])
  expect(await world.stock(sku, 'wh-south')).toMatchObject({ held: 0 })
  expect(await world.stock(sku, 'wh-north')).toMatchObject({ held: 2 })

  await close('wh-south', 'wh-north')
  await world.sweep()
  await order.untilTask('pick.short')
  await close()
  await order.ask('retry')
  await world.until('it waits again', async () => (await places(order)).includes('wh-south ready'))
  await world.sound()
})
