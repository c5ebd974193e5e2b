/** The end state in words that two runs share: no times, no serial numbers, no waybills. */
import type { Pool } from '../../store/db.ts'

const ORDERS_SQL = `
  select o.external_id as "externalId", o.id, o.phase, o.closed, o.doc -> 'payment' as payment,
    (select jsonb_agg(k order by k) from jsonb_object_keys(o.facts) k) as facts,
    (select jsonb_agg(f.fact || case when f.withdrawn then ' withdrawn' else '' end order by f.fact, f.withdrawn) from order_facts f
      where f.order_id = o.id) as history,
    (select jsonb_agg(to_jsonb(l) - 'order_id' order by l.position) from order_lines l where l.order_id = o.id) as lines,
    (select jsonb_agg(jsonb_build_object('id', u.id, 'location', u.location, 'state', u.state, 'weight', u.weight_grams,
        'lines', (select jsonb_agg(to_jsonb(ul) order by ul.line_id) from unit_lines ul where ul.unit_id = u.id)) order by u.serial)
      from units u where u.order_id = o.id) as units,
    (select jsonb_agg(jsonb_build_object('id', p.id, 'reference', p.reference, 'state', p.state, 'service', p.service, 'due', p.amount_due_minor,
        'onLabel', p.label_amount_minor, 'last', p.last_status,
        'said', (select jsonb_agg(distinct e.code) from parcel_events e where e.parcel_id = p.id)) order by p.id)
      from parcels p where p.order_id = o.id) as parcels,
    (select jsonb_agg(m.reason || ' ' || m.quantity || ' ' || m.sku order by m.sku, m.quantity) from movements m
      join units u on u.id = m.reference where u.order_id = o.id) as movements,
    (select jsonb_agg(x.kind || ' to ' || coalesce(x.connection, x.participant) || ': ' || x.state order by x.kind) from outbox x
      where x.order_id = o.id) as told,
    (select jsonb_agg(n.template order by n.template) from notices n where n.order_id = o.id) as notices,
    (select jsonb_agg(c.verb || ': ' || c.state order by c.serial) from commands c where c.order_id = o.id) as commands
  from orders o order by o.external_id`

export interface EndState {
  orders: {
    externalId: string
    id: string
    phase: string
    closed: boolean
    parcels: { reference: string; due: number; onLabel: number }[]
  }[]
  stock: { sku: string; location: string; onHand: number; held: number }[]
  holds: number
  tasks: string[]
}

export async function endState(pool: Pool): Promise<EndState> {
  const rows = async <T>(sql: string) => (await pool.query(sql)).rows as T[]
  return {
    orders: await rows<EndState['orders'][number]>(ORDERS_SQL),
    stock: await rows<EndState['stock'][number]>(
      'select sku, location, on_hand as "onHand", held from stock order by sku, location',
    ),
    holds: (await rows(`select 1 from holds where state = 'active'`)).length,
    tasks: (await rows<{ kind: string }>(`select kind from tasks where state = 'open' order by kind`)).map((task) => task.kind),
  }
}
