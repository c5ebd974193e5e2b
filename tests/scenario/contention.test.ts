import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startWorld, storeOrder, type World } from './world.ts'

/** Seventy orders of one piece each want the last forty; thirty want a CAP and a MUG, half of them in the other order. */
const STOCK = { RARE: 40, CAP: 12, MUG: 20 }
const WANTED = { RARE: 70, CAP: 30, MUG: 30 }
const AT_ONCE = 32

describe('a hundred orders for the last pieces', () => {
  let world: World
  const orders: { id: string; pair: boolean }[] = []

  beforeAll(async () => {
    world = await startWorld({ stock: STOCK })
  })
  afterAll(() => world?.stop())

  const line = (sku: string) => ({ sku, quantity: 1, unitPriceMinor: 59_000 })
  const linesOf = (index: number): { pair: boolean; lines: unknown[] } => {
    if (index % 10 < 7) return { pair: false, lines: [line('RARE')] }
    return { pair: true, lines: index % 2 === 0 ? [line('CAP'), line('MUG')] : [line('MUG'), line('CAP')] }
  }
  const phases = async (): Promise<{ id: string; phase: string; pair: boolean }[]> => {
    const listed = await world.runtime.pool.query<{ id: string; phase: string }>('select id, phase from orders')
    const phaseOf = new Map(listed.rows.map((row) => [row.id, row.phase]))
    return orders.map((order) => ({ ...order, phase: phaseOf.get(order.id) ?? 'lost' }))
  }
  /** Cash on delivery stays at the confirmation: what is held stays to be counted. */
  const decided = async (): Promise<boolean> =>
    (await phases()).every(({ phase }) => phase === 'confirming' || phase === 'waitingStock')
  const count = async (pair: boolean, phase: string): Promise<number> =>
    (await phases()).filter((order) => order.pair === pair && order.phase === phase).length
  const openTasks = async () => {
    const { rows } = await world.runtime.pool.query<{ kind: string; order_id: string }>(
      `select kind, order_id from tasks where state = 'open'`,
    )
    return rows
  }
  const setStock = async (sku: string, onHand: number) => {
    const answer = await world.post('/api/v1/stock', { sku, location: 'wh-north', onHand, reason: 'count' })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  }

  it('reserves exactly what is there, and the others wait, each with one task', async () => {
    const queue = Array.from({ length: 100 }, (_, index) => linesOf(index))
    const client = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const answer = await world.post<{ id: string }>(
          '/api/v1/orders',
          storeOrder({ lines: next.lines, payment: { method: 'cod' } }),
        )
        expect(answer.status, JSON.stringify(answer.body)).toBe(201)
        orders.push({ id: answer.body.id, pair: next.pair })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, client))
    expect(new Set(orders.map(({ id }) => id)).size).toBe(100)
    await world.until('every order holds its pieces or waits for them', decided, 90_000)

    expect(await count(false, 'confirming')).toBe(STOCK.RARE)
    expect(await count(true, 'confirming')).toBe(STOCK.CAP)
    expect(await world.stock('RARE')).toMatchObject({ onHand: 40, held: 40, available: 0 })
    expect(await world.stock('CAP')).toMatchObject({ onHand: 12, held: 12, available: 0 })
    // All or nothing: an order that got no CAP keeps no MUG from the others.
    expect(await world.stock('MUG')).toMatchObject({ onHand: 20, held: 12, available: 8 })
    const waiting = (await phases()).filter(({ phase }) => phase === 'waitingStock').map(({ id }) => id)
    const tasks = await openTasks()
    expect(tasks.map((task) => task.order_id).sort()).toEqual(waiting.sort())
    expect(new Set(tasks.map((task) => task.kind))).toEqual(new Set(['stock.short']))
    expect((await world.audit()).violations).toEqual([])
  })

  it('goes on by itself with as many as new pieces allow, and with all when there is enough', async () => {
    await setStock('RARE', 55)
    await world.until('fifteen more hold theirs', async () => (await count(false, 'confirming')) === 55)
    expect(await count(true, 'confirming')).toBe(STOCK.CAP)
    for (const [sku, onHand] of Object.entries(WANTED)) await setStock(sku, onHand)
    await world.until('every order holds its pieces', async () => (await phases()).every(({ phase }) => phase === 'confirming'))
    for (const [sku, onHand] of Object.entries(WANTED))
      expect(await world.stock(sku)).toMatchObject({ onHand, held: onHand, available: 0 })
    expect(await openTasks()).toEqual([])
    expect((await world.audit()).violations).toEqual([])
  })
})
