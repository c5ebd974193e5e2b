/** EasyPost API v2, a courier of couriers; see docs/connectors/easypost.md. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { BookedParcel, Booking, CheckResult, Connector, Document, ParcelRequest, RawRecord } from '../kit/types.ts'
import { call, find, known, type Context } from './api.ts'
import { EasypostConfig } from './config.ts'
import { lookUpPickup, requestPickup } from './collecting.ts'
import { bookingOf, createRequest, insuranceOf, rateFor, shipmentOf } from './shipments.ts'
import { mapReport, readEvent, recordsOf } from './trackers.ts'

const lookUp = async (ctx: Context, parcel: ParcelRequest): Promise<Booking | null> => {
  const shipment = await find(ctx, parcel.reference)
  return shipment && bookingOf(shipment, parcel)
}

async function book(ctx: Context, parcel: ParcelRequest): Promise<Booking> {
  const { name, phone, address } = parcel.recipient
  const personal = [name, phone, address]
  const body = createRequest(ctx.connection.config, parcel)
  // Made by an earlier try whose answer was lost: bought now, never made a second time.
  const made =
    (await find(ctx, parcel.reference)) ?? shipmentOf(await call(ctx, { method: 'POST', path: '/shipments', body, personal }))
  const before = bookingOf(made, parcel)
  if (before) return before
  const insurance = insuranceOf(ctx.connection.config, parcel)
  const order = { rate: { id: rateFor(made, parcel.service).id }, ...(insurance === null ? {} : { insurance }) }
  const bought = bookingOf(
    shipmentOf(await call(ctx, { method: 'POST', path: `/shipments/${made.id}/buy`, body: order, personal })),
    parcel,
  )
  if (bought) return bought
  throw new OmnisagaError('OutcomeUnknown', 'EasyPost: bought, but without a number or a label', {
    code: 'no-label',
    remedy: 'Look the parcel up.',
  })
}

const GIVEN_BACK = new Set(['submitted', 'refunded'])

async function cancel(ctx: Context, args: { courierBookingId: string }): Promise<void> {
  const shipment = await known(ctx, args)
  if (GIVEN_BACK.has(shipment.refund_status ?? '')) return
  const { refund_status: status } = shipmentOf(await call(ctx, { method: 'POST', path: `/shipments/${shipment.id}/refund` }))
  if (GIVEN_BACK.has(status ?? '')) return
  throw new OmnisagaError('Rejected', `EasyPost: the carrier takes the label not back (${status ?? 'no status'})`, {
    code: status ?? 'no-refund',
    remedy: 'Do not hand the parcel over; ask EasyPost for the postage.',
  })
}

/** Labels and forms lie with a file store, not the API: no key is sent there. */
async function download(ctx: Context, url: string): Promise<Document> {
  const local = new URL(ctx.connection.config.baseUrl).protocol === 'http:'
  if (!URL.canParse(url) || (new URL(url).protocol !== 'https:' && !local))
    throw new OmnisagaError('Transient', 'EasyPost: not the address of a file', { code: 'file' })
  const response = await ctx.http.request({ method: 'GET', url })
  if (response.status !== 200)
    throw new OmnisagaError('Transient', `EasyPost: HTTP ${response.status} for a file`, { code: 'file' })
  const contentType = response.headers['content-type'] ?? (url.endsWith('.pdf') ? 'application/pdf' : 'image/png')
  return { contentType, bytes: response.bytes ?? Buffer.from(response.body, 'utf8') }
}

async function labels(ctx: Context, parcels: BookedParcel[]): Promise<Document> {
  const images: Document[] = []
  for (const parcel of parcels) {
    const { postage_label: label } = await known(ctx, parcel)
    const url = label?.label_url ?? label?.label_pdf_url
    if (!url)
      throw new OmnisagaError('Rejected', 'EasyPost has no label for this parcel', { code: 'no-label', remedy: 'Book it first.' })
    images.push(await download(ctx, url))
  }
  const [only] = images
  if (only && images.length === 1) return only
  if (images.some(({ contentType }) => !contentType.startsWith('image/')))
    throw new OmnisagaError('Invalid', 'labels that are PDF files do not go on one sheet', {
      code: 'labelFormat',
      remedy: 'Print them one by one, or set labelFormat PNG.',
    })
  const pages = images.map(
    ({ contentType, bytes }) => `<p><img src="data:${contentType};base64,${bytes.toString('base64')}"></p>`,
  )
  const html = `<!doctype html><meta charset="utf-8"><style>p{margin:0;break-after:page}img{max-width:100%}</style>${pages.join('')}`
  return { contentType: 'text/html; charset=utf-8', bytes: Buffer.from(html, 'utf8') }
}

async function track(ctx: Context, parcels: BookedParcel[]): Promise<RawRecord[]> {
  const news: RawRecord[] = []
  for (const parcel of parcels) {
    const tracker = (await find(ctx, parcel.courierBookingId))?.tracker
    if (tracker) news.push(...recordsOf({ ...tracker, shipment_id: tracker.shipment_id ?? parcel.courierBookingId }))
  }
  return news
}

const ScanForm = z.looseObject({ status: z.string(), message: z.string().nullish(), form_url: z.string().nullish() })

/** A shipment goes on one scan form only: where it is on one already, that form is given again. */
async function manifest(ctx: Context, parcels: BookedParcel[]): Promise<Document> {
  const [first] = parcels
  if (!first) throw new OmnisagaError('Invalid', 'no parcel was named', { code: 'shipments', remedy: 'Name at least one.' })
  const url = (await known(ctx, first)).scan_form?.form_url
  if (url) return await download(ctx, url)
  const shipments = parcels.map(({ courierBookingId: id }) => ({ id }))
  const form = readShape(
    ScanForm,
    await call(ctx, { method: 'POST', path: '/scan_forms', body: { shipments } }),
    'EasyPost scan form',
  )
  if (form.form_url) return await download(ctx, form.form_url)
  if (form.status === 'creating')
    throw new OmnisagaError('Transient', 'EasyPost is making the scan form', {
      code: 'creating',
      remedy: 'Ask again in a minute.',
    })
  throw new OmnisagaError('Rejected', `EasyPost: ${form.message ?? 'no scan form'}`.slice(0, 200), {
    code: form.status,
    remedy: 'Correct what EasyPost names.',
  })
}

async function check(ctx: Context): Promise<CheckResult> {
  try {
    await call(ctx, { method: 'GET', path: '/shipments?page_size=1' })
    return { ok: true, problems: [] }
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return { ok: false, problems: [{ message: error.message, remedy: error.remedy ?? 'Try again later.' }] }
  }
}

export const easypost: Connector<EasypostConfig> = {
  name: 'easypost',
  title: 'EasyPost',
  kind: 'courier',
  configSchema: EasypostConfig,
  secretFields: ['apiKey', 'webhookSecret'],
  check,
  receiveWebhook: (ctx, request) => ({
    records: readEvent(ctx.connection.config, request),
    answer: { status: 200, contentType: 'text/plain', body: 'ok' },
  }),
  courier: {
    book,
    lookUp,
    cancel,
    mapReport,
    labels,
    track,
    manifest,
    requestPickup,
    lookUpPickup,
    insures: ({ usdRate }) => usdRate !== null,
    serviceFor(config, { method, wished }) {
      if (method === 'cvs')
        throw new OmnisagaError('Invalid', 'EasyPost delivers to no convenience stores', {
          code: 'method',
          remedy: 'Use another courier for stores.',
        })
      return wished && /^[^/]+\/[^/]+$/.test(wished) ? wished : config.service
    },
  },
}
