/** Group-buys and goods that are not there, from outside to the warehouse's file. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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

describe('group-buys', () => {
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

  it('leaves nothing that the audit finds', async () => {
    expect((await world.audit()).violations).toEqual([])
  })
})
