/** Requests to 17TRACK v2.4 and what its answers mean. Every answer is HTTP 200 with a code of its own. */
import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { readShape } from '../kit/json.ts'
import type { RawRecord } from '../kit/types.ts'
import type { Track17Config } from './config.ts'

export const MOST_NUMBERS = 40
const ALREADY_REGISTERED = -18019901
const NOT_REGISTERED = -18019902
const NO_NEWS_YET = -18019909
const DAY_MS = 24 * 60 * 60_000

const url = (config: Track17Config, call: string) => `${config.baseUrl.replace(/\/$/, '')}/track/v2.4/${call}`
export const quotaRequest = (config: Track17Config) => ({ url: url(config, 'getquota'), body: '{}' })

export interface Registration {
  waybill: string
  courier: string
  service: string
  reference: string
}
/** @param parcels at most 40. `tag` comes back with every report: our reference. */
export const registerRequest = (config: Track17Config, parcels: readonly Registration[]) => ({
  url: url(config, 'register'),
  body: JSON.stringify(
    parcels.map(({ waybill, courier, service, reference }) => {
      const carrier = config.carriers[service] ?? config.carriers[courier]
      return { number: waybill, ...(carrier === undefined ? {} : { carrier }), tag: reference }
    }),
  ),
})
/** @param waybills at most 40. */
export const trackRequest = (config: Track17Config, waybills: readonly string[]) => ({
  url: url(config, 'gettrackinfo'),
  body: JSON.stringify(waybills.map((number) => ({ number }))),
})

const Rejected = z.looseObject({ number: z.string(), error: z.looseObject({ code: z.number(), message: z.string().nullish() }) })
const Envelope = z.looseObject({
  code: z.number(),
  data: z
    .looseObject({
      accepted: z.array(z.unknown()).nullish(),
      rejected: z.array(Rejected).nullish(),
      errors: z.array(z.looseObject({ code: z.number(), message: z.string().nullish() })).nullish(),
    })
    .nullish(),
})

const ACCOUNT = new Set([-18010001, -18010002, -18010004, -18010005, -18019908, -18019912])

/** What a code means for the whole request. */
export function errorOf(code: number, message: string): OmnisagaError {
  const [text, told] = [`17TRACK: ${message || 'refused'} (${code})`.slice(0, 200), String(code)]
  if (ACCOUNT.has(code)) {
    return new OmnisagaError('Misconfigured', text, {
      code: told,
      remedy: 'Check apiKey, the addresses allowed to call, and what is left of the quota, in the 17TRACK console.',
    })
  }
  if (code === -18019907)
    return new OmnisagaError('RateLimited', text, {
      code: told,
      retryAfterMs: DAY_MS / 24,
      remedy: 'The limit of the day is reached; it goes on by itself.',
    })
  if (code === -18010003) return new OmnisagaError('Transient', text, { code: told })
  return new OmnisagaError('Rejected', text, { code: told, remedy: 'Correct what 17TRACK names.' })
}

interface Answer {
  accepted: unknown[]
  rejected: z.infer<typeof Rejected>[]
}
/** @throws OmnisagaError when the request as a whole was refused. */
export function readAnswer(json: unknown): Answer {
  const { code, data } = readShape(Envelope, json, '17TRACK')
  const [error] = data?.errors ?? []
  if (code !== 0 || error) throw errorOf(error?.code ?? code, error?.message ?? '')
  return { accepted: data?.accepted ?? [], rejected: data?.rejected ?? [] }
}

/** @returns numbers that 17TRACK does not take; registered before is as good as registered now. */
export function parseRegister(json: unknown): { waybill: string; error: string }[] {
  const { rejected } = readAnswer(json)
  const whole = rejected.find(({ error }) => ACCOUNT.has(error.code) || error.code === -18019907)
  if (whole) throw errorOf(whole.error.code, whole.error.message ?? '')
  return rejected
    .filter(({ error }) => error.code !== ALREADY_REGISTERED)
    .map(({ number, error }) => ({
      waybill: number,
      error: `${error.message ?? 'not taken'} (${error.code})`.replace(number, '…').slice(0, 200),
    }))
}

const Time = z.looseObject({
  time_iso: z.string().nullish(),
  time_utc: z.string().nullish(),
  time_raw: z.looseObject({ date: z.string().nullish(), time: z.string().nullish(), timezone: z.string().nullish() }).nullish(),
})
export const Tracked = z.looseObject({
  number: z.string().min(1),
  carrier: z.union([z.number(), z.string()]).nullish(),
  tag: z.string().nullish(),
  track_info: z
    .looseObject({
      latest_status: z.looseObject({
        status: z.string(),
        sub_status: z.string().nullish(),
        sub_status_descr: z.string().nullish(),
      }),
      latest_event: Time.extend({
        description: z.string().nullish(),
        description_translation: z.looseObject({ description: z.string().nullish() }).nullish(),
        location: z.string().nullish(),
      }).nullish(),
    })
    .nullish(),
})

/** `time_raw` is the carrier's own clock; the v2.4 document calls it the true one of a delivery. */
export function timeOf(event: z.infer<typeof Time>, utcOffset: string): string | null {
  const { date, time, timezone } = event.time_raw ?? {}
  const raw = date ? `${date}T${time || '00:00:00'}${timezone || utcOffset}` : null
  return [event.time_iso, event.time_utc, raw].find((text) => text && !Number.isNaN(Date.parse(text))) ?? null
}

/** The news of one number: its status now, with the event that made it. Null while there is none. */
export function newsOf(json: unknown, config: Track17Config): RawRecord | null {
  const { number, carrier, tag, track_info: info } = readShape(Tracked, json, '17TRACK report')
  if (!info) return null
  const { status, sub_status: subStatus } = info.latest_status
  const event = info.latest_event ?? {}
  const eventAt = timeOf(event, config.utcOffset)
  return {
    kind: 'courierStatus',
    externalId: number,
    version: `${subStatus || status}@${eventAt ?? '-'}`,
    eventAt,
    payload: {
      number,
      carrier: carrier ?? null,
      tag: tag || null,
      status,
      subStatus: subStatus || null,
      description: event.description_translation?.description ?? event.description ?? info.latest_status.sub_status_descr ?? '',
      location: event.location ?? null,
    },
  }
}

/** @returns records of the numbers that have news; those not registered, or without news yet, are left out. */
export function parseTrack(json: unknown, config: Track17Config): RawRecord[] {
  const { accepted, rejected } = readAnswer(json)
  const worse = rejected.find(({ error }) => ![NOT_REGISTERED, NO_NEWS_YET].includes(error.code) && ACCOUNT.has(error.code))
  if (worse) throw errorOf(worse.error.code, worse.error.message ?? '')
  return accepted.map((one) => newsOf(one, config)).filter((record) => record !== null)
}
