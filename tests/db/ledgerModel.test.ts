/** Random operations against the ledger and against a model of a dozen lines: they never disagree. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { setAllotment } from '../../store/allotments.ts'
import { transaction } from '../../store/db.ts'
import { consume, levels, move, release, setSafety } from '../../store/ledger/operations.ts'
import { createReserver } from '../../store/ledger/reserver.ts'
import type { Reserver } from '../../store/ledger/types.ts'
import { freshDatabase, type FreshDatabase } from '../harness/postgres.ts'
import { addLocations, ledgerFaults, line, nextKey } from './ledgerFixture.ts'

let db: FreshDatabase
let reserver: Reserver
beforeAll(async () => {
  db = await freshDatabase()
  await addLocations(db.pool)
  reserver = createReserver(db.pool)
})
afterAll(async () => {
  await reserver.close()
  await db.drop()
})

interface Shelf {
  onHand: number
  safety: number
  /** By channel, in the order in which they were made; `used` is what was held and not given back. */
  allotted: Map<string, { quantity: number; used: number }>
}
interface Hold {
  sku: string
  quantity: number
  live: boolean
  /** The channel out of whose allotment these pieces are. */
  of: string | null
}
class Model {
  readonly shelves = new Map<string, Shelf>()
  readonly holds: Hold[][] = []
  /** The holds of each order's first line. */
  readonly firstLines: Hold[][] = []
  giveBack({ sku, of }: Hold, quantity: number) {
    const allotment = of === null ? undefined : this.shelf(sku).allotted.get(of)
    if (allotment !== undefined) allotment.used -= quantity
  }
  shelf(sku: string): Shelf {
    const shelf = this.shelves.get(sku) ?? { onHand: 0, safety: 0, allotted: new Map() }
    this.shelves.set(sku, shelf)
    return shelf
  }
  held(sku: string) {
    return this.holds
      .flat()
      .filter((hold) => hold.sku === sku && hold.live)
      .reduce((sum, hold) => sum + hold.quantity, 0)
  }
  /** What the channel may take, its own first. Each allotment keeps what it has not sold, as far as there are goods. */
  sources(sku: string, channel: string | null) {
    let left = Math.max(0, this.shelf(sku).onHand - this.shelf(sku).safety - this.held(sku))
    let own = 0
    for (const [claimant, { quantity, used }] of this.shelf(sku).allotted) {
      const kept = Math.min(left, Math.max(0, quantity - used))
      left -= kept
      if (claimant === channel) own = kept
    }
    return { own, rest: left }
  }
  available(sku: string, channel: string | null = null) {
    const { own, rest } = this.sources(sku, channel)
    return own + rest
  }
  /** The holds of one line: first of the channel's own, then of what is left. */
  take(sku: string, quantity: number, channel: string | null, live: boolean): Hold[] {
    const { own, rest } = this.sources(sku, channel)
    const mine = Math.min(quantity, own)
    const others = Math.min(quantity - mine, rest)
    const allotment = channel === null ? undefined : this.shelf(sku).allotted.get(channel)
    // What expires at once goes back to its allotment at once.
    if (allotment !== undefined && live) allotment.used += mine
    return [
      { sku, quantity: mine, live, of: channel },
      { sku, quantity: others, live, of: null },
    ].filter((hold) => hold.quantity > 0)
  }
}

const sku = fc.constantFrom('a', 'b')
const quantity = fc.integer({ min: 1, max: 6 })
const operation = fc.oneof(
  fc.record({ kind: fc.constant('move' as const), sku, quantity: fc.integer({ min: -6, max: 12 }).filter((n) => n !== 0) }),
  fc.record({ kind: fc.constant('safety' as const), sku, quantity: fc.integer({ min: 0, max: 4 }) }),
  fc.record({
    kind: fc.constant('reserve' as const),
    wants: fc.array(fc.tuple(sku, quantity), { minLength: 1, maxLength: 3 }),
    all: fc.boolean(),
    late: fc.boolean(),
    channel: fc.constantFrom(null, 'web', 'mall'),
  }),
  fc.record({
    kind: fc.constant('allot' as const),
    sku,
    channel: fc.constantFrom('web', 'mall'),
    quantity: fc.integer({ min: 0, max: 8 }),
  }),
  fc.record({ kind: fc.constant('release' as const), order: fc.nat(9), quantity: fc.option(quantity) }),
  fc.record({ kind: fc.constant('consume' as const), order: fc.nat(9), quantity }),
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

test('any sequence of operations leaves the ledger where the model says', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 5, maxLength: 40 }), async (operations) => {
      const run = nextKey()
      const model = new Model()
      const real = (name: string) => `${run}-${name}`
      const refused = (work: Promise<unknown>) =>
        work.then(
          () => false,
          (error: { kind?: string }) => {
            if (error.kind !== 'Invalid') throw error
            return true
          },
        )
      const act = async (op: Operation): Promise<void> => {
        switch (op.kind) {
          case 'move': {
            const shelf = model.shelf(op.sku)
            const after = shelf.onHand + op.quantity
            const no = await refused(
              transaction(db.pool, (tx) =>
                move(tx, { key: nextKey(), sku: real(op.sku), location: 'W1', quantity: op.quantity, reason: 'test' }),
              ),
            )
            expect(no).toBe(after < 0 || after < model.held(op.sku))
            if (!no) shelf.onHand = after
            return
          }
          case 'safety':
            model.shelf(op.sku).safety = op.quantity
            return transaction(db.pool, (tx) => setSafety(tx, { sku: real(op.sku), location: 'W1', safety: op.quantity }))
          case 'allot': {
            const { allotted } = model.shelf(op.sku)
            allotted.set(op.channel, { used: allotted.get(op.channel)?.used ?? 0, quantity: op.quantity })
            await transaction(db.pool, (tx) =>
              setAllotment(tx, { sku: real(op.sku), location: 'W1', channel: op.channel, quantity: op.quantity }),
            )
            return
          }
          case 'reserve': {
            const complete = ['a', 'b'].every(
              (name) =>
                op.wants.filter(([wanted]) => wanted === name).reduce((sum, [, wanted]) => sum + wanted, 0) <=
                model.available(name, op.channel),
            )
            // Live while it is decided, so that the lines of one request do not take the same pieces.
            const lines = op.wants.map(([name, wanted]) => {
              const holds = complete || !op.all ? model.take(name, wanted, op.channel, true) : []
              model.holds.push(holds)
              return holds
            })
            model.holds.splice(model.holds.length - lines.length)
            if (op.late) for (const hold of lines.flat()) model.giveBack(hold, hold.quantity)
            for (const hold of lines.flat()) hold.live = !op.late
            const answer = await reserver.reserve({
              key: nextKey(),
              orderId: `${run}-${model.holds.length}`,
              mode: op.all ? 'allOrNothing' : 'asMuchAsThereIs',
              expiresAt: op.late ? new Date(Date.now() - 1000) : null,
              lines: op.wants.map(([name, wanted], at) => line(real(name), wanted, String(at))),
              channel: op.channel,
            })
            expect([answer.complete, ...answer.lines.map((l) => l.held)]).toEqual([
              complete,
              ...lines.map((holds) => holds.reduce((sum, hold) => sum + hold.quantity, 0)),
            ])
            model.firstLines.push(lines[0] ?? [])
            model.holds.push(lines.flat())
            return
          }
          case 'release': {
            const holds = model.firstLines[op.order] ?? []
            let wanted = op.quantity ?? 99
            let given = 0
            // In the order in which the holds were written.
            for (const hold of holds.filter(({ live }) => live)) {
              const part = Math.min(wanted, hold.quantity)
              hold.quantity -= part
              model.giveBack(hold, part)
              wanted -= part
              given += part
            }
            const lines = [op.quantity === null ? { lineId: '0' } : { lineId: '0', quantity: op.quantity }]
            const answer = await transaction(db.pool, (tx) =>
              release(tx, { key: nextKey(), orderId: `${run}-${op.order}`, lines }),
            )
            expect(answer).toEqual({ released: given })
            return
          }
          case 'consume': {
            const holds = model.firstLines[op.order] ?? []
            const name = holds[0]?.sku
            const total = holds.reduce((sum, hold) => sum + hold.quantity, 0)
            if (name === undefined || total === 0) return
            const own = holds[0]?.live ? Math.min(total, op.quantity) : 0
            const shelf = model.shelf(name)
            const no = await refused(
              transaction(db.pool, (tx) =>
                consume(tx, {
                  key: nextKey(),
                  orderId: `${run}-${op.order}`,
                  reason: 'test',
                  reference: run,
                  lines: [{ lineId: '0', location: 'W1', quantity: op.quantity }],
                }),
              ),
            )
            expect(no).toBe(op.quantity - own > shelf.onHand - model.held(name))
            if (no) return
            shelf.onHand -= op.quantity
            // The latest first; what has left stays sold by its allotment.
            let wanted = own
            for (const hold of [...holds].reverse()) {
              const part = Math.min(wanted, hold.quantity)
              hold.quantity -= part
              wanted -= part
            }
          }
        }
      }
      for (const op of operations) await act(op)
      for (const name of model.shelves.keys()) {
        const level = (await levels(db.pool, { sku: real(name) }))[0] ?? { onHand: 0, held: 0, available: 0 }
        expect(level).toMatchObject({
          onHand: model.shelf(name).onHand,
          held: model.held(name),
          available: model.available(name),
        })
        for (const channel of ['web', 'mall'])
          expect((await levels(db.pool, { sku: real(name), channel }))[0]?.available ?? 0).toBe(model.available(name, channel))
      }
      expect(await ledgerFaults(db.pool)).toEqual([])
    }),
    { numRuns: 60 },
  )
})
