/** The calls of the profile, in pairs: `xRequest` says what to send, `parseX` reads the answer. No I/O. */
import type { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import { contentHash } from '../../domain/ids.ts'
import { urlOf, type Call } from '../kit/call.ts'
import { readShape } from '../kit/json.ts'
import type { RawRecord, ShipmentAdvice, Wave as OurWave } from '../kit/types.ts'
import type { WmsRestConfig } from './config.ts'
import { Account, Answer, AnswerPage, type Ack, type Cancel, type Label, type Wave } from './shapes.ts'

type Account = Pick<WmsRestConfig, 'baseUrl' | 'apiKey'>

const get = (account: Account, path: string, query?: Record<string, string | number | undefined>): Call => ({
  what: `warehouse GET ${path}`,
  method: 'GET',
  url: urlOf(account.baseUrl, path, query),
  headers: { authorization: `Bearer ${account.apiKey}` },
})
/** The warehouse drops what comes again under the same key, so a 5xx may be asked again as it is. */
const post = (account: Account, path: string, key: string, body: Record<string, unknown>): Call => ({
  what: `warehouse POST ${path.replace(/\/units\/[^/]+/, '/units/…')}`,
  method: 'POST',
  url: urlOf(account.baseUrl, path),
  headers: { authorization: `Bearer ${account.apiKey}`, 'idempotency-key': encodeURIComponent(key) },
  body,
  write: true,
  serverErrorMeansNotDone: true,
})

export const accountRequest = (account: Account): Call => get(account, '/account')
export const parseAccount = (json: unknown): { warehouse: string } => readShape(Account, json, 'warehouse GET /account')

/** An empty text is none. */
const orNull = (value: string | null) => value || null

/** @throws OmnisagaError Invalid for a wave or an order with nothing in it. */
export function waveRequest(account: Account, wave: OurWave): Call {
  const hollow = wave.units.length === 0 || wave.units.some((unit) => unit.lines.length === 0)
  if (hollow)
    throw new OmnisagaError('Invalid', `wave ${wave.id} has no units, or one without lines`, {
      remedy: 'Take it out of the wave.',
    })
  const body: z.infer<typeof Wave> = {
    waveId: wave.id,
    location: wave.location,
    createdAt: wave.createdAt,
    orders: wave.units.map(({ unitId, orderId, externalId, priority, notes, askedTime, recipient, delivery, lines }) => ({
      unitId,
      orderId,
      orderNumber: externalId,
      priority,
      notes: orNull(notes),
      askedTime: orNull(askedTime),
      recipient: {
        name: orNull(recipient.name),
        phone: orNull(recipient.phone),
        postalCode: orNull(recipient.postalCode),
        address: orNull(recipient.address),
      },
      delivery: { method: delivery.method, service: orNull(delivery.service) },
      lines: lines.map(({ lineId, sku, name, quantity }) => ({ lineId, sku, name: orNull(name), quantity })),
    })),
  }
  return post(account, '/waves', wave.id, body)
}

const unitPath = (unitId: string, what: 'cancel' | 'label') => `/units/${encodeURIComponent(unitId)}/${what}`

export function cancelRequest(account: Account, args: { unitId: string; reason: string; key: string }): Call {
  const body: z.infer<typeof Cancel> = { reason: args.reason }
  return post(account, unitPath(args.unitId, 'cancel'), args.key, body)
}
export function labelRequest(account: Account, args: z.infer<typeof Label> & { unitId: string; key: string }): Call {
  const { unitId, key, waybill, courier, amountDueMinor, notes } = args
  const body: z.infer<typeof Label> = { waybill, courier, amountDueMinor, notes: orNull(notes) }
  return post(account, unitPath(unitId, 'label'), key, body)
}

/** @param after the id of the last answer read; null for the oldest that is not acknowledged. */
export const answersRequest = (account: Account, args: { after: string | null; limit: number }): Call =>
  get(account, '/answers', { after: args.after ?? undefined, limit: args.limit })
export function parseAnswers(json: unknown): { items: RawRecord[]; ids: string[]; next: string | null } {
  const { answers, more } = readShape(AnswerPage, json, 'warehouse GET /answers')
  const items = answers.map((answer): RawRecord => {
    const eventAt = Answer.shape.eventAt.safeParse(answer.eventAt)
    return {
      kind: 'shipmentAdvice',
      externalId: answer.unitId,
      // With the content: a warehouse that begins to count anew does not lose an answer.
      version: `${answer.id}/${contentHash(answer).slice(0, 16)}`,
      eventAt: eventAt.success ? eventAt.data : null,
      payload: answer,
    }
  })
  const ids = answers.map(({ id }) => id)
  return { items, ids, next: more ? (ids.at(-1) ?? null) : null }
}

export function acknowledgeRequest(account: Account, through: string): Call {
  const body: z.infer<typeof Ack> = { through }
  return post(account, '/answers/acknowledge', through, body)
}

const CARRIES_LINES = new Set(['picked', 'packed', 'shipped'])

/** @throws OmnisagaError Invalid, naming the field and the remedy; values are not repeated. */
export function mapAdvice(record: { payload: Record<string, unknown> }): ShipmentAdvice {
  const refuse = (what: string, code: string) =>
    new OmnisagaError('Invalid', `answer of the warehouse about a unit: ${what}`, {
      code,
      remedy: 'Let the warehouse send the answer again, under a new id, with this mended.',
    })
  const parsed = Answer.safeParse(record.payload)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const field = issue?.path.join('.') || '(answer)'
    throw refuse(`${field}: ${issue?.message}`, field)
  }
  const { unitId, status, eventAt, lines, weightGrams, reason } = parsed.data
  if (new Set(lines.map(({ lineId }) => lineId)).size < lines.length)
    throw refuse('lines: a lineId is there more than once, give its total once', 'lines')
  if (lines.length === 0 && CARRIES_LINES.has(status))
    throw refuse(`lines: ${status} must say how many of each line were picked`, 'lines')
  return { unitId, status, lines, weightGrams: weightGrams ?? null, eventAt, reason: reason || null }
}
