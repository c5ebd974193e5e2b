/** Random events, with the sequences that go far often enough to be worth disturbing. */
import fc from 'fast-check'
import type { Event, Kind, OrderWorld } from './orderWorld.ts'

// Exchanges are orders too.
const order = fc.nat({ max: 3 })
const some = fc.nat({ max: 2 })
const of = <E extends Event>(is: E['is'], more: { [K in Exclude<keyof E, 'is'>]: fc.Arbitrary<E[K]> }): fc.Arbitrary<Event> =>
  fc.record({ is: fc.constant(is), ...more }) as unknown as fc.Arbitrary<Event>
type Of<I extends Event['is']> = Extract<Event, { is: I }>

const verb = fc.constantFrom<Of<'verb'>['verb'][]>(
  'confirm', 'confirm', 'cancel', 'cancel', 'letGo', 'retry', 'rebook', 'rebook', 'packed', 'packed', 'shipWithout', 'recalled', 'restocked',
  'arrived', 'decide', 'decide', 'collected', 'paid', 'skip',
) // prettier-ignore

const lines = fc.constantFrom<Record<string, unknown>[]>(
  { recipient: { name: '新名字' } },
  { delivery: { service: 'TCAT' } },
  { notes: 'ring twice' },
)

export const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  { weight: 14, arbitrary: of<Of<'step'>>('step', { order }) },
  { weight: 8, arbitrary: of<Of<'rest'>>('rest', { order }) },
  { weight: 32, arbitrary: of<Of<'onward'>>('onward', { order }) },
  { weight: 1, arbitrary: of<Of<'crash'>>('crash', { order }) },
  { weight: 3, arbitrary: of<Of<'die'>>('die', { order, after: fc.nat({ max: 6 }) }) },
  { weight: 1, arbitrary: of<Of<'timeOut'>>('timeOut', { order }) },
  {
    weight: 14,
    arbitrary: fc.record({ order, verb, unheard: fc.boolean() }).map((said): Event => ({ is: 'verb', ...said })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ order, detail: lines, unheard: fc.boolean() })
      .map((said): Event => ({ is: 'verb', verb: 'change', ...said })),
  },
  { weight: 8, arbitrary: fc.constant<Event>({ is: 'wave' }) },
  {
    weight: 12,
    arbitrary: of<Of<'advice'>>('advice', {
      order,
      unit: some,
      status: fc.constantFrom('picked', 'packed', 'packed', 'packed', 'shipped', 'cancelled', 'cancelRefused'),
      short: fc.constantFrom(0, 0, 0, 1, 2),
    }),
  },
  {
    weight: 10,
    arbitrary: of<Of<'news'>>('news', {
      order,
      parcel: some,
      meaning: fc.constantFrom(
        'shipped',
        'inTransit',
        'delivered',
        'delivered',
        'returning',
        'returned',
        'problem',
        'lost',
        'unknown',
      ),
      minute: fc.nat({ max: 30 }),
    }),
  },
  { weight: 3, arbitrary: of<Of<'booking'>>('booking', { fate: fc.constantFrom('refuse', 'invalid', 'down', 'lost', 'late') }) },
  { weight: 1, arbitrary: of<Of<'cancelling'>>('cancelling', { fate: fc.constantFrom('refuse', 'down') }) },
  {
    weight: 4,
    arbitrary: of<Of<'stock'>>('stock', {
      location: fc.constantFrom('north', 'south', 'shop'),
      sku: fc.constantFrom('TEE-S', 'TEE-M', 'CAP'),
      onHand: fc.constantFrom(0, 1, 3, 8),
    }),
  },
  {
    weight: 1,
    arbitrary: of<Of<'allot'>>('allot', {
      location: fc.constantFrom('north', 'south'),
      sku: fc.constant('TEE-M'),
      quantity: fc.nat({ max: 6 }),
    }),
  },
  {
    weight: 3,
    arbitrary: of<Of<'transfer'>>('transfer', {
      which: some,
      how: fc.constantFrom('ship', 'ship', 'arrive', 'arrive', 'cancel', 'sweep'),
      less: fc.constantFrom(0, 0, 1),
    }),
  },
  {
    weight: 9,
    arbitrary: of<Of<'return'>>('return', {
      order,
      which: some,
      how: fc.constantFrom('ask', 'ask', 'ask', 'ask', 'approve', 'refuse', 'cancel', 'receive', 'receive', 'inspect', 'inspect'),
      quantity: fc.integer({ min: 1, max: 2 }),
      disposition: fc.constantFrom('restock', 'outlet', 'refurbish', 'scrap'),
      other: fc.constantFrom(null, 'TEE-S', 'CAP'),
    }),
  },
  { weight: 1, arbitrary: of<Of<'returnRound'>>('returnRound', { late: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: of<Of<'bench'>>('bench', {
      unit: some,
      how: fc.constantFrom('wave', 'pack', 'pack', 'broken', 'notThere', 'leave', 'wrong'),
    }),
  },
  {
    weight: 3,
    arbitrary: of<Of<'voucher'>>('voucher', {
      order,
      how: fc.constantFrom('shown', 'shown', 'shownElsewhere', 'mistyped', 'expires'),
      unheard: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: of<Of<'tried'>>('tried', {
      order,
      keep: fc.nat({ max: 4 }),
      keepOthers: some,
      other: fc.constantFrom(null, null, 'CAP', 'TEE-M'),
      unheard: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: of<Of<'payBack'>>('payBack', {
      fate: fc.constantFrom('ok', 'lost', 'lost', 'down', 'refuse'),
      twice: fc.boolean(),
      after: fc.option(fc.nat({ max: 12 })),
    }),
  },
  { weight: 3, arbitrary: of<Of<'byHand'>>('byHand', { which: some, twice: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant<Event>({ is: 'campaignEnds' }) },
  { weight: 2, arbitrary: of<Of<'expire'>>('expire', { order, swept: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: of<Of<'told'>>('told', {
      order,
      what: fc.constantFrom('again', 'cancelled', 'more', 'less', 'cheaper', 'dearer', 'paid', 'address', 'held', 'released'),
    }),
  },
  { weight: 2, arbitrary: of<Of<'close'>>('close', { location: fc.constantFrom('north', 'south'), closed: fc.boolean() }) },
)

/** One event as a command: those that come after the failing one are dropped at once when a sequence is made shorter. */
class Happening implements fc.AsyncCommand<object, OrderWorld, false> {
  readonly event: Event
  constructor(event: Event) {
    this.event = event
  }
  check = () => true
  async run(_model: object, world: OrderWorld): Promise<void> {
    await world.happen(this.event)
    const broken = await world.faults()
    if (broken.length > 0) throw new Error(`after ${told(this.event)}:\n  ${broken.join('\n  ')}`)
  }
  toString = () => `\n  ${told(this.event)}`
}

export const anyEvents = fc.commands<object, OrderWorld, false>([anyEvent.map((event) => new Happening(event))], {
  maxCommands: 40,
  size: 'max',
})
const oneOrTwo = fc.array(
  fc.constantFrom<Kind[]>(
    'prepaid',
    'cod',
    'split',
    'pickup',
    'tryOn',
    'tryOnPaid',
    'brought',
    'groupBuy',
    'groupBuyCod',
    'shared',
  ),
  { minLength: 1, maxLength: 2 },
)
/** Those that share a box are no use alone. */
export const anyKinds = fc.oneof(
  { weight: 6, arbitrary: oneOrTwo },
  { weight: 1, arbitrary: fc.constantFrom<Kind[][]>(['shared', 'shared'], ['shared', 'shared', 'shared']) },
)

const told = ({ is, ...more }: Event): string =>
  `${is} ${Object.entries(more)
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ')}`
