/** One batch of reservations: one transaction, in one round trip when everything fits, else in two more. */
import pg from 'pg'
import type { Pool, Queryable, Tx } from '../db.ts'
import { decide, rowKey, validateRequest, type Allotted, type Shelf } from './decide.ts'
import type { ReserveAnswer, ReserveLine, ReserveRequest } from './types.ts'

const LIMITS = `set local lock_timeout = '500ms'; set local statement_timeout = '10s'`
/** An array as one literal: cheaper to parse than as many. Null stays null. */
const array = (values: (string | null)[]) =>
  pg.escapeLiteral(`{${values.map((value) => (value === null ? 'null' : `"${value.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`)
const numbers = (values: number[]) => `'{${values.join(',')}}'`

/** Pieces to hold for a line of the request at place `request` (from 1) of its batch. */
interface Piece {
  request: number
  line: ReserveLine
  quantity: number
  allotment?: number | null
}

const allotments = (pieces: Piece[]) => `'{${pieces.map(({ allotment }) => allotment ?? 'null').join(',')}}'::bigint[]`

/** The arrays that both writing functions take. */
const arraysOf = (requests: ReserveRequest[], pieces: Piece[]) => ({
  requests: [
    array(requests.map((request) => request.key)),
    array(requests.map((request) => request.orderId)),
    array(requests.map((request) => request.expiresAt?.toISOString() ?? null)),
  ].join(', '),
  pieces: [
    numbers(pieces.map(({ request }) => request)),
    array(pieces.map(({ line }) => line.lineId)),
    array(pieces.map(({ line }) => line.sku)),
    array(pieces.map(({ line }) => line.location)),
    numbers(pieces.map(({ quantity }) => quantity)),
  ].join(', '),
})

type AllottedRow = Allotted & { sku: string; location: string; order_id: string | null }

/**
 * Answers the requests in order of arrival and writes holds and answers, all in one transaction.
 * @returns one answer for each request. @throws the database's error; nothing was written then, unless the connection was lost at
 * the commit, which a repeat by the same keys finds out.
 */
export async function reserveBatch(pool: Pool, requests: ReserveRequest[]): Promise<ReserveAnswer[]> {
  return (await takeAll(pool, requests)) ?? (await settleEach(pool, requests))
}

/** One round trip: statements sent together are one transaction. @returns null, and changed nothing, when not all is simply there. */
async function takeAll(pool: Pool, requests: ReserveRequest[]): Promise<ReserveAnswer[] | null> {
  if (requests.some(({ lines }) => lines.length === 0)) return null
  const pieces = requests.flatMap(({ lines }, at) => lines.map((line) => ({ request: at + 1, line, quantity: line.quantity })))
  const arrays = arraysOf(requests, pieces)
  const results = (await pool.query(
    `${LIMITS}; select ledger_take(${arrays.requests}, ${arrays.pieces}) as available`,
  )) as unknown as pg.QueryResult<{ available: number[] | null }>[]
  const available = results.at(-1)?.rows[0]?.available ?? null
  if (available === null) return null
  let at = 0
  return requests.map(({ lines }) => ({
    complete: true,
    lines: lines.map(({ lineId, sku, location, quantity }) => {
      return { lineId, sku, location, quantity, held: quantity, available: available[at++] as number }
    }),
  }))
}

/** Of a stock row that is locked, or of an answer given before. */
type BeginRow = { key: null; sku: string; location: string; free: number } | { key: string; answer: ReserveAnswer }

/** In a transaction of its own. */
async function settleEach(pool: Pool, requests: ReserveRequest[]): Promise<ReserveAnswer[]> {
  const client = await pool.connect()
  let committed = false
  try {
    // Committed even when nothing is new: expired holds may have been ended.
    const answers = await settleIn(client, requests, { before: `begin; ${LIMITS}; `, after: 'commit' })
    committed = true
    return answers
  } finally {
    // A connection that cannot even roll back is thrown away.
    const broken =
      !committed &&
      (await client.query('rollback').then(
        () => false,
        () => true,
      ))
    client.release(broken)
  }
}

/** Holds as the reserver does, together with what else its caller's transaction writes. Rows it shares with others are locked before. */
export async function reserveWithin(tx: Tx, request: ReserveRequest): Promise<ReserveAnswer> {
  validateRequest(request)
  const [answer] = await settleIn(tx, [request], { before: '', after: 'select 1' })
  return answer as ReserveAnswer
}

/** Two round trips: locks every row the requests name and looks; then, as was decided here, writes. */
async function settleIn(
  db: Queryable,
  requests: ReserveRequest[],
  { before, after }: { before: string; after: string },
): Promise<ReserveAnswer[]> {
  const rows = new Map(requests.flatMap((request) => request.lines).map((line) => [rowKey(line), line]))
  const named = [...rows.values()]
  const rowsNamed = `${array(named.map((row) => row.sku))}, ${array(named.map((row) => row.location))}`
  const results = (await db.query(
    `${before}select * from ledger_begin(${rowsNamed}, ${array(requests.map((request) => request.key))}); ` +
      `select * from ledger_allotments(${rowsNamed})`,
  )) as unknown as pg.QueryResult[]
  const shelves = new Map<string, Shelf>()
  const answers = new Map<string, ReserveAnswer>()
  for (const row of (results.at(-2)?.rows ?? []) as BeginRow[]) {
    if (row.key === null) shelves.set(rowKey(row), { free: row.free, allotted: [] })
    else answers.set(row.key, row.answer)
  }
  for (const { order_id: orderId, ...row } of (results.at(-1)?.rows ?? []) as AllottedRow[])
    shelves.get(rowKey(row))?.allotted.push({ ...row, orderId })

  const fresh: ReserveRequest[] = []
  const held: Piece[] = []
  for (const request of requests) {
    if (answers.has(request.key)) continue
    const { answer, taken } = decide(request, shelves)
    answers.set(request.key, answer)
    fresh.push(request)
    for (const piece of taken) held.push({ request: fresh.length, ...piece })
  }
  const arrays = arraysOf(fresh, held)
  const texts = array(fresh.map((request) => JSON.stringify(answers.get(request.key))))
  await db.query(
    fresh.length === 0
      ? after
      : `select ledger_hold(${arrays.requests}, ${texts}, ${arrays.pieces}, ${allotments(held)}); ${after}`,
  )
  return requests.map((request) => answers.get(request.key) as ReserveAnswer)
}
