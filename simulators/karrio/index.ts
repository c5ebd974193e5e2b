/**
 * Stand-in for karrio's API, written from the answers of karrio 2026.1.32 as they were observed: drafts and purchases, statuses and
 * error bodies, a label as base64, trackers, and webhooks that carry their secret instead of a signature. The same reference is
 * taken twice, as karrio does.
 */
import type { Fault } from '../kit/faults.ts'
import { startSimServer, type SimAnswer, type SimRequest, type SimServer } from '../kit/server.ts'

export const API_KEY = 'key_3f1c9a7be2d84d60a5simulated'
export const WEBHOOK_SECRET = 'whsec_5d0e8a1f6b7c4e2f9asimulated'
export const CARRIER_ID = 'sim-express'
export const SERVICE = 'standard_service'

type Json = Record<string, unknown>
interface Shipment extends Json {
  id: string
  status: string
  reference: string | null
  tracking_number: string | null
  rates: { id: string; carrier_id: string; service: string }[]
}
interface Tracker extends Json {
  tracking_number: string
  status: string
  events: Json[]
}

export interface KarrioSimulator extends SimServer {
  /** Of one reference. */
  shipments(reference: string): Shipment[]
  /** The carrier tells how a parcel is. @returns the webhook that karrio sends. */
  carrierReports(
    waybill: string,
    news: { status: string; description: string; at: string },
  ): {
    headers: Record<string, string>
    rawBody: Buffer
  }
  revokeKey(): void
}

/** A page with nothing on it. */
const PDF = Buffer.from(
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n',
)
const error = (status: number, code: string, message: string): SimAnswer => ({
  status,
  body: { errors: [{ code, level: 'error', message }] },
})

function problemOf(body: Json): SimAnswer | null {
  for (const party of ['shipper', 'recipient']) {
    const address = body[party] as Json | undefined
    if (!address) return error(400, 'validation', `${party}: This field is required.`)
    if (!/^(TW|HK|JP|US|CA)$/.test(String(address.country_code)))
      return error(400, 'validation', `${party}.country_code: "${String(address.country_code)}" is not a valid choice.`)
  }
  const parcels = body.parcels as Json[] | undefined
  if (!parcels?.length) return error(400, 'validation', 'parcels: This field is required.')
  if (parcels.some(({ weight, weight_unit: unit }) => typeof weight !== 'number' || weight <= 0 || unit !== 'KG'))
    return error(400, 'validation', 'parcels[0].weight: A valid number is required.')
  const insurance = (body.options as Json | undefined)?.insurance
  if (insurance !== undefined && (typeof insurance !== 'number' || insurance <= 0))
    return error(400, 'validation', 'options.insurance: A valid number is required.')
  const carriers = (body.carrier_ids as string[] | undefined) ?? []
  if (carriers.length > 0 && !carriers.includes(CARRIER_ID))
    return {
      status: 404,
      body: {
        errors: [{ code: 'not_found', level: 'warning', message: 'No active carrier connection found to process the request' }],
      },
    }
  return null
}

export async function startKarrioSimulator(options: { port?: number } = {}): Promise<KarrioSimulator> {
  const shipments: Shipment[] = []
  const trackers: Tracker[] = []
  let key = API_KEY
  let serial = 0
  const hex = (prefix: string) => `${prefix}_${String(++serial).padStart(32, '0')}`

  function draft(body: Json): SimAnswer {
    const problem = problemOf(body)
    if (problem) return problem
    const shipment: Shipment = {
      ...body,
      id: hex('shp'),
      object_type: 'shipment',
      status: 'draft',
      reference: (body.reference as string | undefined) ?? null,
      tracking_number: null,
      carrier_name: null,
      carrier_id: null,
      // Whatever service is asked for, karrio offers what the carrier has.
      rates: [{ id: hex('rat'), carrier_id: CARRIER_ID, service: SERVICE }],
      messages: [],
      options: body.options ?? {},
    }
    shipments.push(shipment)
    return { status: 201, body: shipment }
  }
  function purchase(shipment: Shipment, body: Json): SimAnswer {
    if (shipment.status !== 'draft')
      return error(409, 'state_error', `The shipment is '${shipment.status}' and cannot be purchased again`)
    if (!shipment.rates.some(({ id }) => id === body.selected_rate_id))
      return error(400, 'validation', 'selected_rate_id: invalid rate id')
    const waybill = `SIM${String(++serial).padStart(10, '0')}`
    Object.assign(shipment, { status: 'created', tracking_number: waybill, carrier_name: 'generic', carrier_id: CARRIER_ID })
    return { body: { ...shipment, docs: { label: PDF.toString('base64') } } }
  }
  function cancel(shipment: Shipment): SimAnswer {
    if (shipment.status === 'cancelled') return { status: 202, body: shipment }
    if (shipment.status !== 'draft' && shipment.status !== 'created')
      return error(409, 'state_error', `The shipment is '${shipment.status}' and can not be cancelled anymore...`)
    shipment.status = 'cancelled'
    return { body: shipment }
  }
  const list = (results: unknown[]): SimAnswer => ({ body: { count: results.length, next: null, previous: null, results } })

  function handle(request: SimRequest): SimAnswer {
    if (request.headers.authorization !== `Token ${key}`)
      return error(401, 'invalid_token', 'Given token not valid for any token type')
    const { method, path, query } = request
    const body = (request.json ?? {}) as Json
    if (path === '/v1/connections')
      return list([
        { id: 'car_1', carrier_name: 'generic', carrier_id: CARRIER_ID, active: true, capabilities: ['rating', 'shipping'] },
      ])
    if (path === '/v1/shipments' && method === 'POST') return draft(body)
    if (path === '/v1/shipments')
      // A part of the reference is enough for karrio.
      return list(shipments.filter(({ reference }) => reference?.toLowerCase().includes((query.reference ?? '').toLowerCase())))
    if (path === '/v1/trackers')
      return list(trackers.filter(({ tracking_number: number }) => number.includes(query.tracking_number ?? '')))
    const found = /^\/v1\/shipments\/([^/]+)(\/.*)?$/.exec(path)
    const shipment = shipments.find(({ id }) => id === found?.[1])
    if (!shipment)
      return { status: 404, body: { errors: [{ code: 'not_found', level: 'warning', message: 'Shipment not found' }] } }
    if (found?.[2] === undefined) return { body: shipment }
    if (found[2] === '/purchase') return purchase(shipment, body)
    if (found[2] === '/cancel') return cancel(shipment)
    if (found[2] === '/documents/label' && shipment.tracking_number)
      return { body: { category: 'label', format: 'PDF', url: `${path}.pdf`, base64: PDF.toString('base64') } }
    return { status: 404, body: { errors: [{ code: 'not_found', level: 'warning', message: 'not found' }] } }
  }

  const server = await startSimServer({
    port: options.port,
    handle,
    refuse: (fault: Fault) => ({
      status: 424,
      body: {
        messages: [
          { carrier_name: 'generic', carrier_id: CARRIER_ID, code: fault.code ?? '400', message: fault.message ?? 'Refused' },
        ],
      },
    }),
  })
  return {
    ...server,
    shipments: (reference) => shipments.filter((each) => each.reference === reference),
    carrierReports(waybill, { status, description, at }) {
      let tracker = trackers.find(({ tracking_number: number }) => number === waybill)
      if (!tracker) {
        const created = {
          date: at.slice(0, 10),
          time: '00:00',
          timestamp: null,
          status: 'created',
          code: 'CREATED',
          description: 'Label created',
        }
        tracker = { id: hex('trk'), object_type: 'tracker', tracking_number: waybill, status: 'pending', events: [created] }
        trackers.push(tracker)
      }
      const event = {
        date: at.slice(0, 10),
        time: at.slice(11, 16),
        timestamp: new Date(at).toISOString(),
        status,
        code: status.toUpperCase(),
        description,
      }
      tracker.events = [event, ...tracker.events]
      tracker.status = status
      const shipment = shipments.find(({ tracking_number: number }) => number === waybill)
      if (shipment) shipment.status = status === 'delivered' ? 'delivered' : 'in_transit'
      return {
        headers: { 'content-type': 'application/json', 'x-event-id': WEBHOOK_SECRET },
        rawBody: Buffer.from(JSON.stringify({ event: 'tracker_updated', data: tracker })),
      }
    },
    revokeKey: () => {
      key = `${API_KEY}-revoked`
    },
  }
}
