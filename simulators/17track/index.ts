/**
 * A stand-in for 17TRACK v2.4, from its documents: register, gettrackinfo, getquota, and webhooks signed with the plain SHA-256 of body,
 * slash and key. At most 40 numbers a call, 3 calls a second when `limited`. Control, JSON: GET /_sim/numbers · POST /_sim/numbers/{number}/news
 * {status, subStatus, at}. Listens on 127.0.0.1.
 */
import { createHash } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'

export const TEST_KEY = '0123456789ABCDEF0123456789ABCDEF'

interface News {
  status: string
  subStatus: string
  /** ISO 8601. */
  at: string
  description: string
}
export interface Tracked {
  number: string
  carrier: number
  tag: string | null
  news: News | null
}
export interface Track17Simulator {
  url: string
  faults: FaultPlan
  numbers(): Tracked[]
  /** How many register calls were done. */
  registrations(): number
  news(number: string, news: Partial<News>): void
  /** The push that 17TRACK sends for a number. */
  push(number: string, event?: string): { headers: Record<string, string>; rawBody: Buffer }
  revoke(): void
  stop(): Promise<void>
}

export const signOf = (body: string, key: string): string => createHash('sha256').update(`${body}/${key}`).digest('hex')

export async function startTrack17Simulator(
  options: { port?: number; key?: string; limited?: boolean } = {},
): Promise<Track17Simulator> {
  let key = options.key ?? TEST_KEY
  const numbers = new Map<string, Tracked>()
  let registrations = 0
  let calls: number[] = []

  const rejected = (number: string, code: number, message: string) => ({ number, error: { code, message } })
  const shown = ({ number, carrier, tag, news }: Tracked) => ({
    number,
    carrier,
    param: null,
    tag,
    track_info: {
      latest_status: {
        status: news?.status ?? 'NotFound',
        sub_status: news?.subStatus ?? 'NotFound_Other',
        sub_status_descr: null,
      },
      latest_event: news && {
        time_iso: news.at,
        time_utc: new Date(news.at).toISOString(),
        time_raw: { date: news.at.slice(0, 10), time: news.at.slice(11, 19), timezone: news.at.slice(19) },
        description: news.description,
        description_translation: null,
        location: null,
        sub_status: news.subStatus,
      },
    },
  })

  function register(list: { number?: unknown; carrier?: number; tag?: string }[]): SimAnswer {
    registrations += 1
    const accepted: unknown[] = []
    const refused: unknown[] = []
    for (const { number, carrier = 0, tag = null } of list) {
      if (typeof number !== 'string' || !/^[A-Za-z0-9]{5,50}$/.test(number))
        refused.push(rejected(String(number), -18010012, `The format of '${String(number)}' is invalid.`))
      else if (numbers.has(number)) refused.push(rejected(number, -18019901, `Tracking number ${number} is already registered.`))
      else {
        numbers.set(number, { number, carrier: carrier || 3011, tag, news: null })
        accepted.push({ origin: 2, number, carrier: carrier || 3011, email: null, lang: null, tag })
      }
    }
    return { body: { code: 0, data: { accepted, rejected: refused } } }
  }

  function trackInfo(list: { number?: string }[]): SimAnswer {
    const found = list.map(({ number = '' }) => ({ number, known: numbers.get(number) }))
    return {
      body: {
        code: 0,
        data: {
          accepted: found.flatMap(({ known }) => (known ? [shown(known)] : [])),
          rejected: found.flatMap(({ number, known }) =>
            known
              ? []
              : [rejected(number, -18019902, `The tracking number '${number}' does not register, please register first.`)],
          ),
        },
      },
    }
  }

  function handle(request: SimRequest): SimAnswer {
    if (request.method !== 'POST') return { status: 405, body: 'Method Not Allowed' }
    if (request.headers['17token'] !== key) {
      return { status: 401, body: { code: 0, data: { errors: [{ code: -18010002, message: 'The security key is invalid.' }] } } }
    }
    const now = Date.now()
    calls = [...calls.filter((at) => now - at < 1000), now]
    if (options.limited && calls.length > 3) return { status: 429, body: 'Too Many Requests' }
    const call = request.path.replace('/track/v2.4/', '')
    if (call === 'getquota') return { body: { code: 0, data: { quota_total: 1100, quota_used: 2, quota_remain: 1098 } } }
    if (!Array.isArray(request.json))
      return { body: { code: 0, data: { errors: [{ code: -18010013, message: 'Submitted data is invalid.' }] } } }
    if (request.json.length > 40)
      return { body: { code: 0, data: { errors: [{ code: -18010014, message: 'The number of tracking numbers exceeds 40.' }] } } }
    if (call === 'register') return register(request.json as { number?: unknown }[])
    if (call === 'gettrackinfo') return trackInfo(request.json as { number?: string }[])
    return { status: 404, body: 'Not Found' }
  }

  const known = (number: string): Tracked => {
    const tracked = numbers.get(number)
    if (!tracked) throw new RangeError(`no number ${number}`)
    return tracked
  }
  const news = (number: string, more: Partial<News>) => {
    const said = {
      status: 'InTransit',
      subStatus: 'InTransit_Other',
      at: '2026-11-22T10:00:00+08:00',
      description: 'On its way',
      ...more,
    }
    known(number).news = said
  }

  const server = await startSimServer({
    port: options.port,
    handle,
    refuse: (fault) => ({
      body: {
        code: Number(fault.code ?? -18010013),
        data: { errors: [{ code: Number(fault.code ?? -18010013), message: fault.message ?? 'refused' }] },
      },
    }),
    control(request) {
      if (request.route === '/numbers') return { body: { numbers: [...numbers.values()] } }
      const [, number] = /^\/numbers\/([^/]+)\/news$/.exec(request.route) ?? []
      if (!number || !numbers.has(number)) return null
      news(number, (request.json ?? {}) as Partial<News>)
      return { body: { ok: true } }
    },
  })
  return {
    url: server.url,
    faults: server.faults,
    numbers: () => [...numbers.values()],
    registrations: () => registrations,
    news,
    push(number, event = 'TRACKING_UPDATED') {
      const tracked = known(number)
      const body = JSON.stringify({
        event,
        data:
          event === 'TRACKING_UPDATED'
            ? shown(tracked)
            : { number, carrier: tracked.carrier, param: null, tag: tracked.tag ?? '' },
      })
      return { headers: { 'content-type': 'application/json', sign: signOf(body, key) }, rawBody: Buffer.from(body) }
    },
    revoke() {
      key = 'another key'
    },
    stop: () => server.stop(),
  }
}
