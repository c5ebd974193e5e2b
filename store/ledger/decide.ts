/** Who gets what: pure, in order of arrival, over levels that are locked. */
import { OmnisagaError } from '../../domain/errors.ts'
import type { ReserveAnswer, ReserveRequest } from './types.ts'

const MAX_QUANTITY = 2 ** 31 - 1

/** One stock row's name within a process. */
export const rowKey = (row: { sku: string; location: string }): string => `${row.location}\u0000${row.sku}`

/** @throws Invalid, naming the line. */
export function validateRequest(request: ReserveRequest): void {
  const refuse = (what: string) => {
    throw new OmnisagaError('Invalid', `reservation ${request.key} of order ${request.orderId}: ${what}`, {
      code: 'reservation',
      remedy: 'send whole quantities above zero, and each line and location once',
    })
  }
  if (request.key === '') refuse('the key is empty')
  if (request.expiresAt !== null && Number.isNaN(request.expiresAt.getTime())) refuse('expiresAt is no date')
  const seen = new Set<string>()
  const texts = [request.key, request.orderId, ...request.lines.flatMap((line) => [line.lineId, line.sku, line.location])]
  // PostgreSQL holds no NUL, and its protocol ends a text there.
  if (texts.some((text) => text.includes('\u0000'))) refuse('a name holds a NUL character')
  // Sent as UTF-8 it would become another name.
  if (texts.some((text) => /\p{Surrogate}/u.test(text))) refuse('a name holds half a character (an unpaired surrogate)')
  for (const line of request.lines) {
    if (!Number.isInteger(line.quantity) || line.quantity <= 0 || line.quantity > MAX_QUANTITY)
      refuse(`line ${line.lineId} asks for ${line.quantity} of ${line.sku}`)
    const name = `${line.lineId}\u0000${rowKey(line)}`
    if (seen.has(name)) refuse(`line ${line.lineId} names ${line.sku} at ${line.location} twice`)
    seen.add(name)
  }
}

/**
 * Answers one request and takes what it holds out of `free`.
 * @param free what can still be held, by {@link rowKey}; a missing row has 0. Safety stock can make it negative: that is 0 too.
 */
export function decide(request: ReserveRequest, free: Map<string, number>): ReserveAnswer {
  const before = new Map<string, number>()
  const demand = new Map<string, number>()
  for (const line of request.lines) {
    const row = rowKey(line)
    before.set(row, Math.max(0, free.get(row) ?? 0))
    demand.set(row, (demand.get(row) ?? 0) + line.quantity)
  }
  const complete = [...demand].every(([row, quantity]) => quantity <= (before.get(row) ?? 0))
  const left = new Map(before)
  const lines = request.lines.map(({ lineId, sku, location, quantity }) => {
    const row = rowKey({ sku, location })
    const rest = left.get(row) ?? 0
    const held = complete || request.mode === 'asMuchAsThereIs' ? Math.min(quantity, rest) : 0
    left.set(row, rest - held)
    return { lineId, sku, location, quantity, held, available: before.get(row) ?? 0 }
  })
  for (const [row, rest] of left) if (rest !== before.get(row)) free.set(row, rest)
  return { complete, lines }
}
