import { invariants } from '../../store/auditInvariants.ts'
import type { Pool } from '../../store/db.ts'

/** What an invariant of the audit finds after somebody has written to the tables by hand, past every guard; then all is as before. */
export async function planted(pool: Pool, invariant: string, change: string): Promise<{ subject: string; detail: string }[]> {
  const db = await pool.connect()
  try {
    await db.query(`begin; set local session_replication_role = replica; ${change}`)
    return (await db.query<{ subject: string; detail: string }>(invariants[invariant] ?? '')).rows
  } finally {
    await db.query('rollback')
    db.release()
  }
}
