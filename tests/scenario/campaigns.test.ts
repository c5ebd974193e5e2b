/** Group-buys and goods that are not there, from outside to the warehouse's file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applyConnections } from '../../store/configuration.ts'
import { transaction } from '../../store/db.ts'
import { move } from '../../store/ledger/operations.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

interface Campaign {
  state: string
  orders: number
  counted: number | null
}
interface Detail extends OrderBody {
  notices: { template: string }[]
  owed: { kind: string; state: string }[]
  tasks: { kind: string }[]
  facts: Record<string, { for?: string }>
}

interface Lacking {
  backorders: { orderId: string; quantity: number }[]
}
const PLAIN = { kind: 'online', campaign: undefined }

describe('group-buys and backorders', () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  })
  afterAll(() => world?.stop())

  const join = async (campaign: string, sku: string, quantity: number, change: Record<string, unknown> = {}) => {
    const order = storeOrder({ kind: 'groupBuy', campaign, lines: [{ sku, quantity, unitPriceMinor: 10_000 }], ...change })
    const answer = await world.post<OrderBody>('/api/v1/orders', order)
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300)
    return answer.body.id
  }
  const detail = async (id: string) => (await world.get<Detail>(`/api/v1/orders/${id}`)).body
  const setUp = async (id: string, sku: string, minimum: number, quantity: number) => {
    const answer = await world.post<Campaign>('/api/v1/campaigns', {
      id,
      minimum,
      closesAt: new Date(Date.now() + 3_600_000).toISOString(),
      allotments: [{ sku, location: 'wh-north', quantity }],
    })
    expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  }
  const waitsFor = (id: string) =>
    world.until(`${id} waits for its campaign`, async () => (await detail(id)).facts.confirmAsked?.for === 'campaign')

  it('members wait, the closing finds enough of them, and their goods go to the warehouse', async () => {
    await setUp('autumn', 'CAP', 3, 10)
    const [paid, door] = [await join('autumn', 'CAP', 2), await join('autumn', 'CAP', 1, { payment: { method: 'cod' } })]
    await waitsFor(paid)
    await waitsFor(door)
    expect((await world.post(`/api/v1/orders/${paid}/confirm`, {})).status).toBe(409)
    expect((await world.stock('CAP')).available).toBe(90) // 10 are the campaign's
    const closed = await world.post<Campaign>('/api/v1/campaigns/autumn/close', {})
    expect(closed).toMatchObject({ status: 200, body: { state: 'reached', counted: 3 } })
    await world.until('the paid one is at the warehouse', async () => ['picking', 'packed'].includes(await world.phase(paid)))
    await world.until('the other is asked', async () =>
      (await detail(door)).notices.some(({ template }) => template === 'confirmCod'),
    )
    expect((await world.post(`/api/v1/orders/${door}/confirm`, {})).status).toBe(200)
    expect((await world.stock('CAP')).available).toBe(97)
    // It is over for whoever comes now.
    const late = await join('autumn', 'CAP', 1)
    await world.untilPhase(late, 'cancelled')
    expect((await detail(late)).notices.map(({ template }) => template)).toEqual(['campaignMissed'])
  })

  it('under the minimum everybody is released and told, and the money is asked back', async () => {
    await setUp('winter', 'MUG', 50, 20)
    const [paid, door] = [await join('winter', 'MUG', 2), await join('winter', 'MUG', 1, { payment: { method: 'cod' } })]
    await waitsFor(paid)
    await waitsFor(door)
    await world.post('/api/v1/campaigns/winter/close', {})
    for (const id of [paid, door]) {
      await world.untilPhase(id, 'cancelled')
      expect((await detail(id)).notices.map(({ template }) => template)).toEqual(['campaignFailed'])
    }
    expect((await detail(paid)).owed.filter(({ kind }) => kind === 'refund')).toHaveLength(1)
    expect((await detail(paid)).tasks.map(({ kind }) => kind)).toEqual(['refund.byHand'])
    expect((await world.stock('MUG')).available).toBe(100)
    expect((await world.get<{ campaigns: Campaign[] }>('/api/v1/campaigns?state=failed')).body.campaigns).toMatchObject([
      { counted: 3 },
    ])
  })

  it('what is sold before it is there is promised, and arriving goods go to who was promised first', async () => {
    await configure({
      products: [{ sku: 'RARE', name: '限量', stockPolicy: 'backorder', backorderDays: 5 }],
      policy: { shortage: ['backorder', 'purchase', 'task'] },
    })
    const [first, second] = [await join('', 'RARE', 2, PLAIN), await join('', 'RARE', 1, PLAIN)]
    await world.untilPhase(first, 'waitingStock')
    await world.untilPhase(second, 'waitingStock')
    const lacking = async () => (await world.get<Lacking>('/api/v1/backorders?state=open')).body.backorders
    await world.until('both are claimed', async () => (await lacking()).length === 2)
    expect(await lacking()).toMatchObject([
      { orderId: first, quantity: 2 },
      { orderId: second, quantity: 1 },
    ])
    const { body } = await world.get<{ purchaseRequests: unknown[] }>('/api/v1/purchase-requests?state=open')
    expect(body.purchaseRequests).toMatchObject([{ sku: 'RARE', quantity: 3, orders: 2 }])
    expect((await detail(first)).notices.map(({ template }) => template)).toEqual(['backordered'])
    const receive = (quantity: number) =>
      transaction(world.runtime.pool, (tx) =>
        move(tx, { key: `receipt:${quantity}`, sku: 'RARE', location: 'wh-north', quantity, reason: 'receipt' }),
      )
    await receive(2)
    await world.until('the first goes on', async () => ['picking', 'packed'].includes(await world.phase(first)))
    expect(await world.phase(second)).toBe('waitingStock')
    await receive(1)
    await world.until('the second goes on', async () => ['picking', 'packed'].includes(await world.phase(second)))
    expect(await lacking()).toEqual([])
    expect(
      (await world.get<{ purchaseRequests: unknown[] }>('/api/v1/purchase-requests?state=open')).body.purchaseRequests,
    ).toEqual([])
  })

  const configure = (document: Record<string, unknown>) =>
    applyConnections(world.runtime.pool, world.runtime.secretKey, document, world.runtime.connectors)
  let receipts = 0
  const receiveAt = (location: string, sku: string, quantity: number) =>
    transaction(world.runtime.pool, (tx) =>
      move(tx, { key: `more:${(receipts += 1)}`, sku, location, quantity, reason: 'receipt' }),
    )
  const goesOn = (id: string) =>
    world.until(`${id} goes on`, async () => ['picking', 'packed', 'shipped'].includes(await world.phase(id)))

  it('what only a store has is brought for its order, and what nobody has is bought with a list for the supplier', async () => {
    await configure({
      products: [{ sku: 'LAMP', name: '檯燈, 大' }],
      policy: { shortage: ['transfer', 'purchase', 'task'] },
    })
    await receiveAt('store-taipei', 'LAMP', 2)
    const brought = await join('', 'LAMP', 2, PLAIN)
    const transfer = await world.until('a transfer is asked for', async () => {
      const { body } = await world.get<{ transfers: { id: string; from: string; to: string }[] }>(
        `/api/v1/transfers?orderId=${brought}`,
      )
      return body.transfers[0]
    })
    expect(transfer).toMatchObject({ from: 'store-taipei', to: 'wh-north' })
    const bought = await join('', 'LAMP', 3, PLAIN)
    await world.untilPhase(bought, 'waitingStock')
    for (const step of ['shipped', 'arrived'])
      expect((await world.post(`/api/v1/transfers/${transfer.id}/${step}`, {})).status).toBe(200)
    await goesOn(brought)
    expect(await world.phase(bought)).toBe('waitingStock')

    const task = await world.until('buyers are asked', async () => {
      const { body } = await world.get<{ tasks: { kind: string; detail: string }[] }>('/api/v1/tasks?kind=stock.purchase')
      return body.tasks[0]
    })
    expect(task.detail).toContain('3 × LAMP for 1 order')
    const csv = await fetch(`${world.url}/api/v1/purchase-requests.csv`)
    expect([csv.headers.get('content-type'), (await csv.text()).includes('LAMP,"檯燈, 大",3,1,')]).toEqual([
      'text/csv; charset=utf-8',
      true,
    ])
    await receiveAt('wh-north', 'LAMP', 3)
    await goesOn(bought)
    await world.until('the task is closed', async () => {
      const { body } = await world.get<{ tasks: unknown[] }>('/api/v1/tasks?kind=stock.purchase')
      return body.tasks.length === 0
    })
  })

  it('a store comes before the web, and the web before replenishment, whoever asked first', async () => {
    await configure({
      products: [{ sku: 'DESK', name: '桌', stockPolicy: 'backorder' }],
      policy: { claimPriority: { store: -1, replenishment: 5 } },
    })
    const ids: string[] = []
    for (const kind of ['replenishment', 'online', 'store']) {
      const id = await join('', 'DESK', 1, { ...PLAIN, kind })
      await world.untilPhase(id, 'waitingStock')
      ids.push(id)
    }
    const [replenishment, web, store] = ids as [string, string, string]
    await world.until('all are claimed', async () => {
      const { body } = await world.get<Lacking>('/api/v1/backorders?state=open&sku=DESK')
      return body.backorders.length === 3
    })
    for (const [next, waiting] of [
      [store, [web, replenishment]],
      [web, [replenishment]],
      [replenishment, []],
    ] as const) {
      await receiveAt('wh-north', 'DESK', 1)
      await goesOn(next)
      for (const id of waiting) expect(await world.phase(id)).toBe('waitingStock')
    }
  })

  it('who has not said yes holds for as long as the product or the kind of order says, and then others may have it', async () => {
    await configure({
      products: [
        { sku: 'QUICK', name: '快', holdTtlMs: 1_000 },
        { sku: 'SLOW', name: '慢' },
      ],
      policy: { holdTtlMsByKind: { store: 1_000 } },
    })
    for (const sku of ['QUICK', 'SLOW']) await receiveAt('wh-north', sku, 1)
    const cod = { ...PLAIN, payment: { method: 'cod' } }
    const slow = await join('', 'SLOW', 1, cod)
    await world.until('it is asked', async () => (await detail(slow)).facts.confirmAsked !== undefined)
    await join('', 'QUICK', 1, cod)
    const letsGo = (sku: string, holds: number) =>
      world.until(`${sku} was held and is free again`, async () => {
        const { rows } = await world.runtime.pool.query('select from holds where sku = $1', [sku])
        return rows.length === holds && (await world.stock(sku)).available === 1
      })
    await letsGo('QUICK', 1)
    expect((await world.stock('SLOW')).available).toBe(0)
    expect((await world.post(`/api/v1/orders/${slow}/cancel`, {})).status).toBeLessThan(300)
    await world.untilPhase(slow, 'cancelled')
    await join('', 'SLOW', 1, { ...cod, kind: 'store' })
    await letsGo('SLOW', 2)
  })

  it('leaves nothing that the audit finds', async () => {
    expect((await world.audit()).violations).toEqual([])
  })
})
