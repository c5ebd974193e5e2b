/** One batch of reservations: one transaction, two round trips. */
import pg from 'pg'
import type { Pool } from '../db.ts'
import { decide, rowKey } from './decide.ts'
import type { ReserveAnswer, ReserveRequest } from './types.ts'

const LIMITS = `set local lock_timeout = '500ms'; set local statement_timeout = '10s'`
const literal = (value: unknown) => pg.escapeLiteral(JSON.stringify(value))
const texts = (values: string[]) => `array[${values.map((value) => pg.escapeLiteral(value)).join(',')}]::text[]`

/** Of a stock row that is locked, or of an answer given before. */
type BeginRow = { key: null; sku: string; location: string; free: number } | { key: string; answer: ReserveAnswer }

/**
 * Locks every row the requests name, answers them in order of arrival, writes holds and answers, commits.
 * @returns one answer for each request. @throws the database's error; nothing was written then, unless the connection was lost at
 * the commit, which a repeat by the same keys finds out.
 */
export async function reserveBatch(pool: Pool, requests: ReserveRequest[]): Promise<ReserveAnswer[]> {
  const client = await pool.connect()
  let committed = false
  try {
    const rows = new Map(requests.flatMap((request) => request.lines).map((line) => [rowKey(line), line]))
    const named = [...rows.values()]
    const results = (await client.query(
      `begin; ${LIMITS}; select * from ledger_begin(${texts(named.map((row) => row.sku))}, ${texts(named.map((row) => row.location))}, `
      + `${texts(requests.map((request) => request.key))})`,
    )) as unknown as pg.QueryResult[]
    const free = new Map<string, number>()
    const answers = new Map<string, ReserveAnswer>()
    for (const row of results.at(-1)?.rows as BeginRow[]) {
      if (row.key === null) free.set(rowKey(row), row.free)
      else answers.set(row.key, row.answer)
    }

    const fresh: { key: string; order_id: string; answer: ReserveAnswer }[] = []
    const holds: object[] = []
    for (const request of requests) {
      if (answers.has(request.key)) continue
      const answer = decide(request, free)
      answers.set(request.key, answer)
      fresh.push({ key: request.key, order_id: request.orderId, answer })
      for (const line of answer.lines) {
        if (line.held === 0) continue
        holds.push({
          key: request.key, order_id: request.orderId, line_id: line.lineId, sku: line.sku, location: line.location,
          quantity: line.held, expires_at: request.expiresAt,
        })
      }
    }
    // Committed even when nothing is new: expired holds may have been ended.
    await client.query(fresh.length === 0 ? 'commit' : `select ledger_hold(${literal(holds)}, ${literal(fresh)}); commit`)
    committed = true
    return requests.map((request) => answers.get(request.key) as ReserveAnswer)
  } finally {
    // A connection that cannot even roll back is thrown away.
    const broken = !committed && (await client.query('rollback').then(() => false, () => true))
    client.release(broken)
  }
}
