/**
 * A stand-in for EasyPost v2, from its documents and its official client: shipments made, asked for by id or reference, bought, refunded;
 * scan forms; pickups; label files; tracker events signed with HMAC-SHA256 under the NFKD secret. Listens on 127.0.0.1.
 *
 * Control, JSON: GET /_sim/shipments · GET /_sim/pickups · POST /_sim/shipments/{id}/track {status, detail, at}
 */
import { createHmac } from 'node:crypto'
import type { FaultPlan } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest } from '../kit/server.ts'
import { createPickups, type SimPickup } from './pickups.ts'

export const TEST_KEY = 'EZTK0123456789abcdef'
export const WEBHOOK_SECRET = 'sécret'
/** One pixel. */
const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+M8AAAMBAQDJ/pLvAAAAAElFTkSuQmCC', 'base64')

type Json = Record<string, unknown>
interface Step {
  status: string
  status_detail: string
  datetime: string
  message: string
}
export interface SimShipment {
  id: string
  reference: string | null
  to_address: Json
  parcel: Json
  international: boolean
  rates: { id: string; carrier: string; service: string; rate: string; currency: string }[]
  bought: { id: string; carrier: string; service: string; rate: string; currency: string } | null
  /** In US dollars. */
  insurance: string | null
  tracking_code: string | null
  refund_status: string | null
  scan_form: Json | null
  batch_id: string | null
  steps: Step[]
}
export interface EasypostSimulator {
  url: string
  faults: FaultPlan
  shipments(): SimShipment[]
  /** How often a label was paid for. */
  purchases(): number
  scanForms(): number
  pickups(): SimPickup[]
  /** How often a carrier was asked to come. */
  collections(): number
  track(id: string, step: Partial<Step>): void
  /** The event that EasyPost posts for a shipment's tracker. */
  event(id: string): { headers: Record<string, string>; rawBody: Buffer }
  revoke(): void
  stop(): Promise<void>
}

const errorOf = (status: number, code: string, message: string): SimAnswer => ({
  status,
  body: { error: { code, message, errors: [] } },
})
const RATES: [carrier: string, service: string, rate: string][] = [
  ['USPS', 'Express', '51.20'],
  ['USPS', 'GroundAdvantage', '8.20'],
  ['DHLExpress', 'ExpressWorldwide', '32.50'],
]

/** Their own server writes whole weights N.0, and signs it so. */
export const signatureOf = (body: string, secret: string): string =>
  `hmac-sha256-hex=${createHmac('sha256', Buffer.from(secret.normalize('NFKD'), 'utf8'))
    .update(body, 'utf8')
    .digest('hex')}`

export async function startEasypostSimulator(options: { port?: number; secret?: string } = {}): Promise<EasypostSimulator> {
  let key = TEST_KEY
  const shipments = new Map<string, SimShipment>()
  let purchases = 0
  let scanForms = 0
  let serial = 0
  const idOf = (prefix: string) => `${prefix}_${(++serial).toString(16).padStart(32, '0')}`
  const find = (id: string): SimShipment | undefined =>
    shipments.get(id) ?? [...shipments.values()].find(({ reference }) => reference === id)
  const pickups = createPickups({ idOf, shipment: (id) => shipments.get(id), error: errorOf })

  const trackerOf = (shipment: SimShipment): Json => {
    const last = shipment.steps.at(-1)
    return {
      id: `trk_${shipment.id.slice(4)}`,
      object: 'Tracker',
      mode: 'test',
      tracking_code: shipment.tracking_code,
      status: last?.status ?? 'unknown',
      status_detail: last?.status_detail ?? 'unknown',
      updated_at: last?.datetime ?? '2026-11-22T02:00:00Z',
      shipment_id: shipment.id,
      carrier: shipment.bought?.carrier ?? null,
      weight: 28.3,
      tracking_details: shipment.steps.map((step) => ({ object: 'TrackingDetail', description: null, source: 'USPS', ...step })),
    }
  }
  const shown = (shipment: SimShipment): Json => {
    const { bought, steps: _steps, international: _international, ...rest } = shipment
    return {
      ...rest,
      object: 'Shipment',
      mode: 'test',
      is_return: false,
      messages: [],
      status: 'unknown',
      selected_rate: bought,
      postage_label: bought && {
        id: `pl_${shipment.id.slice(4)}`,
        object: 'PostageLabel',
        label_url: `${server.url}/files/${shipment.id}.png`,
        label_pdf_url: null,
      },
      tracker: bought && trackerOf(shipment),
    }
  }

  function create(json: Json): SimAnswer {
    const asked = (json.shipment ?? {}) as {
      reference?: string
      to_address?: Json
      from_address?: Json
      parcel?: Json
      customs_info?: Json
    }
    for (const [name, address] of [
      ['to_address', asked.to_address],
      ['from_address', asked.from_address],
    ] as const)
      for (const field of ['street1', 'city', 'country'])
        if (!address?.[field]) return errorOf(422, 'PARAMETER.REQUIRED', `Missing required parameter: ${name}.${field}.`)
    const weight = asked.parcel?.weight
    if (typeof weight !== 'number' || weight <= 0)
      return errorOf(422, 'PARAMETER.REQUIRED', 'Missing required parameter: parcel.weight.')
    const international = asked.to_address?.country !== asked.from_address?.country
    if (international && !asked.customs_info) return errorOf(422, 'SHIPMENT.CUSTOMS_INFO.REQUIRED', 'Customs info is required.')
    const shipment: SimShipment = {
      id: idOf('shp'),
      reference: asked.reference ?? null,
      to_address: asked.to_address ?? {},
      parcel: asked.parcel ?? {},
      international,
      rates: RATES.filter(([carrier]) => !international || carrier !== 'USPS').map(([carrier, service, rate]) => ({
        id: idOf('rate'),
        carrier,
        service,
        rate,
        currency: 'USD',
      })),
      bought: null,
      insurance: null,
      tracking_code: null,
      refund_status: null,
      scan_form: null,
      batch_id: null,
      steps: [],
    }
    shipments.set(shipment.id, shipment)
    return { status: 201, body: shown(shipment) }
  }

  function buy(shipment: SimShipment, json: Json): SimAnswer {
    if (shipment.bought) return errorOf(422, 'SHIPMENT.POSTAGE.EXISTS', 'Postage already exists for this shipment.')
    const rate = shipment.rates.find(({ id }) => id === (json.rate as Json | undefined)?.id)
    if (!rate) return errorOf(422, 'SHIPMENT.POSTAGE.FAILURE', 'The rate is not one of this shipment.')
    if (json.insurance !== undefined && !/^\d+\.\d{2}$/.test(String(json.insurance)))
      return errorOf(422, 'INSURANCE.AMOUNT.INVALID', 'Insurance is an amount in US dollars.')
    purchases += 1
    shipment.bought = rate
    shipment.insurance = json.insurance === undefined ? null : String(json.insurance)
    shipment.tracking_code = `94001${String(serial).padStart(17, '0')}`
    return { body: shown(shipment) }
  }

  function refund(shipment: SimShipment): SimAnswer {
    if (!shipment.bought) return errorOf(422, 'SHIPMENT.REFUND.UNAVAILABLE', 'There is no postage to refund.')
    if (shipment.refund_status) return errorOf(422, 'SHIPMENT.REFUND.UNAVAILABLE', 'A refund was requested before.')
    shipment.refund_status = shipment.steps.some(({ status }) => status !== 'pre_transit') ? 'rejected' : 'submitted'
    return { body: shown(shipment) }
  }

  function scanForm(json: Json): SimAnswer {
    const ids = ((json.shipments ?? []) as Json[]).map(({ id }) => String(id))
    const found = ids.map((id) => shipments.get(id))
    if (ids.length === 0 || found.some((shipment) => !shipment?.bought))
      return errorOf(422, 'SCAN_FORM.INVALID', 'Unable to create scan form.')
    if (found.some((shipment) => shipment?.scan_form))
      return errorOf(422, 'SCAN_FORM.INVALID', 'A shipment is on another scan form.')
    scanForms += 1
    const form = {
      id: idOf('sf'),
      object: 'ScanForm',
      status: 'created',
      message: null,
      form_url: `${server.url}/files/form-${scanForms}.pdf`,
      form_file_type: 'application/pdf',
    }
    for (const shipment of found) if (shipment) shipment.scan_form = form
    return { status: 201, body: form }
  }

  function handle(request: SimRequest): SimAnswer {
    if (request.path.startsWith('/files/')) {
      if (request.headers.authorization) return { status: 400, body: 'a key was sent to the file store' }
      const pdf = request.path.endsWith('.pdf')
      return {
        headers: { 'content-type': pdf ? 'application/pdf' : 'image/png' },
        body: pdf ? Buffer.from('%PDF-1.4 scan form') : PNG,
      }
    }
    const [name = ''] = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /, ''), 'base64')
      .toString('utf8')
      .split(':')
    if (name !== key) return errorOf(401, 'APIKEY.INACTIVE', 'This api key is no longer active.')
    const json = (request.json ?? {}) as Json
    const [, resource, id = '', action] = /^\/v2\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(request.path) ?? []
    if (resource === 'scan_forms' && request.method === 'POST') return scanForm(json)
    const picked = pickups.handle(request.method, resource ?? '', decodeURIComponent(id), action, json)
    if (picked) return picked
    if (resource !== 'shipments') return errorOf(404, 'NOT_FOUND', 'The requested resource could not be found.')
    if (!id) {
      if (request.method === 'POST') return create(json)
      return {
        body: { shipments: [...shipments.values()].slice(0, Number(request.query.page_size ?? 20)).map(shown), has_more: false },
      }
    }
    const shipment = find(decodeURIComponent(id))
    if (!shipment) return errorOf(404, 'NOT_FOUND', 'The requested resource could not be found.')
    if (!action && request.method === 'GET') return { body: shown(shipment) }
    if (action === 'buy' && request.method === 'POST') return buy(shipment, json)
    if (action === 'refund' && request.method === 'POST') return refund(shipment)
    return errorOf(404, 'NOT_FOUND', 'The requested resource could not be found.')
  }

  const known = (id: string): SimShipment => {
    const shipment = find(id)
    if (!shipment) throw new RangeError(`no shipment ${id}`)
    return shipment
  }
  const track = (id: string, step: Partial<Step>) => {
    const all = known(id).steps
    all.push({
      status: 'in_transit',
      status_detail: 'in_transit',
      datetime: `2026-11-22T0${all.length + 1}:00:00Z`,
      message: 'Scanned',
      ...step,
    })
  }
  const server = await startSimServer({
    port: options.port,
    handle,
    refuse: (fault) => errorOf(422, fault.code ?? 'SHIPMENT.POSTAGE.FAILURE', fault.message ?? 'Unable to process.'),
    control(request) {
      if (request.route === '/shipments') return { body: { shipments: [...shipments.values()] } }
      if (request.route === '/pickups') return { body: { pickups: pickups.all() } }
      const [, id] = /^\/shipments\/([^/]+)\/track$/.exec(request.route) ?? []
      if (!id || !find(id)) return null
      track(id, (request.json ?? {}) as Partial<Step>)
      return { body: { ok: true } }
    },
  })
  return {
    url: server.url,
    faults: server.faults,
    shipments: () => [...shipments.values()],
    purchases: () => purchases,
    scanForms: () => scanForms,
    pickups: () => pickups.all(),
    collections: () => pickups.purchases(),
    track,
    event(id) {
      const body = JSON.stringify({
        object: 'Event',
        id: `evt_${serial}`,
        mode: 'test',
        description: 'tracker.updated',
        result: trackerOf(known(id)),
      })
      return {
        headers: { 'content-type': 'application/json', 'x-hmac-signature': signatureOf(body, options.secret ?? WEBHOOK_SECRET) },
        rawBody: Buffer.from(body),
      }
    },
    revoke() {
      key = 'another key'
    },
    stop: () => server.stop(),
  }
}
