import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HttpClient, HttpRequest, RawRecord } from '../../connectors/kit/types.ts'
import { fetchOrders, orderRecord, pullOrders } from '../../connectors/shopee/pull.ts'
import { seedOrders, startShopeeSimulator, type ShopeeSimulator } from '../../simulators/shopee/index.ts'
import { context, memoryTokens, NOW, PARTNER, realHttp } from './shopee-fixtures.ts'

const day = 86_400_000
const http = realHttp()

/** Runs something after the n-th request, as a buyer would meanwhile. */
const meanwhile = (after: (count: number, request: HttpRequest) => void): HttpClient => {
  let count = 0
  return {
    async request(request) {
      const answer = await http.request(request)
      after(++count, request)
      return answer
    },
  }
}

async function collect(pages: AsyncGenerator<RawRecord[]>): Promise<RawRecord[][]> {
  const all: RawRecord[][] = []
  for await (const page of pages) all.push(page)
  return all
}

async function withSimulator<T>(pageCap: number, clock: () => Date, work: (sim: ShopeeSimulator) => Promise<T>): Promise<T> {
  const sim = await startShopeeSimulator({ ...PARTNER, pageCap, now: clock })
  try {
    return await work(sim)
  } finally {
    await sim.stop()
  }
}

describe('pull', () => {
  it('60 orders come on 3 pages of 20 when the server caps the page', async () => {
    await withSimulator(
      20,
      () => NOW,
      async (sim) => {
        sim.seed(seedOrders(60, { newest: NOW }))
        const pages = await collect(
          pullOrders(context({ config: { baseUrl: sim.url }, http }), { from: new Date(NOW.getTime() - day), to: NOW }),
        )
        expect(pages.map((page) => page.length)).toEqual([20, 20, 20])
        expect(new Set(pages.flat().map((record) => record.externalId)).size).toBe(60)
      },
    )
  })

  it('asks for details 50 at a time and for 15 days at a time', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        sim.seed(seedOrders(75, { newest: NOW, apartSeconds: 40 * 864 }))
        const pages = await collect(
          pullOrders(context({ config: { baseUrl: sim.url }, http }), { from: new Date(NOW.getTime() - 31 * day), to: NOW }),
        )
        expect(pages.flat().length).toBe(75)
        const calls = sim.calls()
        expect(calls.every((call) => call.error === '')).toBe(true)
        expect(calls.filter((call) => call.path.endsWith('get_order_list'))).toHaveLength(3)
      },
    )
  })

  it('an order edited between two pages does not push another one out of sight', async () => {
    await withSimulator(
      20,
      () => new Date(NOW.getTime() + 60_000),
      async (sim) => {
        const orders = seedOrders(60, { newest: NOW })
        sim.seed(orders)
        const first = orders[0]?.orderSn ?? ''
        let listed = 0
        const busy = meanwhile((_, request) => {
          if (request.url.includes('get_order_list') && ++listed === 1) sim.edit(first, { note: 'edited' })
        })
        const pages = await collect(
          pullOrders(context({ config: { baseUrl: sim.url }, http: busy }), { from: new Date(NOW.getTime() - day), to: NOW }),
        )
        expect(new Set(pages.flat().map((record) => record.externalId))).toEqual(new Set(orders.map((order) => order.orderSn)))
      },
    )
  })

  it('loses none and repeats none, whatever the pages, the windows and the edits meanwhile', async () => {
    let clock = NOW
    const plan = fc.record({
      count: fc.integer({ min: 0, max: 40 }),
      pageCap: fc.integer({ min: 1, max: 15 }),
      apartSeconds: fc.constantFrom(0, 1, 60, 2 * 86_400),
      edits: fc.array(fc.record({ afterRequest: fc.integer({ min: 1, max: 20 }), order: fc.nat() }), { maxLength: 6 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ count, pageCap, apartSeconds, edits }) => {
        clock = NOW
        await withSimulator(
          pageCap,
          () => clock,
          async (sim) => {
            const orders = seedOrders(count, { newest: NOW, apartSeconds })
            sim.seed(orders)
            const busy = meanwhile((requests) => {
              clock = new Date(NOW.getTime() + requests * 1000)
              for (const edit of edits)
                if (edit.afterRequest === requests && count > 0)
                  sim.edit(orders[edit.order % count]?.orderSn ?? '', { note: `edit ${requests}` })
            })
            const ctx = context({ config: { baseUrl: sim.url }, http: busy, tokens: memoryTokens() })
            const from = new Date(NOW.getTime() - 90 * day)
            const pulled = (await collect(pullOrders(ctx, { from, to: NOW }))).flat().map((record) => record.externalId)
            expect(new Set(pulled).size).toBe(pulled.length)
            // What moved past the end meanwhile comes with the next pull, which begins where this one ended.
            const next = (
              await collect(pullOrders(context({ config: { baseUrl: sim.url }, http }), { from: NOW, to: clock }))
            ).flat()
            const all = new Set([...pulled, ...next.map((record) => record.externalId)])
            expect(all).toEqual(new Set(orders.map((order) => order.orderSn)))
            // And the newest state of every edited order is among what was read.
            for (const order of sim.orders().filter((entry) => entry.note !== ''))
              expect(next.some((record) => record.externalId === order.orderSn && record.payload.note === order.note)).toBe(true)
          },
        )
      }),
      { numRuns: 40 },
    )
  }, 60_000)

  it('one malformed order is kept with its failure, and the others come through', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        const orders = seedOrders(3, { newest: NOW })
        sim.seed(orders.map((order, at) => (at === 1 ? { ...order, malformed: { update_time: 'yesterday' } } : order)))
        const [page = []] = await collect(
          pullOrders(context({ config: { baseUrl: sim.url }, http }), { from: new Date(NOW.getTime() - day), to: NOW }),
        )
        expect(page).toHaveLength(3)
        expect(page[1]).toMatchObject({
          externalId: orders[1]?.orderSn,
          eventAt: null,
          payload: { update_time: 'yesterday', failure: expect.any(String) as string },
        })
        expect(page[2]?.payload.failure).toBeUndefined()
      },
    )
  })

  it('an order that the vendor cannot show does not take its batch along', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        const orders = seedOrders(2, { newest: NOW })
        sim.seed(orders)
        const records = await fetchOrders(context({ config: { baseUrl: sim.url }, http }), [
          'GONE',
          ...orders.map((order) => order.orderSn),
        ])
        expect(records.map((record) => [record.externalId, record.version === 'missing'])).toEqual([
          ['GONE', true],
          [orders[0]?.orderSn, false],
          [orders[1]?.orderSn, false],
        ])
      },
    )
  })

  it('two edits within one second are two versions', () => {
    const before = orderRecord('A', { order_sn: 'A', update_time: 1, note: 'a' })
    expect(orderRecord('A', { order_sn: 'A', update_time: 1, note: 'b' }).version).not.toBe(before.version)
    expect(orderRecord('A', { order_sn: 'A', update_time: 1, note: 'a' }).version).toBe(before.version)
  })

  it('leaves out NUL, which PostgreSQL cannot keep', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        const [order] = seedOrders(1, { newest: NOW })
        if (!order) throw new Error('no order')
        sim.seed([{ ...order, messageToSeller: 'a\u0000b' }])
        const [record] = await fetchOrders(context({ config: { baseUrl: sim.url }, http }), [order.orderSn])
        expect(record?.payload.message_to_seller).toBe('ab')
      },
    )
  })
})

describe('tokens', () => {
  const window = { from: new Date(NOW.getTime() - day), to: NOW }

  it('an access token that ended is refreshed once, however many calls find out at the same time', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        sim.seed(seedOrders(2, { newest: NOW }))
        sim.expireTokens()
        const tokens = memoryTokens()
        const ctx = context({ config: { baseUrl: sim.url }, http, tokens })
        const pulls = await Promise.all([1, 2, 3].map(() => collect(pullOrders(ctx, window))))
        expect(pulls.map((pages) => pages.flat().length)).toEqual([2, 2, 2])
        expect(tokens.saved).toHaveLength(1)
        expect(sim.tokens().refreshToken).toBe(tokens.saved[0]?.refreshToken)
      },
    )
  })

  it('rotates: every refresh uses the token that the one before gave', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        const tokens = memoryTokens()
        const ctx = context({ config: { baseUrl: sim.url }, http, tokens })
        for (let round = 0; round < 3; round++) {
          sim.expireTokens()
          await collect(pullOrders(ctx, window))
        }
        expect(new Set(tokens.saved.map((saved) => saved.refreshToken)).size).toBe(3)
      },
    )
  })

  it('a token near its end is refreshed before it is used', async () => {
    let clock = NOW
    await withSimulator(
      100,
      () => clock,
      async (sim) => {
        const tokens = memoryTokens({ ...sim.tokens(), expiresAt: new Date(NOW.getTime() + 30_000) })
        await collect(pullOrders(context({ config: { baseUrl: sim.url }, http, tokens, now: () => clock }), window))
        clock = new Date(NOW.getTime() + 60_000)
        expect(tokens.saved).toHaveLength(1)
        expect(sim.calls().every((call) => call.error === '')).toBe(true)
      },
    )
  })

  it('repeats a call once and no more', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        sim.faults.add({
          kind: 'refuse',
          code: 'invalid_acceess_token',
          message: 'Invalid access_token, please have a check.',
          path: 'get_order_list',
          times: 0,
        })
        await expect(collect(pullOrders(context({ config: { baseUrl: sim.url }, http }), window))).rejects.toMatchObject({
          kind: 'AuthExpired',
        })
        expect(sim.calls().filter((call) => call.path.includes('access_token'))).toHaveLength(1)
      },
    )
  })

  it('a shop that was authorised again goes on with the applied tokens', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        sim.expireTokens()
        const tokens = memoryTokens({
          accessToken: 'long gone',
          refreshToken: 'used up',
          expiresAt: new Date(NOW.getTime() + day),
        })
        expect(await collect(pullOrders(context({ config: { baseUrl: sim.url }, http, tokens }), window))).toEqual([])
        expect(tokens.saved).toHaveLength(1)
      },
    )
  })

  it('asks a person when no refresh token works', async () => {
    await withSimulator(
      100,
      () => NOW,
      async (sim) => {
        sim.expireTokens()
        const ctx = context({ config: { baseUrl: sim.url, refreshToken: 'wrong' }, http })
        await expect(collect(pullOrders(ctx, window))).rejects.toMatchObject({ kind: 'Misconfigured' })
      },
    )
  })
})
