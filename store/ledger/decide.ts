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

/** An allotment of a stock row, as the locked row tells it; those that are covered first come first. */
export interface Allotted {
  /** Null: an open backorder claim of `orderId`; those come after all allotments, in the order in which they are served. */
  id: number | null
  orderId?: string | null
  channel: string | null
  campaign: string | null
  /** What it has not sold yet. */
  rest: number
  /** Whose it is sells nothing else. */
  strict: boolean
}
/** What can still be held of a locked stock row: on hand − safety − active holds, and what is kept of it for whom. */
export interface Shelf {
  free: number
  allotted: Allotted[]
}

/** What a request may take of a shelf, in the order in which it is taken: its campaign's, its channel's, then what is nobody's. */
function sources(shelf: Shelf, request: ReserveRequest): { of: Allotted | null; quantity: number }[] {
  let uncovered = Math.max(0, shelf.free)
  const mine: { of: Allotted; quantity: number }[] = []
  for (const allotment of shelf.allotted) {
    // Who has a claim takes what those before it leave, also its own.
    if (typeof allotment.orderId === 'string' && allotment.orderId === request.orderId) break
    const kept = Math.min(allotment.rest, uncovered)
    uncovered -= kept
    const isMine =
      (allotment.campaign !== null && allotment.campaign === request.campaign) ||
      (allotment.channel !== null && allotment.channel === request.channel)
    if (isMine) mine.push({ of: allotment, quantity: kept })
  }
  mine.sort((a, b) => Number(a.of.campaign === null) - Number(b.of.campaign === null))
  return mine.some(({ of }) => of.strict) ? mine : [...mine, { of: null, quantity: uncovered }]
}

/** Pieces held for the line at this place of the request; `allotment` is null when they are nobody's. */
export interface Taken {
  line: ReserveRequest['lines'][number]
  quantity: number
  allotment: number | null
}

/**
 * Answers one request and takes what it holds off the shelves.
 * @param shelves by {@link rowKey}; a missing row has nothing. Safety stock can make `free` negative: that is nothing too.
 */
export function decide(request: ReserveRequest, shelves: Map<string, Shelf>): { answer: ReserveAnswer; taken: Taken[] } {
  const before = new Map<string, number>()
  const demand = new Map<string, number>()
  const open = new Map<string, { of: Allotted | null; quantity: number }[]>()
  for (const line of request.lines) {
    const row = rowKey(line)
    demand.set(row, (demand.get(row) ?? 0) + line.quantity)
    if (open.has(row)) continue
    const mine = sources(shelves.get(row) ?? { free: 0, allotted: [] }, request)
    open.set(row, mine)
    before.set(
      row,
      mine.reduce((sum, { quantity }) => sum + quantity, 0),
    )
  }
  const complete = [...demand].every(([row, quantity]) => quantity <= (before.get(row) ?? 0))
  const taken: Taken[] = []
  const lines = request.lines.map((line) => {
    const row = rowKey(line)
    let wanted = complete || request.mode === 'asMuchAsThereIs' ? line.quantity : 0
    for (const source of open.get(row) ?? []) {
      const quantity = Math.min(wanted, source.quantity)
      if (quantity === 0) continue
      wanted -= quantity
      source.quantity -= quantity
      taken.push({ line, quantity, allotment: source.of?.id ?? null })
      if (source.of !== null) source.of.rest -= quantity
      const shelf = shelves.get(row)
      if (shelf !== undefined) shelf.free -= quantity
    }
    const held = taken.reduce((sum, piece) => (piece.line === line ? sum + piece.quantity : sum), 0)
    const { lineId, sku, location, quantity } = line
    return { lineId, sku, location, quantity, held, available: before.get(row) ?? 0 }
  })
  return { answer: { complete, lines }, taken }
}
