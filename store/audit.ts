/**
 * Proves what must always be true, from the tables alone; the engine's part comes in through {@link EngineAudit}. Reads one snapshot,
 * as sets or in pages, so that a million orders need no more memory than a thousand.
 */
import type { Facts } from '../domain/facts.ts'
import { phaseOf, type Counters } from '../domain/phase.ts'
import type { Pool, Queryable } from './db.ts'
import { invariants } from './auditInvariants.ts'

export interface Violation {
  invariant: string
  subject: string
  detail: string
}
export interface AuditResult {
  ok: boolean
  checked: { orders: number; holds: number; movements: number; parcels: number }
  /** At most {@link MAX_VIOLATIONS} of each invariant. */
  violations: Violation[]
}

/** What only the workflow engine knows. */
export interface EngineAudit {
  /** Orders that have a running workflow. */
  runningOrderIds(): Promise<Set<string>>
  /** Workflows whose workflow tasks fail again and again (code that does not match its history, or throws). */
  failingWorkflows(): Promise<{ workflowId: string; detail: string }[]>
}

export interface AuditOptions {
  /** Omitted: the two invariants about workflows are not checked. */
  engine?: EngineAudit
  /** Orders in one page of the phase check. @default 2000 */
  pageSize?: number
}

export const MAX_VIOLATIONS = 1_000

export async function audit(pool: Pool, { engine, pageSize = 2_000 }: AuditOptions = {}): Promise<AuditResult> {
  const violations: Violation[] = []
  const db = await pool.connect()
  let checked: AuditResult['checked']
  try {
    await db.query('begin isolation level repeatable read read only')
    const counts = await db.query<AuditResult['checked']>(
      `select (select count(*) from orders) as orders, (select count(*) from holds) as holds,
         (select count(*) from movements) as movements, (select count(*) from parcels) as parcels`,
    )
    checked = counts.rows[0] as AuditResult['checked']
    for (const [invariant, sql] of Object.entries(invariants)) {
      const found = await db.query<{ subject: string; detail: string }>(`${sql} limit ${MAX_VIOLATIONS}`)
      for (const { subject, detail } of found.rows) violations.push({ invariant, subject, detail })
    }
    violations.push(...(await phaseViolations(db, pageSize)))
  } finally {
    const broken = await db.query('rollback').then(
      () => false,
      () => true,
    )
    db.release(broken)
  }
  if (engine) violations.push(...(await engineViolations(pool, engine)))
  return { ok: violations.length === 0, checked, violations }
}

async function phaseViolations(db: Queryable, pageSize: number): Promise<Violation[]> {
  const violations: Violation[] = []
  for (let after = ''; ;) {
    const { rows } = await db.query<{ id: string; phase: string; facts: Facts; lines: Counters[] }>(
      `select o.id, o.phase, o.facts, (
         select coalesce(json_agg(json_build_object('ordered', ordered, 'held', held, 'picked', picked, 'packed', packed, 'shipped', shipped,
           'delivered', delivered, 'returned', returned, 'cancelled', cancelled)), '[]') from order_lines l where l.order_id = o.id) as lines
       from orders o where o.id > $1 order by o.id limit $2`,
      [after, pageSize],
    )
    for (const row of rows) {
      const derived = phaseOf(row.lines, row.facts)
      if (derived !== row.phase && violations.length < MAX_VIOLATIONS)
        violations.push({
          invariant: 'stored phase equals derived phase',
          subject: row.id,
          detail: `stored ${row.phase}, derived ${derived}`,
        })
    }
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) return violations
    after = last.id
  }
}

/** Open orders that nobody works on: no running workflow, no open task, a minute of grace since they changed. */
async function abandoned(pool: Pool, running: Set<string>): Promise<string[]> {
  const orders: string[] = []
  for (let after = ''; orders.length < MAX_VIOLATIONS;) {
    const { rows } = await pool.query<{ id: string }>(
      `select o.id from orders o where not o.closed and o.updated_at < now() - interval '1 minute' and o.id > $1
         and not exists (select from tasks t where t.order_id = o.id and t.state = 'open')
       order by o.id limit 5000`,
      [after],
    )
    orders.push(...rows.map((row) => row.id).filter((id) => !running.has(id)))
    const last = rows.at(-1)
    if (last === undefined) break
    after = last.id
  }
  return orders.slice(0, MAX_VIOLATIONS)
}

async function engineViolations(pool: Pool, engine: EngineAudit): Promise<Violation[]> {
  let orders = await abandoned(pool, await engine.runningOrderIds())
  // What started or closed between the two looks is no violation: look again before accusing.
  if (orders.length > 0) {
    const again = new Set(await abandoned(pool, await engine.runningOrderIds()))
    orders = orders.filter((id) => again.has(id))
  }
  return [
    ...orders.map((subject) => ({
      invariant: 'every order not finished has a running workflow or an open task',
      subject,
      detail: 'neither, and unchanged for a minute',
    })),
    ...(await engine.failingWorkflows()).slice(0, MAX_VIOLATIONS).map(({ workflowId, detail }) => ({
      invariant: 'no workflow fails its tasks',
      subject: workflowId,
      detail,
    })),
  ]
}
