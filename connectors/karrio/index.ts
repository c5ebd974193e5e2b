/** karrio 2026.1, the open multi-courier server. The only file of this folder that does I/O; see docs/connectors/karrio.md. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { callJson, checkBy, type Call } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import type { BookedParcel, Booking, CheckResult, Connector, ConnectorContext, ParcelRequest, RawRecord } from '../kit/types.ts'
import { KarrioConfig } from './config.ts'
import {
  bookingOf,
  cancelRequest,
  draftRequest,
  findRequest,
  isDraft,
  joinLabels,
  labelRequest,
  parseFound,
  parseLabel,
  parseShipment,
  purchaseRequest,
  rateOf,
  request,
  told,
  type Shipment,
} from './shipments.ts'
import { mapReport, newsOfShipment, parseTrackers, readWebhook, trackersRequest } from './tracking.ts'

type Context = ConnectorContext<KarrioConfig>

async function ask(ctx: Context, call: Call): Promise<unknown> {
  try {
    return await callJson(ctx, call, told)
  } catch (error) {
    if (error instanceof OmnisagaError && error.kind === 'AuthExpired')
      throw new OmnisagaError('Misconfigured', `${call.what}: karrio does not know the API key`, {
        code: 'key',
        remedy: 'Make an API key in karrio and apply it as apiKey.',
      })
    throw error
  }
}

const found = async (ctx: Context, reference: string): Promise<Shipment[]> =>
  parseFound(await ask(ctx, findRequest(ctx.connection.config, reference)), reference)

async function lookUp(ctx: Context, parcel: ParcelRequest): Promise<Booking | null> {
  const [shipment] = await found(ctx, parcel.reference)
  // A draft has bought nothing.
  return shipment && !isDraft(shipment) ? bookingOf(shipment, parcel) : null
}

/**
 * Draft, then purchase: karrio takes a reference twice and buys within one transaction, so what is bought must have a row first.
 * Whatever was begun under the reference is gone on with.
 */
async function book(ctx: Context, parcel: ParcelRequest): Promise<Booking> {
  const { config } = ctx.connection
  const request = draftRequest(config, parcel)
  const [known] = await found(ctx, parcel.reference)
  if (known && !isDraft(known)) return bookingOf(known, parcel)
  const draft = known ?? parseShipment(await ask(ctx, request))
  const purchase = purchaseRequest(config, draft, rateOf(config, parcel, draft))
  try {
    return bookingOf(parseShipment(await ask(ctx, purchase)), parcel)
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Rejected') throw error
    // Bought meanwhile by an attempt whose answer was lost: karrio then says that it cannot be bought again.
    const booked = await lookUp(ctx, parcel)
    if (booked) return booked
    throw error
  }
}

async function track(ctx: Context, parcels: BookedParcel[]): Promise<RawRecord[]> {
  const { config } = ctx.connection
  const records: RawRecord[] = []
  for (const { waybill, courierBookingId } of parcels) {
    if (waybill === null) continue
    const news = parseTrackers(await ask(ctx, trackersRequest(config, waybill)), { waybill, config, now: ctx.now() })
    if (news) records.push(...news)
    else {
      const shipment = await ask(ctx, request(config, 'GET', `/v1/shipments/${encodeURIComponent(courierBookingId)}`))
      records.push(...newsOfShipment(parseShipment(shipment), waybill, ctx.now()))
    }
  }
  return records
}

const Connections = z.object({
  results: z.array(z.object({ carrier_id: z.string(), active: z.boolean(), capabilities: z.array(z.string()).nullish() })),
})

async function check(ctx: Context): Promise<CheckResult> {
  const { config } = ctx.connection
  const problems: CheckResult['problems'] = []
  const result = await checkBy(async () => {
    const { results } = readShape(
      Connections,
      await ask(ctx, request(config, 'GET', '/v1/connections?limit=100')),
      'karrio connections',
    )
    const usable = results.filter(({ active, capabilities }) => active && capabilities?.includes('shipping'))
    const names = usable.map(({ carrier_id: id }) => id).join(', ')
    for (const [name, { carrierId }] of Object.entries(config.services))
      if (!usable.some(({ carrier_id: id }) => id === carrierId))
        problems.push({
          message: `karrio has no active connection ${carrierId} that ships, which service ${name} needs`,
          remedy: `Activate it in karrio, or use one of: ${names || 'none yet'}.`,
        })
    for (const name of [config.homeService, config.cvsService])
      if (name !== null && !Object.hasOwn(config.services, name))
        problems.push({ message: `there is no service ${name}`, remedy: 'Name one of services.' })
  })
  const all = [...problems, ...result.problems]
  return { ok: all.length === 0, problems: all }
}

export const karrio: Connector<KarrioConfig> = {
  name: 'karrio',
  title: 'karrio 2026.1 (multi-courier)',
  kind: 'courier',
  configSchema: KarrioConfig,
  secretFields: ['apiKey', 'webhookSecret'],
  check,
  receiveWebhook: (ctx, { headers, rawBody }) => ({
    records: readWebhook(ctx.connection.config, { headers, rawBody, now: ctx.now() }),
    answer: { status: 200, contentType: 'text/plain; charset=utf-8', body: 'ok' },
  }),
  courier: {
    book,
    lookUp,
    async cancel(ctx, { courierBookingId }) {
      await ask(ctx, cancelRequest(ctx.connection.config, courierBookingId))
    },
    mapReport,
    async labels(ctx, parcels) {
      const labels = []
      for (const { courierBookingId } of parcels)
        labels.push(parseLabel(await ask(ctx, labelRequest(ctx.connection.config, courierBookingId))))
      return joinLabels(labels)
    },
    track,
    insures: ({ insurance }) => insurance,
    // A shipment from the customer: `is_return` works with few carriers (`generic` refuses it).
    bookReturn: book,
    serviceFor(config, { method, wished }) {
      if (wished !== null && Object.hasOwn(config.services, wished)) return wished
      const service = method === 'home' ? (config.homeService ?? Object.keys(config.services)[0]) : config.cvsService
      if (service) return service
      throw new OmnisagaError('Misconfigured', 'karrio: no service for deliveries to a pick-up point', {
        code: 'no-service',
        remedy: 'Set cvsService, or deliver such orders with another courier.',
      })
    },
  },
}
