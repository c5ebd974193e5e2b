import { z } from 'zod'
import { OmnisagaError } from '../../domain/errors.ts'
import type { ShipmentAdvice } from '../kit/types.ts'

/** An empty element is as good as none. */
const optionalText = z
  .string()
  .optional()
  .transform((text) => (text === undefined || text === '' ? null : text))
const wholeNumber = z
  .string('must be a whole number from 0')
  .regex(/^\d{1,9}$/, 'must be a whole number from 0')
  .transform(Number)

const Line = z.object({
  LineId: z.string('must be the LineId of the wave').min(1, 'must be the LineId of the wave'),
  Picked: wholeNumber,
  Short: wholeNumber.default(0),
})
const Advice = z.object({
  UnitId: z.string().min(1),
  Status: z.enum(
    ['picked', 'packed', 'shipped', 'cancelled', 'cancelRefused'],
    'must be picked, packed, shipped, cancelled or cancelRefused',
  ),
  EventAt: z.iso.datetime({ offset: true, error: 'must be a time with offset, such as 2026-11-22T10:15:00+08:00' }),
  WeightGrams: z.preprocess((value) => (value === '' ? undefined : value), wholeNumber.optional()),
  Reason: optionalText,
  Lines: z.preprocess((value) => (value === '' ? undefined : value), z.object({ Line: z.array(Line).default([]) }).optional()),
})

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 'nothing' : `"${text.slice(0, 40)}"`
}
const at = (payload: unknown, path: PropertyKey[]): unknown =>
  path.reduce(
    (value: unknown, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    payload,
  )
const pathText = (path: PropertyKey[]): string =>
  path
    .map((key) => (typeof key === 'number' ? `[${key + 1}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')

/** @throws OmnisagaError Invalid, naming field, value and remedy. */
export function mapAdvice(record: { payload: Record<string, unknown> }): ShipmentAdvice {
  const { payload } = record
  const refuse = (what: string, code: string) => {
    const where = typeof payload.file === 'string' ? ` (file ${payload.file})` : ''
    return new OmnisagaError('Invalid', `shipment advice of ${shown(payload.UnitId)}${where}: ${what}`, {
      code,
      remedy: 'let the warehouse send the advice again with this mended',
    })
  }
  const parsed = Advice.safeParse(payload)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    if (issue === undefined) throw refuse('unreadable', 'advice')
    const field = pathText(issue.path)
    throw refuse(`${field} is ${shown(at(payload, issue.path))}: ${issue.message}`, field)
  }
  const { UnitId, Status, EventAt, WeightGrams, Reason, Lines } = parsed.data
  const lines = (Lines?.Line ?? []).map((line) => ({ lineId: line.LineId, picked: line.Picked, short: line.Short }))
  const repeated = lines.find(({ lineId }, index) => lines.findIndex((other) => other.lineId === lineId) < index)
  if (repeated !== undefined)
    throw refuse(`LineId ${shown(repeated.lineId)} is there more than once: give its total once`, 'Lines')
  if (lines.length === 0 && (Status === 'picked' || Status === 'packed' || Status === 'shipped'))
    throw refuse(`${Status} without Lines: say how many of each line were picked`, 'Lines')
  return { unitId: UnitId, status: Status, lines, weightGrams: WeightGrams ?? null, eventAt: EventAt, reason: Reason }
}
