/** AfterShip Tracking: follows parcels that others carry. The only file of this folder that does I/O; see docs/connectors/aftership.md. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { callJson, checkBy, type Call } from '../kit/call.ts'
import { readShape, webhookJson } from '../kit/json.ts'
import { followPages } from '../kit/paging.ts'
import { headerOf, hmac, verifySignature } from '../kit/signature.ts'
import type { Connector, ConnectorContext, RawRecord } from '../kit/types.ts'
import {
  ALREADY_REGISTERED,
  checkRequest,
  MOST_NUMBERS,
  parseTrackings,
  registerRequest,
  told,
  trackingsRequest,
  type Registration,
} from './api.ts'
import { AftershipConfig, secretFields } from './config.ts'
import { mapReport, newsOf } from './report.ts'

type Context = ConnectorContext<AftershipConfig>
const call = (ctx: Context, request: Call) => callJson(ctx, request, told)

/** @returns why AfterShip does not take it; null when it is followed. */
async function register(ctx: Context, parcel: Registration): Promise<string | null> {
  try {
    await call(ctx, registerRequest(ctx.connection.config, parcel, ctx.now()))
  } catch (error) {
    if (!(error instanceof OmnisagaError) || error.kind !== 'Rejected') throw error
    if (error.code !== ALREADY_REGISTERED) return `${error.message} (${error.code})`
  }
  return null
}

const Push = z.looseObject({ event: z.string(), msg: z.unknown() })

export const aftership: Connector<AftershipConfig> = {
  name: 'aftership',
  title: 'AfterShip Tracking 2026-07',
  kind: 'tracker',
  configSchema: AftershipConfig,
  secretFields,
  check: (ctx) =>
    checkBy(async () => parseTrackings(await call(ctx, checkRequest(ctx.connection.config, ctx.now())), ctx.connection.config)),
  /** News of a status alone; a new estimate, or that none came yet, is answered and holds nothing. */
  receiveWebhook(ctx, { headers, rawBody }) {
    const { config } = ctx.connection
    verifySignature({
      vendor: 'AfterShip',
      secret: config.webhookSecret,
      given: headerOf(headers, 'aftership-hmac-sha256'),
      expected: (secret) => hmac('sha256', secret, rawBody, 'base64'),
    })
    const { event, msg } = readShape(Push, webhookJson(rawBody, 'AfterShip'), 'AfterShip webhook')
    const record = event === 'tracking_update' ? newsOf(msg, config) : null
    return { records: record ? [record] : [], answer: { status: 200, contentType: 'text/plain', body: 'ok' } }
  },
  tracker: {
    async register(ctx, parcels) {
      const refused: { waybill: string; error: string }[] = []
      for (const parcel of parcels) {
        const error = await register(ctx, parcel)
        if (error !== null) refused.push({ waybill: parcel.waybill, error })
      }
      return refused
    },
    async poll(ctx, waybills) {
      const { config } = ctx.connection
      const news: RawRecord[] = []
      for (let at = 0; at < waybills.length; at += MOST_NUMBERS) {
        const numbers = waybills.slice(at, at + MOST_NUMBERS)
        const pages = followPages<RawRecord, string>(
          async (cursor) => parseTrackings(await call(ctx, trackingsRequest(config, { numbers, cursor }, ctx.now())), config),
          'AfterShip trackings',
        )
        for await (const page of pages) news.push(...page)
      }
      return news
    },
    mapReport,
  },
}
