/**
 * A stand-in for AfterShip Tracking 2026-07, written from the vendor's SDK and webhook document and not from our client. Loopback only.
 * Checks key, signature and its clock, required fields and their form; drops repeats; pages by cursor. Control: GET /_sim/trackings.
 */
import { createHash, createHmac } from 'node:crypto'
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'

export interface SimCheckpoint {
  tag: string
  subtag?: string
  checkpoint_time?: string
  message?: string
}
export interface SimTracking {
  id: string
  tracking_number: string
  slug: string
  order_id: string | null
  tag: string
  subtag: string
  subtag_message: string
  return_to_sender: boolean
  created_at: string
  updated_at: string
  signed_by: string | null
  checkpoints: SimCheckpoint[]
}
export interface AftershipSimulator extends SimServer {
  apiKey: string
  apiSecret: string
  webhookSecret: string
  /** The key is refused from now on. */
  revoke(): void
  trackings(): SimTracking[]
  /** Registers it as if another had done so. */
  add(number: string, given?: { slug?: string; order_id?: string }): void
  news(number: string, checkpoint: SimCheckpoint & { subtag_message?: string }): void
  /** The webhook that tells how a parcel is now. */
  push(number: string, event?: string): { headers: Record<string, string>; rawBody: Buffer }
  /** Any body, signed properly. */
  signed(rawBody: Buffer): { headers: Record<string, string>; rawBody: Buffer }
}

const PATH = '/tracking/2026-07/trackings'
const CLOCK_MS = 3 * 60_000
const SLUGS = new Set(['taqbin-jp', 'yamato', 'usps', 'unrecognized'])

const answered = (code: number, data: Record<string, unknown>): SimAnswer => ({ status: code, body: { meta: { code }, data } })
const refused = (status: number, code: number, message: string): SimAnswer => ({
  status,
  body: { meta: { code, message, type: 'BadRequest' }, data: {} },
})
const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

/** @param options.pageCap most trackings on a page. Unsigned requests are taken as long as they carry no signature and none is `signing`. */
export async function startAftershipSimulator(
  options: { port?: number; pageCap?: number; signing?: boolean } = {},
): Promise<AftershipSimulator> {
  const [apiKey, apiSecret, webhookSecret] = ['asat_standin_key', 'asas_standin_secret', 'standin-webhook-secret']
  const trackings: SimTracking[] = []
  let revoked = false
  let pushes = 0

  /** Over method, MD5 of the body, its type, date, as-* headers and the path with its sorted query. */
  function isSigned(request: SimRequest): boolean {
    const { headers, rawBody, method } = request
    const given = headers['as-signature-hmac-sha256']
    if (given === undefined) return options.signing !== true
    const date = headers.date ?? ''
    if (!(Math.abs(Date.parse(date) - Date.now()) <= CLOCK_MS)) return false
    const hash = rawBody.length > 0 ? createHash('md5').update(rawBody).digest('hex').toUpperCase() : ''
    const type = rawBody.length > 0 ? (headers['content-type'] ?? '') : ''
    const own = Object.keys(headers)
      .filter((name) => name.startsWith('as-') && name !== 'as-signature-hmac-sha256')
      .toSorted()
      .map((name) => `${name}:${headers[name]?.trim()}`)
      .join('\n')
    const query = request.search.slice(1).split('&').filter(Boolean).toSorted().join('&')
    const text = `${method}\n${hash}\n${type}\n${date}\n${own}\n${request.path}${query ? `?${query}` : ''}`
    return createHmac('sha256', apiSecret).update(text).digest('base64') === given
  }

  function add(number: string, given: { slug?: string; order_id?: string } = {}): SimTracking {
    const at = new Date().toISOString().replace(/\.\d+Z$/, '+00:00')
    const tracking: SimTracking = {
      id: createHash('md5').update(`${number}/${trackings.length}`).digest('hex'),
      tracking_number: number,
      slug: given.slug ?? 'unrecognized',
      order_id: given.order_id ?? null,
      tag: 'Pending',
      subtag: 'Pending_001',
      subtag_message: 'Waiting for news',
      return_to_sender: false,
      created_at: at,
      updated_at: at,
      signed_by: null,
      checkpoints: [],
    }
    trackings.push(tracking)
    return tracking
  }
  const find = (number: string) => {
    const found = trackings.find(({ tracking_number }) => tracking_number === number)
    if (!found) throw new RangeError(`${number} is not registered`)
    return found
  }

  function create(json: unknown): SimAnswer {
    if (typeof json !== 'object' || json === null) return refused(400, 4001, 'Invalid JSON data.')
    const body = json as Record<string, unknown>
    const [number, slug] = [textOf(body.tracking_number), textOf(body.slug)]
    if (number === undefined) return refused(400, 4007, 'tracking_number is required.')
    if (!/^[A-Za-z0-9._/-]{4,100}$/.test(number)) return refused(400, 4017, 'The format of tracking_number is invalid.')
    if (slug !== undefined && !SLUGS.has(slug)) return refused(400, 4010, 'The value of slug is invalid.')
    if (trackings.some((one) => one.tracking_number === number && (slug === undefined || one.slug === slug)))
      return refused(400, 4003, 'Tracking already exists.')
    return answered(201, { ...add(number, { slug, order_id: textOf(body.order_id) }) })
  }

  function list(query: Record<string, string>): SimAnswer {
    const numbers = query.tracking_numbers?.split(',')
    const limit = Number(query.limit ?? 100)
    if (!Number.isInteger(limit) || limit < 1 || limit > 200) return refused(400, 4008, 'The value of limit is invalid.')
    const all = trackings.filter(({ tracking_number }) => numbers?.includes(tracking_number) ?? true)
    const from = query.cursor ? Number(Buffer.from(query.cursor, 'base64').toString('utf8')) : 0
    if (!Number.isInteger(from)) return refused(400, 4008, 'The value of cursor is invalid.')
    const shown = all.slice(from, from + Math.min(limit, options.pageCap ?? limit))
    const next = from + shown.length
    const more = next < all.length
    return answered(200, {
      pagination: {
        total: all.length,
        has_next_page: more,
        next_cursor: more ? Buffer.from(String(next)).toString('base64') : '',
      },
      trackings: shown,
    })
  }

  const server = await startSimServer({
    port: options.port,
    handle(request) {
      if (revoked || request.headers['as-api-key'] !== apiKey) return refused(401, 401, 'The API Key is invalid.')
      if (!isSigned(request)) return refused(401, 401, 'The signature is invalid.')
      if (request.path !== PATH) return refused(404, 404, 'The URI requested is invalid or the resource does not exist.')
      if (request.method === 'POST') return create(request.json)
      return request.method === 'GET' ? list(request.query) : refused(404, 404, 'The URI requested is invalid.')
    },
    refuse: (fault) => refused(fault.status ?? 400, Number(fault.code ?? 400), fault.message ?? 'The request was invalid.'),
    control: (request) => (request.route === '/trackings' ? { body: { trackings } } : null),
  })
  const signed = (rawBody: Buffer) => ({
    rawBody,
    headers: {
      'content-type': 'application/json',
      'as-webhook-version': '2026-07',
      'aftership-hmac-sha256': createHmac('sha256', webhookSecret).update(rawBody).digest('base64'),
    },
  })
  return {
    ...server,
    apiKey,
    apiSecret,
    webhookSecret,
    revoke: () => {
      revoked = true
    },
    trackings: () => structuredClone(trackings),
    add,
    news(number, { subtag_message = '', ...checkpoint }) {
      const tracking = find(number)
      tracking.checkpoints.push(checkpoint)
      const { tag, subtag = `${tag}_001` } = checkpoint
      Object.assign(tracking, { tag, subtag, subtag_message, updated_at: new Date().toISOString() })
      if (subtag === 'Exception_010' || subtag === 'Exception_011') tracking.return_to_sender = true
    },
    push(number, event = 'tracking_update') {
      const tracking = find(number)
      pushes += 1
      const eventId = `00000000-0000-4000-8000-${String(pushes).padStart(12, '0')}`
      const envelope = { ts: 1_795_320_000, event, event_id: eventId, is_tracking_first_tag: true, msg: tracking }
      return signed(Buffer.from(JSON.stringify(envelope)))
    },
    signed,
  }
}
