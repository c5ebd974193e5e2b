/** ECPay 綠界物流, domestic logistics with CheckMacValue. The only file of this folder that does I/O; see docs/connectors/ecpay.md. */
import { OmnisagaError } from '../../domain/errors.ts'
import { encodeForm, FORM_TYPE } from '../kit/form.ts'
import { jsonOf } from '../kit/json.ts'
import type { Booking, CheckResult, Connector, ConnectorContext, ParcelRequest, Remittance } from '../kit/types.ts'
import { BLOCKED, bodyOf } from './answer.ts'
import { cancelRequest, parseDone } from './cancel.ts'
import { CVS_SERVICES, EcpayConfig, HOME_SERVICES } from './config.ts'
import { createRequest, parseCreate } from './create.ts'
import { invalid } from './fields.ts'
import { formPage, mapRequest, parseStoreList, readMapReply, storeListRequest } from './map.ts'
import { parsePrint, printRequest } from './print.ts'
import { bookingOf, parseQuery, queryRequest } from './query.ts'
import { remittanceOf } from './remit.ts'
import { ASK_BACK_OFFICE, parseReturn, returnRequest } from './returns.ts'
import { changeStoreRequest } from './update.ts'
import { ACKNOWLEDGED, mapReport, readReport } from './webhook.ts'

type Context = ConnectorContext<EcpayConfig>

async function post(ctx: Context, request: { url: string; fields: Record<string, string> }, write: boolean): Promise<string> {
  const response = await ctx.http.request({
    method: 'POST',
    url: request.url,
    write,
    rateLimit: BLOCKED,
    headers: { 'content-type': FORM_TYPE, accept: 'text/html' },
    body: encodeForm(request.fields),
  })
  return bodyOf(response, write)
}

async function lookUp(ctx: Context, parcel: ParcelRequest): Promise<Booking | null> {
  const { config } = ctx.connection
  const body = await post(ctx, queryRequest(config, parcel.reference, ctx.now()), false)
  const fields = parseQuery(config, parcel.reference, body)
  return fields && bookingOf(fields, parcel)
}

async function book(ctx: Context, parcel: ParcelRequest): Promise<Booking> {
  const { config } = ctx.connection
  const body = await post(ctx, createRequest(config, parcel, ctx.now()), true)
  const booking = parseCreate(config, parcel, body)
  if (booking.waybill !== null) return booking
  // Bulk convenience-store parcels get their number (ShipmentNo) by query only.
  try {
    const known = await lookUp(ctx, parcel)
    return known ? { ...booking, waybill: known.waybill, label: { ...booking.label, ...known.label } } : booking
  } catch (error) {
    // It is booked, that stands: the number also comes with the status reports. A wrong configuration must still stop the connection.
    if (error instanceof OmnisagaError && error.kind !== 'Misconfigured') return booking
    throw error
  }
}

/** A query for a number that never was: a proper "no" proves address, merchant, keys and clock. */
async function check(ctx: Context): Promise<CheckResult> {
  try {
    const { config } = ctx.connection
    const reference = 'OMNISAGACHECK'
    parseQuery(config, reference, await post(ctx, queryRequest(config, reference, ctx.now()), false))
    return { ok: true, problems: [] }
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return { ok: false, problems: [{ message: error.message, remedy: error.remedy ?? 'Try again later.' }] }
  }
}

/** One query for each parcel that is open: ECPay's report over all of them is documented, but not in service. */
async function remittances(
  ctx: Context,
  window: { from: string; to: string; open: { reference: string }[] },
): Promise<Remittance[]> {
  const { config } = ctx.connection
  const found: Remittance[] = []
  for (const { reference } of window.open) {
    const fields = parseQuery(config, reference, await post(ctx, queryRequest(config, reference, ctx.now()), false))
    const line = fields && remittanceOf(fields, window)
    if (line) found.push(line)
  }
  return found
}

export const ecpay: Connector<EcpayConfig> = {
  name: 'ecpay',
  title: 'ECPay logistics',
  kind: 'courier',
  configSchema: EcpayConfig,
  secretFields: ['hashKey', 'hashIv'],
  check,
  receiveWebhook: (ctx, { rawBody }) => ({
    records: [readReport(ctx.connection.config, rawBody, ctx.now())],
    answer: ACKNOWLEDGED,
  }),
  courier: {
    book,
    lookUp,
    async cancel(ctx, args) {
      parseDone(await post(ctx, cancelRequest(ctx.connection.config, args), true))
    },
    mapReport,
    async labels(ctx, parcels) {
      const { config } = ctx.connection
      return parsePrint(config, await post(ctx, printRequest(config, parcels), false))
    },
    async pickupPoints(ctx, { chain }) {
      const body = await post(ctx, storeListRequest(ctx.connection.config, chain), false)
      return parseStoreList(chain, jsonOf({ status: 200, headers: {}, body }, { what: 'ECPay store list' }))
    },
    pickupMap: (ctx, args) => formPage(mapRequest(ctx.connection.config, args), '選擇取貨門市'),
    readMapReply: (ctx, { rawBody }) => readMapReply(ctx.connection.config, rawBody),
    async changeStore(ctx, parcel, storeId) {
      parseDone(await post(ctx, changeStoreRequest(ctx.connection.config, parcel, storeId), true))
    },
    async bookReturn(ctx, parcel) {
      const body = await post(ctx, returnRequest(ctx.connection.config, parcel), true).catch((error: unknown) => {
        if (error instanceof OmnisagaError && error.kind === 'OutcomeUnknown')
          throw new OmnisagaError('OutcomeUnknown', error.message, { code: error.code, remedy: ASK_BACK_OFFICE })
        throw error
      })
      return parseReturn(parcel, body)
    },
    remittances,
    comes:
      'T-cat is told with each booking that it shall come. Parcels for convenience stores are taken to the counter; for Chunghwa Post ask the post office.',
    serviceFor(config, { method, chain, wished }) {
      if (method === 'home') return HOME_SERVICES.find((service) => service === wished) ?? config.services.home
      if (chain === null)
        throw invalid('LogisticsSubType', 'no convenience-store chain was chosen', 'Choose the chain and the pickup store.')
      return CVS_SERVICES[chain].find((service) => service === wished) ?? config.services[chain]
    },
  },
}
