/** 17TRACK v2.4: follows parcels that others carry. The only file of this folder that does I/O; see docs/connectors/17track.md. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { jsonOf, refusalOf, webhookJson } from '../kit/json.ts'
import { digest, headerOf, verifySignature } from '../kit/signature.ts'
import type { CheckResult, Connector, ConnectorContext, RawRecord } from '../kit/types.ts'
import { errorOf, MOST_NUMBERS, newsOf, parseRegister, parseTrack, quotaRequest, registerRequest, trackRequest } from './api.ts'
import { Track17Config } from './config.ts'
import { meaningOf } from './status.ts'

type Context = ConnectorContext<Track17Config>

/** Registering is harmless to repeat, reading too: what a 5xx left behind is simply asked again. */
async function post(ctx: Context, request: { url: string; body: string }): Promise<unknown> {
  const { apiKey } = ctx.connection.config
  const headers = { '17token': apiKey, 'content-type': 'application/json' }
  const response = await ctx.http.request({ method: 'POST', ...request, headers }).catch((error: unknown) => {
    if (error instanceof OmnisagaError && error.kind === 'AuthExpired') throw errorOf(-18010002, 'the key is not accepted')
    throw error
  })
  if (response.status !== 200) throw refusalOf(response.status, '17TRACK')
  return jsonOf(response, { what: '17TRACK' })
}

const batches = <T>(all: readonly T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / MOST_NUMBERS) }, (_, at) => all.slice(at * MOST_NUMBERS, (at + 1) * MOST_NUMBERS))

async function check(ctx: Context): Promise<CheckResult> {
  try {
    const { code, data } = z
      .looseObject({ code: z.number(), data: z.looseObject({ quota_remain: z.number().nullish() }).nullish() })
      .parse(await post(ctx, quotaRequest(ctx.connection.config)))
    if (code !== 0) throw errorOf(code, '')
    if (data?.quota_remain !== 0) return { ok: true, problems: [] }
    return { ok: false, problems: [{ message: 'nothing is left of the quota', remedy: 'Buy more in the 17TRACK console.' }] }
  } catch (error) {
    if (!(error instanceof OmnisagaError)) throw error
    return { ok: false, problems: [{ message: error.message, remedy: error.remedy ?? 'Try again later.' }] }
  }
}

const Push = z.looseObject({ event: z.string(), data: z.looseObject({ number: z.string() }) })
const text = (value: unknown): string => (typeof value === 'string' ? value : '')

export const track17: Connector<Track17Config> = {
  name: '17track',
  title: '17TRACK Tracking API v2.4',
  kind: 'tracker',
  configSchema: Track17Config,
  secretFields: ['apiKey'],
  check,
  /** `sign` is the plain SHA-256 of body, slash, key: no HMAC. A number that is not followed any more is no news. */
  receiveWebhook(ctx, { headers, rawBody }) {
    const { config } = ctx.connection
    verifySignature({
      vendor: '17TRACK',
      secret: config.apiKey,
      given: headerOf(headers, 'sign')?.toLowerCase(),
      expected: (key) => digest('sha256', Buffer.concat([rawBody, Buffer.from(`/${key}`, 'utf8')]), 'hex'),
    })
    const json = webhookJson(rawBody, '17TRACK')
    const push = Push.safeParse(json)
    if (!push.success) throw new OmnisagaError('Invalid', '17TRACK webhook: not as documented', { code: 'malformed' })
    const record = push.data.event === 'TRACKING_UPDATED' ? newsOf(push.data.data, config) : null
    return { records: record ? [record] : [], answer: { status: 200, contentType: 'text/plain', body: 'ok' } }
  },
  tracker: {
    async register(ctx, parcels) {
      const refused: { waybill: string; error: string }[] = []
      for (const batch of batches(parcels))
        refused.push(...parseRegister(await post(ctx, registerRequest(ctx.connection.config, batch))))
      return refused
    },
    async poll(ctx, waybills) {
      const news: RawRecord[] = []
      for (const batch of batches(waybills))
        news.push(...parseTrack(await post(ctx, trackRequest(ctx.connection.config, batch)), ctx.connection.config))
      return news
    },
    mapReport({ externalId, payload, eventAt }) {
      const [status, subStatus] = [text(payload.status), text(payload.subStatus) || null]
      if (!status || !eventAt) {
        throw new OmnisagaError('Invalid', `17TRACK report of ${externalId} without ${status ? 'time' : 'status'}`, {
          code: 'malformed',
          remedy: 'Look the parcel up at 17TRACK; the next report may be whole.',
        })
      }
      return {
        reference: text(payload.tag) || null,
        courierBookingId: null,
        waybill: externalId,
        code: subStatus ?? status,
        meaning: meaningOf(status, subStatus),
        detail: text(payload.description).slice(0, 200),
        eventAt,
      }
    },
  },
}
