/**
 * A stand-in for ECPay's domestic logistics: /Express/Create, /Helper/QueryLogisticsTradeInfo/V5, /Express/CancelC2COrder, status reports,
 * and the calls of more.ts. It checks what ECPay is known to check; texts of refusals are assumed where ECPay publishes none. Listens on 127.0.0.1.
 *
 * Control, JSON: GET|POST|DELETE /_sim/faults · GET /_sim/parcels · GET /_sim/callbacks · POST /_sim/parcels/{MerchantTradeNo}/advance
 * {to} or {code}, with {twice, shuffle} · POST /_sim/parcels/{MerchantTradeNo}/payOut {date, amount, fee} · GET /_sim/returns · POST /_sim/parcels/{MerchantTradeNo}/forge {code} · POST /_sim/auto {speedMs, twice, shuffle, outcomes}
 */
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import type { FaultPlan } from '../kit/faults.ts'
import { createApi, text } from './api.ts'
import { createCallbacks, type CallbackLog } from './callbacks.ts'
import { codesTo, type Destination, type Outcome } from './journeys.ts'
import { createExtra, type Extra } from './more.ts'
import { createParcels, type Merchant, type Parcel } from './parcels.ts'

/** ECPay's published test accounts. */
export const TEST_MERCHANTS: readonly Merchant[] = [
  { merchantId: '2000132', hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS', kind: 'B2C' },
  { merchantId: '2000214', hashKey: '5294y06JbISpM5x9', hashIv: 'v77hoKGq4kWxNNIS', kind: 'B2C' },
  { merchantId: '2000933', hashKey: 'XBERn1YOvpM9nfZc', hashIv: 'h1ONHk4P4yqbl5LK', kind: 'C2C' },
]

export interface EcpaySimulatorOptions {
  /** 0 or absent: a free one. */
  port?: number
  merchants?: readonly Merchant[]
  /** Accept collection at the door. @default false: ECPay's own SDK refuses it */
  homeCollection?: boolean
  /** URL-encode the values of `1|k=v` answers; ECPay does not say which it does. @default false */
  encodedAnswers?: boolean
  /** How often a report is tried, and how long between. @default 4 and 300 ms (ECPay: 3 times more, then the next days) */
  callbackAttempts?: number
  callbackRetryMs?: number
  /** Remembers its parcels here over restarts. */
  stateFile?: string
  now?: () => number
}
export interface AdvanceOptions {
  to?: Destination
  code?: string
  twice?: boolean
  shuffle?: boolean
}
export interface AutoOptions {
  /** Between two statuses of a parcel; 0 switches it off. */
  speedMs: number
  /** Every report is sent twice. */
  twice?: boolean
  /** Reports come in pairs, the later one first. */
  shuffle?: boolean
  /** What becomes of parcels; `fields` are regular expressions over the Create request. Others are delivered. */
  outcomes?: { fields: Record<string, string>; outcome: Outcome }[]
}
export interface EcpaySimulator {
  url: string
  port: number
  faults: FaultPlan
  parcels(): Parcel[]
  /** Returns that were booked, and how many label pages were printed. */
  extra: Pick<Extra, 'returns' | 'printed'>
  /** This store takes no parcels any more: it is refused at Create and by changes, and stands on the map no longer. */
  closeStore(storeId: string): void
  /** Cash of a parcel was paid out; `date`: yyyy/MM/dd, amounts in dollars. */
  payOut(merchantTradeNo: string, paidOut: { date: string; amount: number; fee: number }): void
  callbacks(): CallbackLog[]
  /** Resolves when every report was taken or given up. */
  advance(merchantTradeNo: string, options: AdvanceOptions): Promise<void>
  forge(merchantTradeNo: string, code?: string): Promise<void>
  auto(options: AutoOptions): void
  /** Resolves when no report is under way. */
  idle(): Promise<void>
  stop(): Promise<void>
}

export async function startEcpaySimulator(options: EcpaySimulatorOptions = {}): Promise<EcpaySimulator> {
  const now = options.now ?? Date.now
  const merchants = new Map((options.merchants ?? TEST_MERCHANTS).map((merchant) => [merchant.merchantId, merchant]))
  const parcels = createParcels(now, options.stateFile)
  const extra = createExtra(parcels)
  const callbacks = createCallbacks({
    attempts: options.callbackAttempts ?? 4,
    retryMs: options.callbackRetryMs ?? 300,
    timeoutMs: 10_000,
  })

  /** Sends the reports of one advance; `twice`, `heldBack` and `forged` of the fault plan apply to single ones. */
  async function report(
    parcel: Parcel,
    steps: { code: string; at: string }[],
    { twice = false, shuffle = false },
  ): Promise<void> {
    let held: (() => Promise<void>) | undefined
    for (const step of shuffle ? [...steps].reverse() : steps) {
      const fault = server.faults.next({
        method: 'REPORT',
        path: '/report',
        fields: { ...parcel.request, RtnCode: step.code },
      })?.kind
      const send = async () => {
        for (let times = twice || fault === 'twice' ? 2 : 1; times > 0; times--) await callbacks.send({ parcel, ...step })
      }
      if (fault === 'forged') await callbacks.send({ parcel, ...step, forged: true })
      if (fault === 'heldBack' && !held) {
        held = send
        continue
      }
      await send()
      await held?.()
      held = undefined
    }
    await held?.()
  }
  const known = (merchantTradeNo: string): Parcel => {
    const parcel = parcels.find(merchantTradeNo)
    if (!parcel) throw new RangeError(`no parcel ${merchantTradeNo}`)
    return parcel
  }
  const remaining = (parcel: Parcel, to: Destination): string[] => {
    const done = new Set(parcel.history.map((step) => step.code))
    return codesTo(parcel.request.LogisticsSubType ?? '', to).filter((code) => !done.has(code))
  }

  async function advance(merchantTradeNo: string, how: AdvanceOptions): Promise<void> {
    const parcel = known(merchantTradeNo)
    const codes = how.code ? [how.code] : remaining(parcel, how.to ?? 'delivered')
    await report(
      parcel,
      codes.map((code) => parcels.advance(parcel, code)),
      how,
    )
  }
  const forge = (merchantTradeNo: string, code = '3003') =>
    callbacks.send({ parcel: known(merchantTradeNo), code, at: known(merchantTradeNo).tradeDate, forged: true })

  let autoTimer: NodeJS.Timeout | undefined
  function auto(how: AutoOptions): void {
    clearInterval(autoTimer)
    if (how.speedMs <= 0) return
    const busy = new Set<Parcel>()
    const outcomeOf = (parcel: Parcel): Outcome =>
      how.outcomes?.find(({ fields }) =>
        Object.entries(fields).every(([name, pattern]) => new RegExp(pattern, 'u').test(parcel.request[name] ?? '')),
      )?.outcome ?? 'delivered'
    autoTimer = setInterval(() => {
      for (const parcel of parcels.all()) {
        if (parcel.cancelled || busy.has(parcel)) continue
        const codes = remaining(parcel, outcomeOf(parcel)).slice(0, how.shuffle ? 2 : 1)
        if (codes.length === 0) continue
        busy.add(parcel)
        void report(
          parcel,
          codes.map((code) => parcels.advance(parcel, code)),
          how,
        ).finally(() => busy.delete(parcel))
      }
    }, how.speedMs)
    autoTimer.unref()
  }

  async function control(request: SimRequest & { route: string }): Promise<SimAnswer | null> {
    const body = (request.json ?? {}) as AdvanceOptions & AutoOptions
    if (request.route === '/parcels') {
      return {
        body: {
          parcels: parcels
            .all()
            .map(({ hashKey: _key, hashIv: _iv, ...parcel }) => ({ ...parcel, status: parcel.history.at(-1)?.code })),
        },
      }
    }
    if (request.route === '/returns') return { body: { returns: extra.returns } }
    if (request.route === '/callbacks') return { body: { callbacks: callbacks.log } }
    if (request.route === '/auto' && request.method === 'POST') {
      auto(body)
      return { body: { ok: true } }
    }
    const [, number, action] = /^\/parcels\/([^/]+)\/(advance|forge|payOut)$/.exec(request.route) ?? []
    if (!number || request.method !== 'POST') return null
    if (!parcels.find(number)) return { status: 404, body: { error: `no parcel ${number}` } }
    if (action === 'payOut') parcels.payOut(known(number), request.json as NonNullable<Parcel['paidOut']>)
    else await (action === 'advance' ? advance(number, body) : forge(number, body.code))
    return { body: { ok: true } }
  }

  const server = await startSimServer({
    port: options.port,
    handle: createApi({
      merchants,
      parcels,
      extra,
      homeCollection: options.homeCollection ?? false,
      encodedAnswers: options.encodedAnswers ?? false,
      now,
    }),
    control,
    refuse: (fault) => text(`0|${fault.message ?? '系統忙碌，請稍後再試'}`),
  })
  return {
    url: server.url,
    port: server.port,
    faults: server.faults,
    parcels: () => parcels.all(),
    extra,
    closeStore: (storeId) => void parcels.closedStores.add(storeId),
    payOut: (merchantTradeNo, paidOut) => parcels.payOut(known(merchantTradeNo), paidOut),
    callbacks: () => callbacks.log,
    advance,
    forge,
    auto,
    idle: () => callbacks.idle(),
    async stop() {
      clearInterval(autoTimer)
      callbacks.stop()
      await callbacks.idle()
      await server.stop()
    },
  }
}
