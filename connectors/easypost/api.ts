/** Calls of EasyPost's API, and what its refusals mean. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { jsonOf, refusalOf } from '../kit/json.ts'
import type { ConnectorContext, HttpResponse } from '../kit/types.ts'
import type { EasypostConfig } from './config.ts'
import { shipmentOf, type Shipment } from './shipments.ts'

export type Context = ConnectorContext<EasypostConfig>

const Refusal = z.looseObject({ error: z.looseObject({ code: z.unknown(), message: z.unknown() }) })
function errorIn(body: string): z.infer<typeof Refusal>['error'] | null {
  try {
    return Refusal.parse(JSON.parse(body)).error
  } catch {
    return null // not EasyPost's own words: the status says enough
  }
}
const told = (response: HttpResponse, personal: (string | null)[]) => {
  const { code, message } = errorIn(response.body) ?? {}
  const words = personal.reduce<string>(
    (text, value) => (value && value.length > 1 ? text.replaceAll(value, '…') : text),
    typeof message === 'string' ? message : '',
  )
  return { ...(typeof code === 'string' ? { code } : {}), message: words }
}

export interface Call {
  method: 'GET' | 'POST'
  path: string
  body?: Record<string, unknown>
  /** What must not be repeated of the vendor's words. */
  personal?: (string | null)[]
}
async function send(ctx: Context, { method, path, body }: Call): Promise<HttpResponse> {
  const { apiKey, baseUrl } = ctx.connection.config
  const request = { method, url: `${baseUrl.replace(/\/$/, '')}/v2${path}`, write: method === 'POST', ...(body ? { body } : {}) }
  const headers = { authorization: `Basic ${Buffer.from(`${apiKey}:`, 'utf8').toString('base64')}` }
  return await ctx.http.request({ ...request, headers }).catch((error: unknown) => {
    if (!(error instanceof OmnisagaError) || error.kind !== 'AuthExpired') throw error
    throw new OmnisagaError('Misconfigured', 'EasyPost does not accept the API key', {
      code: '401',
      remedy: 'Check apiKey of the connection.',
    })
  })
}
export async function call(ctx: Context, asked: Call): Promise<unknown> {
  const response = await send(ctx, asked)
  if (response.status >= 200 && response.status < 300)
    return jsonOf(response, { what: 'EasyPost', write: asked.method === 'POST' })
  const words = told(response, asked.personal ?? [])
  if (response.status === 402)
    throw new OmnisagaError('Misconfigured', `EasyPost: ${words.message}`, {
      code: words.code ?? '402',
      remedy: 'Add funds or a payment method to the EasyPost account.',
    })
  throw refusalOf(response.status, 'EasyPost', words)
}

/** What may not be there: by its id, or by our reference. */
export async function look(ctx: Context, kind: 'shipments' | 'pickups', id: string): Promise<unknown> {
  const response = await send(ctx, { method: 'GET', path: `/${kind}/${encodeURIComponent(id)}` })
  if (response.status === 404) return null
  if (response.status !== 200) throw refusalOf(response.status, 'EasyPost', told(response, []))
  return jsonOf(response, { what: 'EasyPost' })
}

export async function find(ctx: Context, id: string): Promise<Shipment | null> {
  const found = await look(ctx, 'shipments', id)
  return found === null ? null : shipmentOf(found)
}
export async function known(ctx: Context, parcel: { courierBookingId: string }): Promise<Shipment> {
  const shipment = await find(ctx, parcel.courierBookingId)
  if (shipment) return shipment
  throw new OmnisagaError('Rejected', 'EasyPost does not know this shipment', {
    code: 'not-found',
    remedy: 'Look it up in the EasyPost console.',
  })
}
