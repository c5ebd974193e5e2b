/** Who knows what, from outside to outside: an order over HTTP, and what the ERP, the tracker, LINE and the mail server have at the end. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startLineSimulator, type LineSimulator } from '../../simulators/line/index.ts'
import { startTrack17Simulator, TEST_KEY, type Track17Simulator } from '../../simulators/17track/index.ts'
import type { ParticipantFact } from '../../store/participants.ts'
import { startSmtpServer, type TestSmtpServer } from '../harness/smtpServer.ts'
import { standInErp, type StandInErp } from '../harness/standInErp.ts'
import { pauseConnection } from '../../store/connections.ts'
import { startWorld, storeOrder, type OrderBody, type World } from './world.ts'

interface Shown extends OrderBody {
  participants: ParticipantFact[]
}

let world: World
let line: LineSimulator
let mail: TestSmtpServer
let tracker: Track17Simulator
let erp: StandInErp

beforeAll(async () => {
  line = await startLineSimulator({ channelAccessToken: 'token', channelSecret: 'secret' })
  mail = await startSmtpServer({ user: 'shop', password: 'mail password' })
  tracker = await startTrack17Simulator()
  erp = standInErp()
  world = await startWorld({
    connectors: { 'stand-in-erp': erp.connector },
    connections: [
      { name: 'books', connector: 'stand-in-erp', config: { channels: ['store'] } },
      { name: '17track', connector: '17track', config: { apiKey: TEST_KEY, baseUrl: tracker.url, follows: ['ecpay'] } },
      { name: 'line', connector: 'line', config: { channelAccessToken: 'token', channelSecret: 'secret', baseUrl: line.url } },
      {
        name: 'mail',
        connector: 'smtp',
        config: {
          host: '127.0.0.1',
          port: mail.port,
          security: 'none',
          user: 'shop',
          password: 'mail password',
          from: 'shop@example.com',
          timeoutMs: 3_000,
        },
      },
    ],
  })
})
afterAll(async () => {
  await world?.stop()
  await tracker?.stop()
  await mail?.stop()
  await line?.stop()
})

const shown = async (id: string) => (await world.get<Shown>(`/api/v1/orders/${id}`)).body
const place = async (buyer: Record<string, unknown>) => {
  const { status, body } = await world.post<Shown>(
    '/api/v1/orders',
    storeOrder({ buyer: { name: '陳測試', phone: '0912345678', ...buyer } }),
  )
  expect(status, JSON.stringify(body)).toBe(201)
  return body.id
}
const booked = (id: string) =>
  world.until('the parcel is booked', async () => {
    const parcel = (await shown(id)).parcels.at(-1)
    return parcel?.state === 'booked' && parcel.waybill ? { ...parcel, waybill: parcel.waybill } : null
  })
const untilKnown = (id: string, what: string, state = 'acknowledged', connection?: string) =>
  world.until(`${what} is ${state}`, async () =>
    (await shown(id)).participants.find(
      (row) => row.what === what && row.state === state && (connection === undefined || row.connection === connection),
    ),
  )
const userId = () => `U${randomUUID().replaceAll('-', '')}`

describe('everybody hears of an order', () => {
  it('at each step, and the table says since when', async () => {
    const lineUserId = userId()
    const id = await place({ email: 'chen@example.com', lineUserId })
    expect(await untilKnown(id, 'sale')).toMatchObject({
      participant: 'erp',
      connection: 'books',
      document: { number: `N-${id}` },
    })
    const { waybill, reference, unitId } = await booked(id)
    await untilKnown(id, 'registered')
    expect(tracker.numbers().find(({ number }) => number === waybill)).toMatchObject({ tag: reference })
    await untilKnown(id, 'onItsWay', 'acknowledged', 'line')
    expect((await shown(id)).participants.filter(({ participant }) => participant === 'erp')).toHaveLength(1)

    // The tracker is the first to know that it is with the customer; the courier says so later.
    tracker.news(waybill, { status: 'Delivered', subStatus: 'Delivered_Other', at: new Date().toISOString() })
    const { headers, rawBody } = tracker.push(waybill)
    const answer = await fetch(`${world.url}/webhooks/17track`, { method: 'POST', headers, body: new Uint8Array(rawBody) })
    expect(answer.status).toBe(200)
    await world.untilPhase(id, 'delivered')
    await world.ecpay.advance(reference, { to: 'delivered', twice: true, shuffle: true })
    expect(await untilKnown(id, 'shipment')).toMatchObject({ fact: 'shipped', about: unitId, document: { id: `doc-${unitId}` } })
    await untilKnown(id, 'delivered', 'acknowledged', 'line')
    expect(erp.shipments.get(unitId)).toMatchObject({ saleReference: id, waybill })
    expect(line.messages().filter(({ to }) => to === lineUserId)).toHaveLength(2)
    expect(mail.received).toEqual([])
    for (const row of (await shown(id)).participants) {
      expect(row.state, JSON.stringify(row)).toBe('acknowledged')
      expect(row.acknowledgedAt! >= row.owedAt, JSON.stringify(row)).toBe(true)
    }
  })

  it('an ERP that is down and a mail server whose answers are lost hear of it all the same, each once', async () => {
    erp.plan.otherwise = 'down'
    mail.loseNextAnswer()
    const id = await place({ email: 'lin@example.com' })
    const { reference, unitId } = await booked(id)
    await untilKnown(id, 'sale', 'retrying')
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    expect((await shown(id)).participants.find(({ what }) => what === 'shipment')).toMatchObject({ state: 'owed', attempts: 0 })
    erp.plan.next.push('lost')
    erp.plan.otherwise = 'ok'
    await untilKnown(id, 'shipment')
    await untilKnown(id, 'onItsWay', 'acknowledged', 'mail')
    await untilKnown(id, 'delivered', 'acknowledged', 'mail')
    expect(erp.calls.filter((call) => call === `shipment ${unitId}`)).toHaveLength(1)
    const mails = mail.received.filter(({ to }) => to.includes('lin@example.com'))
    expect(mails, 'one was repeated').toHaveLength(3)
    expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(2)
    const told = JSON.stringify((await shown(id)).participants)
    expect(told).not.toContain('lin@example.com')
    expect(told).not.toContain('mail password')
  })

  it('an ERP that refuses is a task; retried by a person it has the sale, and the shipment after it', async () => {
    erp.plan.next.push('refuse')
    const id = await place({ lineUserId: userId() })
    await untilKnown(id, 'sale', 'task')
    const { body } = await world.get<{ tasks: { id: number; orderId: string; kind: string }[] }>('/api/v1/tasks')
    const task = body.tasks.find(({ orderId, kind }) => orderId === id && kind === 'sale.notTold')
    const { reference } = await booked(id)
    await world.ecpay.advance(reference, { to: 'delivered' })
    await world.untilPhase(id, 'delivered')
    expect((await world.post(`/api/v1/tasks/${task?.id}/retry`, {})).status).toBe(200)
    await untilKnown(id, 'sale')
    await untilKnown(id, 'shipment')
  })

  it('a cancelled order is taken back at the ERP, and the customer hears of it', async () => {
    // On a slow machine the parcel would have left before the cancellation.
    await pauseConnection(world.runtime.pool, 'warehouse')
    const id = await place({ email: 'wang@example.com' })
    await untilKnown(id, 'sale')
    const answer = await world.post(`/api/v1/orders/${id}/cancel`, { reason: 'changed my mind' })
    expect([200, 202]).toContain(answer.status)
    await world.untilPhase(id, 'cancelled')
    await untilKnown(id, 'saleCancelled')
    await untilKnown(id, 'cancelled', 'acknowledged', 'mail')
    expect(erp.sales.get(id)?.cancelled).toBe(true)
    await pauseConnection(world.runtime.pool, 'warehouse', false)
  })

  it('whoever follows the LINE account is kept, forged words are not', async () => {
    const event = line.event('follow', userId())
    const { headers, body } = line.signedWebhook([event])
    const post = (sent: Record<string, string>) => fetch(`${world.url}/webhooks/line`, { method: 'POST', headers: sent, body })
    expect((await post(headers)).status).toBe(200)
    expect((await post(headers)).status).toBe(200)
    expect((await post({ ...headers, 'x-line-signature': 'bm90IHRoZSBzaWduYXR1cmU=' })).status).toBe(401)
    const kept = await world.until('it is settled', async () => {
      const { rows } = await world.runtime.pool.query<{ state: string }>(`select state from inbox where version = $1`, [
        event.webhookEventId,
      ])
      return rows.every(({ state }) => state !== 'new') && rows.length > 0 ? rows : null
    })
    expect(kept).toEqual([{ state: 'ignored' }])
  })

  it('the audit finds nothing that is not owed, told or a task', async () => {
    expect((await world.audit()).violations).toEqual([])
  })
})
