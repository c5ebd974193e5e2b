/** Random operations against the ledger and against a model of a dozen lines: they never disagree. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
}
interface Hold {
  sku: string
  quantity: number
  live: boolean
}
class Model {
  readonly shelves = new Map<string, Shelf>()
  readonly holds: Hold[][] = []
  shelf(sku: string): Shelf {
    const shelf = this.shelves.get(sku) ?? { onHand: 0, safety: 0 }
    this.shelves.set(sku, shelf)
    return shelf
  }
  held(sku: string) {
    return this.holds
      .flat()
      .filter((hold) => hold.sku === sku && hold.live)
      .reduce((sum, hold) => sum + hold.quantity, 0)
  }
  available(sku: string) {
    return Math.max(0, this.shelf(sku).onHand - this.shelf(sku).safety - this.held(sku))
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
          case 'reserve': {
            const complete = ['a', 'b'].every(
              (name) =>
                op.wants.filter(([wanted]) => wanted === name).reduce((sum, [, wanted]) => sum + wanted, 0) <=
                model.available(name),
            )
            const left = new Map([
              ['a', model.available('a')],
              ['b', model.available('b')],
            ])
            const holds = op.wants.map(([name, wanted]) => {
              const held = complete || !op.all ? Math.min(wanted, left.get(name) ?? 0) : 0
              left.set(name, (left.get(name) ?? 0) - held)
              return { sku: name, quantity: held, live: !op.late }
            })
            const answer = await reserver.reserve({
              key: nextKey(),
              orderId: `${run}-${model.holds.length}`,
              mode: op.all ? 'allOrNothing' : 'asMuchAsThereIs',
              expiresAt: op.late ? new Date(Date.now() - 1000) : null,
              lines: op.wants.map(([name, wanted], at) => line(real(name), wanted, String(at))),
            })
            expect([answer.complete, ...answer.lines.map((l) => l.held)]).toEqual([
              complete,
              ...holds.map((hold) => hold.quantity),
            ])
            model.holds.push(holds)
            return
          }
          case 'release': {
            const hold = model.holds[op.order]?.[0]
            const given = hold?.live ? Math.min(hold.quantity, op.quantity ?? 99) : 0
            const lines = [op.quantity === null ? { lineId: '0' } : { lineId: '0', quantity: op.quantity }]
            const answer = await transaction(db.pool, (tx) =>
              release(tx, { key: nextKey(), orderId: `${run}-${op.order}`, lines }),
            )
            expect(answer).toEqual({ released: given })
            if (hold) hold.quantity -= given
            return
          }
          case 'consume': {
            const hold = model.holds[op.order]?.[0]
            if (!hold || hold.quantity === 0) return
            const own = hold.live ? Math.min(hold.quantity, op.quantity) : 0
            const shelf = model.shelf(hold.sku)
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
            expect(no).toBe(op.quantity - own > shelf.onHand - model.held(hold.sku))
            if (no) return
            shelf.onHand -= op.quantity
            if (hold.live) hold.quantity -= own
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
      }
      expect(await ledgerFaults(db.pool)).toEqual([])
    }),
    { numRuns: 60 },
  )
})
