/** What must be true after every step: the audit's invariants, and what only a model of the world can say. */
import type { Facts } from '../../domain/facts.ts'
import { phaseOf, type Counters } from '../../domain/phase.ts'
import { invariants } from '../../store/auditInvariants.ts'
import type { Pool } from '../../store/db.ts'
import type { StandInCourier } from '../saga/standInCourier.ts'

const GONE = `('shipped', 'delivered', 'returned')`
const AHEAD = `('planned', 'ready', 'handedOver', 'picked', 'packed')`

/** Each returns (subject, detail) of what breaks it. */
const truths: Record<string, string> = {
  'a line counts what its units did': `
    select l.order_id || '/' || l.line_id as subject, 'counted ' || array[l.picked, l.packed, l.shipped, l.delivered, l.returned]::text
      || ', done ' || array[n.picked, n.packed, n.shipped, n.delivered, n.returned]::text as detail
    from order_lines l join orders o on o.id = l.order_id
    cross join lateral (
      select coalesce(sum(u.picked) filter (where s.state <> 'cancelled'), 0)::int as picked,
        coalesce(sum(u.packed) filter (where s.state <> 'cancelled'), 0)::int as packed,
        coalesce(sum(u.packed) filter (where s.state in ${GONE}), 0)::int as shipped,
        coalesce(sum(u.packed) filter (where s.state = 'delivered' or (s.state = 'returned' and exists (
          select from parcels p where p.unit_id = s.id and p.delivered_at is not null))), 0)::int as delivered,
        coalesce(sum(u.packed) filter (where s.state = 'returned'), 0)::int + coalesce((
          select sum(x.received) from return_lines x join returns r on r.id = x.return_id
          where r.order_id = l.order_id and x.line_id = l.line_id and r.way <> 'cameBack'), 0)::int as returned
      from unit_lines u join units s on s.id = u.unit_id where s.order_id = l.order_id and u.line_id = l.line_id
    ) n
    where not (o.facts ? 'cancelled') and (l.picked, l.packed, l.shipped, l.delivered, l.returned)
      is distinct from (n.picked, n.packed, n.shipped, n.delivered, n.returned)`,

  'no more is packed, sent or struck off than was ordered': `
    select order_id || '/' || line_id as subject, 'ordered ' || ordered || ', packed ' || packed || ', cancelled ' || cancelled || ', held ' || held as detail
    from order_lines where held < 0 or cancelled < 0 or cancelled > ordered or shipped + cancelled > ordered or held > ordered`,

  'what left the shelves is what was sent': `
    select u.id as subject, u.state || ': packed ' || coalesce(n.packed, 0) || ', left the shelf ' || coalesce(m.quantity, 0) as detail
    from units u
    left join (select unit_id, sum(packed)::int as packed from unit_lines group by 1) n on n.unit_id = u.id
    left join (select reference, -sum(quantity)::int as quantity from movements where reason in ('shipped', 'handedOver') group by 1) m
      on m.reference = u.id
    where case when u.state in ${GONE} then coalesce(n.packed, 0) else 0 end <> coalesce(m.quantity, 0)`,

  'what a unit shall send is held for it': `
    select u.order_id || '/' || l.line_id || ' at ' || u.location as subject, 'to be sent ' || sum(l.quantity - l.short) || ', held '
      || coalesce((select sum(h.quantity) from holds h where h.order_id = u.order_id and h.line_id = l.line_id and h.location = u.location
        and h.state = 'active' and (h.expires_at is null or h.expires_at > now())), 0) as detail
    from units u join unit_lines l on l.unit_id = u.id join orders o on o.id = u.order_id
    where u.state in ${AHEAD} and not (o.facts ? 'cancelRequested')
    group by u.order_id, l.line_id, u.location
    having sum(l.quantity - l.short) <> coalesce((select sum(h.quantity) from holds h where h.order_id = u.order_id and h.line_id = l.line_id
      and h.location = u.location and h.state = 'active' and (h.expires_at is null or h.expires_at > now())), 0)`,

  'no unit carries more than is wanted': `
    select l.order_id || '/' || l.line_id as subject, 'wanted ' || l.ordered - l.cancelled || ', in units ' || n.quantity as detail
    from order_lines l join orders o on o.id = l.order_id
    cross join lateral (select coalesce(sum(u.quantity - u.short), 0)::int as quantity from unit_lines u join units s on s.id = u.unit_id
      where s.order_id = l.order_id and u.line_id = l.line_id and s.state <> 'cancelled') n
    where not (o.facts ? 'cancelled') and not (o.facts ? 'cancelRequested') and n.quantity > l.ordered - l.cancelled`,
}

const ALL = Object.entries({ ...invariants, ...truths })
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
