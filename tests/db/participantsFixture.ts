/** The spine with participants around it: an ERP, a channel that hears everything, a tracker, LINE and mail; told round by round. */
import { z } from 'zod'
import { applyAdvice } from '../../activities/advice.ts'
import { dispatchOutbox } from '../../activities/dispatch.ts'
import { applyParcelReport } from '../../activities/parcelNews.ts'
import type { Runtime } from '../../activities/runtime.ts'
import { openConnection } from '../../connectors/kit/context.ts'
import type { Connector, ParcelMeaning } from '../../connectors/kit/types.ts'
import { connectors as registry } from '../../connectors/registry.ts'
import { startLineSimulator, type LineSimulator } from '../../simulators/line/index.ts'
import { audit } from '../../store/audit.ts'
import { applyConnections } from '../../store/configuration.ts'
import { changeOrder } from '../../store/orderRecord.ts'
import { participantsOf, type ParticipantFact } from '../../store/participants.ts'
import { addParcel, saveParcel } from '../../store/units.ts'
import { startSmtpServer, type TestSmtpServer } from '../harness/smtpServer.ts'
import { standInErp, type StandInErp } from '../harness/standInErp.ts'
import { advice, startSpine, type Change, type Spine } from './spineFixture.ts'

export const LINE_USER = 'U4af4980629f4f1b2c3d4e5f60718293a'

export interface Heard {
  /** What the channel was told, e.g. `placed R-1`. */
  channel: string[]
  /** What the channel paid back, by key. */
  refunds: Map<string, number>
  /** What the tracker was given. */
  registered: string[]
}

export interface Participants {
  spine: Spine
  runtime: Runtime
  erp: StandInErp
  line: LineSimulator
  mail: TestSmtpServer
  heard: Heard
  /** The next calls of the channel fail like this. */
  channelFails: (() => Error)[]
  place(change?: Change): Promise<string>
  /** Up to a parcel with a waybill. @returns its unit and its reference. */
  booked(orderId: string, waybill?: string): Promise<{ unitId: string; reference: string }>
  /** @param courier whose parcel it is; default ecpay */
  news(reference: string, meaning: ParcelMeaning, courier?: string): Promise<void>
  /** Tells what is due now and lets what waits be due, until nothing changes any more. */
  tell(): Promise<void>
  /** One round of what is due now. */
  round(): Promise<number>
  /** What is postponed or waits after a failure is due now. */
  due(): Promise<void>
  knows(orderId: string): Promise<ParticipantFact[]>
  /** `participant fact state` of every row. */
  table(orderId: string): Promise<string[]>
  sound(): Promise<unknown[]>
  stop(): Promise<void>
}

export async function startParticipants(): Promise<Participants> {
  const spine = await startSpine()
  const erp = standInErp()
  const line = await startLineSimulator({ channelAccessToken: 'token', channelSecret: 'secret' })
  const mail = await startSmtpServer()
  const heard: Heard = { channel: [], refunds: new Map(), registered: [] }
  const channelFails: (() => Error)[] = []
  const hear = async (what: string) => {
    heard.channel.push(what)
    const failure = channelFails.shift()
    if (failure) throw failure()
  }
  const { store } = registry
  if (!store) throw new Error('no store connector')
  const shop: Connector = {
    ...store,
    name: 'shop',
    kind: 'shop',
    configSchema: z.object({ channel: z.string().default('shop'), shop: z.string(), location: z.string() }),
    acknowledgeOrder: (_ctx, { externalId }) => hear(`placed ${externalId}`),
    writeTracking: (_ctx, { externalId, waybill, lines }) =>
      hear(`ships ${externalId} ${waybill} ${lines.map((each) => `${each.quantity}×${each.sku}`).join()}`),
    writeDelivered: (_ctx, { externalId, waybill }) => hear(`delivered ${externalId} ${waybill}`),
    cancelOrder: (_ctx, { externalId, reason }) => hear(`cancelled ${externalId} ${reason}`),
    async refund(_ctx, { key, amountMinor, externalId }) {
      const isNew = !heard.refunds.has(key)
      heard.refunds.set(key, amountMinor)
      if (isNew) await hear(`refunded ${externalId} ${amountMinor}`)
      return { refundId: `R-${heard.refunds.size}` }
    },
  }
  const tracker: Connector = {
    name: 'stand-in-tracker',
    title: 'A tracker',
    kind: 'tracker',
    configSchema: z.object({ follows: z.array(z.string()) }),
    secretFields: [],
    check: () => Promise.resolve({ ok: true, problems: [] }),
    tracker: {
      async register(_ctx, parcels) {
        heard.registered.push(...parcels.map(({ courier, waybill }) => `${courier} ${waybill}`))
        return parcels
          .filter(({ waybill }) => waybill.startsWith('BAD'))
          .map(({ waybill }) => ({ waybill, error: 'unknown carrier' }))
      },
      mapReport: ({ externalId, payload, eventAt }) => ({
        reference: null,
        courierBookingId: null,
        waybill: externalId,
        code: String(payload.code),
        meaning: payload.code as ParcelMeaning,
        detail: '',
        eventAt: eventAt ?? '',
      }),
    },
  }
  const connectors: Record<string, Connector> = { ...registry, shop, 'stand-in-erp': erp.connector, 'stand-in-tracker': tracker }
  const { pool, secretKey } = spine.runtime
  const runtime: Runtime = {
    ...spine.runtime,
    connectors,
    connection: (name, asked = {}) => openConnection(pool, secretKey, name, { connectors, ...asked }),
  }
  const connections = [
    { name: 'shop', connector: 'shop', config: { shop: 'main', location: 'shop' } },
    { name: 'books', connector: 'stand-in-erp', config: { channels: ['shop'] } },
    { name: 'follow', connector: 'stand-in-tracker', config: { follows: ['ecpay'] } },
    { name: 'line', connector: 'line', config: { channelAccessToken: 'token', channelSecret: 'secret', baseUrl: line.url } },
    {
      name: 'mail',
      connector: 'smtp',
      config: { host: '127.0.0.1', port: mail.port, security: 'none', from: 'shop@example.com', timeoutMs: 3_000 },
    },
  ]
  await applyConnections(pool, secretKey, { connections }, connectors)
  let reports = 0
  const states = async () =>
    (await pool.query<{ all: string }>(`select string_agg(id || state, ',' order by id) as all from outbox`)).rows[0]?.all

  const at: Participants = {
    spine,
    runtime,
    erp,
    line,
    mail,
    heard,
    channelFails,
    place: (change = {}) =>
      spine.place({
        channel: 'shop',
        shop: 'main',
        connection: 'shop',
        buyer: { name: '陳測試', phone: null, email: 'chen@example.com', memberId: null },
        ...change,
      }),
    async booked(orderId, waybill) {
      await spine.untilRouted(orderId)
      await spine.handOver(orderId)
      const unitId = (await spine.order(orderId)).units.at(-1)?.id ?? ''
      await applyAdvice(
        pool,
        advice(
          unitId,
          'packed',
          (await spine.order(orderId)).lines.map((each) => [each.lineId, each.ordered, 0]),
        ),
      )
      const { result } = await changeOrder(pool, orderId, 'saga', async (record, tx) => {
        const parcel = await addParcel(tx, record, {
          unitId,
          courier: 'ecpay',
          connector: 'ecpay',
          service: 'TCAT',
          amountDueMinor: 0,
        })
        Object.assign(parcel, {
          state: 'booked',
          waybill: waybill ?? `W-${parcel.id}`,
          courierBookingId: `B-${parcel.id}`,
          labelAmountMinor: 0,
        })
        await saveParcel(tx, parcel)
        record.tellCustomer({ key: `${parcel.id}:booked`, template: 'onItsWay', data: { parcelId: parcel.id } })
        return parcel.reference
      })
      return { unitId, reference: result }
    },
    async news(reference, meaning, courier = 'ecpay') {
      reports += 1
      const eventAt = new Date(Date.UTC(2026, 10, 22, 4, 0, reports)).toISOString()
      const report = { reference, courierBookingId: null, waybill: null, code: meaning, meaning, detail: '', eventAt }
      await applyParcelReport(pool, 1_000_000 + reports, report, 1_000, [courier])
    },
    round: () => dispatchOutbox(runtime),
    async due() {
      await pool.query(`update outbox set due_at = now(), lease_until = null where state = 'due'`)
    },
    async tell() {
      for (let rounds = 0; rounds < 20; rounds++) {
        await at.due()
        const before = await states()
        await at.round()
        if ((await states()) === before) return
      }
    },
    knows: (orderId) => participantsOf(pool, orderId),
    table: async (orderId) =>
      (await at.knows(orderId)).map(({ participant, fact, what, state }) => `${participant} ${fact} ${what} ${state}`),
    sound: async () => (await audit(pool)).violations.filter(({ invariant }) => invariant.startsWith('every fact')),
    async stop() {
      await line.stop()
      await mail.stop()
      await spine.stop()
    },
  }
  return at
}
