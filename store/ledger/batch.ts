/** One batch of reservations: one transaction, two round trips. */
import pg from 'pg'
import type { Pool } from '../db.ts'
import { decide, rowKey } from './decide.ts'
import type { ReserveAnswer, ReserveLine, ReserveRequest } from './types.ts'

const LIMITS = `set local lock_timeout = '500ms'; set local statement_timeout = '10s'`
/** An array as one literal: cheaper to parse than as many. Null stays null. */
const array = (values: (string | null)[]) =>
  pg.escapeLiteral(`{${values.map((value) => (value === null ? 'null' : `"${value.replace(/[\\"]/g, '\\$&')}"`)).join(',')}}`)
const numbers = (values: number[]) => `'{${values.join(',')}}'`

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
      `begin; ${LIMITS}; select * from ledger_begin(${array(named.map((row) => row.sku))}, ${array(named.map((row) => row.location))}, ` +
        `${array(requests.map((request) => request.key))})`,
    )) as unknown as pg.QueryResult[]
    const free = new Map<string, number>()
    const answers = new Map<string, ReserveAnswer>()
    for (const row of results.at(-1)?.rows as BeginRow[]) {
      if (row.key === null) free.set(rowKey(row), row.free)
      else answers.set(row.key, row.answer)
    }

    const fresh: ReserveRequest[] = []
    const held: { request: number; line: ReserveLine & { held: number } }[] = []
    for (const request of requests) {
      if (answers.has(request.key)) continue
      const answer = decide(request, free)
      answers.set(request.key, answer)
      fresh.push(request)
      for (const line of answer.lines) if (line.held > 0) held.push({ request: fresh.length, line })
    }
    // Committed even when nothing is new: expired holds may have been ended.
    await client.query(
      fresh.length === 0
        ? 'commit'
        : `select ledger_hold(${[
            array(fresh.map((request) => request.key)),
            array(fresh.map((request) => request.orderId)),
            array(fresh.map((request) => request.expiresAt?.toISOString() ?? null)),
            array(fresh.map((request) => JSON.stringify(answers.get(request.key)))),
            numbers(held.map((hold) => hold.request)),
            array(held.map(({ line }) => line.lineId)),
            array(held.map(({ line }) => line.sku)),
            array(held.map(({ line }) => line.location)),
            numbers(held.map(({ line }) => line.held)),
          ].join(', ')}); commit`,
    )
    committed = true
    return requests.map((request) => answers.get(request.key) as ReserveAnswer)
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
