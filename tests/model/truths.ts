/** What must be true after every step: the audit's invariants, and what only a model of the world can say. */
import type { Facts } from '../../domain/facts.ts'
import { phaseOf, type Counters } from '../../domain/phase.ts'
import { invariants } from '../../store/auditInvariants.ts'
import type { Pool } from '../../store/db.ts'
import type { StandInCourier } from '../saga/standInCourier.ts'

const ALL = Object.entries(invariants)
  .map(([name, sql]) => `select '${name.replaceAll("'", "''")}' as name, t.subject::text, t.detail::text from (${sql}) t`)
  .join('\nunion all\n')

export async function faults(pool: Pool, courier: StandInCourier): Promise<string[]> {
  const [broken, orders, parcels] = await Promise.all([
    pool.query<{ name: string; subject: string; detail: string }>({ name: 'model-truths', text: ALL }),
    pool.query<{ id: string; phase: string; facts: Facts; lines: Counters[] }>({
      name: 'model-phases',
      text: `select o.id, o.phase, o.facts, (select coalesce(json_agg(l), '[]') from order_lines l where l.order_id = o.id) as lines from orders o`,
    }),
    pool.query<{ reference: string; unitId: string; state: string; isLeft: boolean }>({
      name: 'model-parcels',
      text: `select p.reference, p.unit_id as "unitId", p.state,
               exists (select from tasks t where t.key = 'parcel:' || p.id || ':cancel') as "isLeft" from parcels p`,
    }),
  ])
  return [
    ...broken.rows.map(({ name, subject, detail }) => `${name}: ${subject}: ${detail}`),
    ...orders.rows.flatMap(({ id, phase, facts, lines }) => {
      const derived = phaseOf(lines, facts)
      return derived === phase ? [] : [`stored phase equals derived phase: ${id}: stored ${phase}, derived ${derived}`]
    }),
    ...bookedTwice(courier, parcels.rows),
  ]
}

/** The courier's own books: what it has under way and nobody here knows of, or two for one box. */
function bookedTwice(
  courier: StandInCourier,
  parcels: { reference: string; unitId: string; state: string; isLeft: boolean }[],
): string[] {
  const told: string[] = []
  const alive = new Map<string, number>()
  for (const [reference, booking] of courier.booked) {
    const parcel = parcels.find((each) => each.reference === reference)
    if (parcel === undefined || booking.cancelled || parcel.isLeft) continue
    alive.set(parcel.unitId, (alive.get(parcel.unitId) ?? 0) + 1)
    if (parcel.state === 'refused' || parcel.state === 'void')
      told.push(
        `what the courier has booked is known here: ${reference}: ${parcel.state} here, alive at the courier, and no task`,
      )
  }
  for (const [unitId, count] of alive)
    if (count > 1) told.push(`one parcel a unit at the courier: ${unitId}: ${count} are booked there`)
  return told
}
