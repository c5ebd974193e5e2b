/** How orders stand, for what may be asked of them (domain/possible.ts). */
import type { FactName } from '../domain/facts.ts'
import type { Standing } from '../domain/possible.ts'
import type { Queryable } from './db.ts'
import type { OrderRecord } from './orderRecord.ts'

export function standingOf(record: OrderRecord): Standing {
  const { kind, delivery, onHold, payment } = record.doc
  return {
    closed: record.closed,
    kind,
    method: delivery.method,
    onHold: onHold === true,
    payment: { method: payment.method, state: payment.state, amountDueMinor: payment.amountDueMinor },
    facts: Object.keys(record.facts) as FactName[],
    units: record.units.map(({ id, state }) => ({ id, state })),
    parcels: record.parcels.map(({ id, unitId, attempt, state, amountDueMinor, rebook }) => ({
      id,
      unitId,
      attempt,
      state,
      amountDueMinor,
      rebook,
    })),
    shipped: record.lines.reduce((sum, line) => sum + line.shipped, 0),
    missing: record.lines.reduce((sum, line) => sum + record.missingOf(line), 0),
  }
}

/** The same of many, in one statement. */
export async function standings(db: Queryable, orderIds: readonly string[]): Promise<ReadonlyMap<string, Standing>> {
  if (orderIds.length === 0) return new Map()
  const { rows } = await db.query<Standing & { id: string }>({
    name: 'order-standings',
    text: `select o.id, o.closed, o.kind, o.doc->'delivery'->>'method' as method, coalesce((o.doc->>'onHold')::boolean, false) as "onHold",
        (select jsonb_object_agg(key, value) from jsonb_each(o.doc->'payment') where key in ('method', 'state', 'amountDueMinor')) as payment,
        array(select jsonb_object_keys(o.facts)) as facts,
        (select coalesce(json_agg(json_build_object('id', u.id, 'state', u.state) order by u.serial), '[]') from units u where u.order_id = o.id) as units,
        (select coalesce(json_agg(json_build_object('id', p.id, 'unitId', p.unit_id, 'attempt', p.attempt, 'state', p.state,
          'amountDueMinor', p.amount_due_minor, 'rebook', p.rebook) order by p.attempt), '[]')
          from parcels p where p.order_id = o.id) as parcels,
        (select coalesce(sum(l.shipped), 0)::int from order_lines l where l.order_id = o.id) as shipped,
        (select coalesce(sum(greatest(0, l.ordered - l.cancelled - coalesce((
          select sum(v.quantity - v.short) from unit_lines v join units u on u.id = v.unit_id
          where u.order_id = o.id and v.line_id = l.line_id and u.state <> 'cancelled'), 0))), 0)::int
          from order_lines l where l.order_id = o.id) as missing
      from orders o where o.id = any($1)`,
    values: [orderIds],
  })
  return new Map(rows.map(({ id, ...standing }) => [id, standing]))
}
