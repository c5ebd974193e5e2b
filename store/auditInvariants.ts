/** The invariants that one statement can judge: each returns (subject, detail) of what breaks it, and takes a `limit` at its end. */

import { goodsInvariants } from './auditGoods.ts'

/** A fact that is due and that nobody has tried for so long is not being retried. */
const OVERDUE = `interval '10 minutes'`
const IN_SCOPE = `jsonb_typeof(c.config->'channels') is distinct from 'array' or c.config->'channels' ? o.channel`
const isLive = (hold: string) => `${hold}.state = 'active' and (${hold}.expires_at is null or ${hold}.expires_at > now())`

/** As domain/labels.ts judges them: what the labels collect that are still under way, and whether every unit has one. */
const LABELS_OF_ORDERS = `
  select o.id, n.paid, case when o.doc->'payment'->>'method' = 'cod' then (o.doc->'payment'->>'amountDueMinor')::bigint else 0 end as due,
    coalesce(sum(p.amount_due_minor) filter (where not n.paid or p.state in ('booked', 'shipped', 'returning')), 0)::bigint as labels,
    not exists (select from units u where u.order_id = o.id and u.state <> 'cancelled'
      and not u.id = any(array_agg(p.unit_id)))
    and not exists (select from order_lines l where l.order_id = o.id and l.ordered - l.cancelled > (
      select coalesce(sum(v.quantity - v.short), 0) from unit_lines v join units u on u.id = v.unit_id
      where u.order_id = o.id and v.line_id = l.line_id and u.state <> 'cancelled')) as complete
  from parcels p join orders o on o.id = p.order_id
  cross join lateral (select o.doc->'payment'->>'method' <> 'cod' or o.doc->'payment'->>'state' = 'paid' as paid) n
  where p.state in ('booked', 'shipped', 'delivered', 'returning', 'returned') and not (p.state = 'booked' and p.rebook is not distinct from 'asked')
    and not (o.facts ?| array['cancelled', 'cancelRequested'])
  group by o.id, n.paid having bool_or(p.state in ('booked', 'shipped', 'returning'))`

export const invariants: Record<string, string> = {
  'on hand equals its movements': `
    select coalesce(s.sku, m.sku) || ' at ' || coalesce(s.location, m.location) as subject,
      'on hand ' || coalesce(s.on_hand, 0) || ', movements ' || coalesce(m.quantity, 0) as detail
    from stock s full join (select sku, location, sum(quantity) as quantity from movements group by sku, location) m
      on m.sku = s.sku and m.location = s.location
    where coalesce(s.on_hand, 0) <> coalesce(m.quantity, 0)`,

  'held equals the active holds': `
    select coalesce(s.sku, h.sku) || ' at ' || coalesce(s.location, h.location) as subject,
      'held ' || coalesce(s.held, 0) || ', active holds ' || coalesce(h.quantity, 0) as detail
    from stock s full join (select sku, location, sum(quantity) as quantity from holds where state = 'active' group by sku, location) h
      on h.sku = s.sku and h.location = s.location
    where coalesce(s.held, 0) <> coalesce(h.quantity, 0)`,

  'holds never exceed on hand': `
    select h.sku || ' at ' || h.location as subject, 'holds ' || h.quantity || ', on hand ' || coalesce(s.on_hand, 0) as detail
    from (select sku, location, sum(quantity) as quantity from holds h where ${isLive('h')} group by sku, location) h
    left join stock s on s.sku = h.sku and s.location = h.location
    where h.quantity > coalesce(s.on_hand, 0)`,

  'no active hold of a finished order': `
    select o.id as subject, 'line ' || h.line_id || ' holds ' || h.quantity || ' ' || h.sku || ' at ' || h.location as detail
    from holds h join orders o on o.id = h.order_id where o.closed and ${isLive('h')}`,

  'one active waybill a parcel': `
    select unit_id as subject, count(*) || ' active parcels for one unit: ' || string_agg(id, ', ' order by id) as detail
    from parcels where state not in ('refused', 'void') group by unit_id having count(*) > 1
    union all
    select waybill, count(*) || ' active parcels of ' || courier || ' with this waybill: ' || string_agg(id, ', ' order by id)
    from parcels where waybill is not null and rides_in is null and state not in ('refused', 'void')
    group by courier, waybill having count(*) > 1
    union all
    select id, state || ' without a waybill or booking number' from parcels
    where state in ('booked', 'shipped', 'delivered', 'returning', 'returned') and waybill is null and courier_booking_id is null`,

  'COD label amount equals amount due': `
    select id as subject, 'label ' || coalesce(label_amount_minor::text, 'none') || ', due ' || amount_due_minor as detail
    from parcels where state in ('booked', 'shipped', 'delivered', 'returning', 'returned')
      and coalesce(label_amount_minor, 0) <> amount_due_minor
    union all
    select o.id, 'its labels collect ' || o.labels || ', due ' || o.due || ', and there is no task with these amounts'
    from (${LABELS_OF_ORDERS}) o
    where (o.labels > o.due or (o.complete and not o.paid and o.labels <> o.due)) and not exists (
      select from tasks t where t.key = 'order:' || o.id || ':amount' and t.value = o.labels || '/' || o.due
        and (t.state = 'open' or starts_with(t.outcome, 'skip')))`,

  'every fact owed is acknowledged, being retried, or a task': `
    select o.key as subject, o.kind || ' for ' || coalesce(o.connection, o.participant) || ' is ' || o.state || ' after ' || o.attempts
      || ' attempts, and no task is open' as detail
    from outbox o left join connections c on c.name = o.connection
    where (o.state = 'dead'
        or (o.state = 'due' and o.due_at < now() - ${OVERDUE} and coalesce(o.lease_until, o.due_at) < now() - ${OVERDUE}
          and not coalesce(c.paused, false)
          and not exists (select from outbox e where e.order_id = o.order_id and e.connection = o.connection and e.id < o.id
            and e.state in ('due', 'dead') and (o.participant = 'erp' or (o.kind = 'delivered' and e.kind = 'tracking')))))
      and not exists (select from tasks t where t.state = 'open'
        and (t.order_id = o.order_id or (t.connection = o.connection and t.order_id is null) or t.key = 'outbox:' || o.key))`,

  'every fact is owed to whom it concerns': `
    select o.id as subject, 'confirmed, and ' || c.name || ' is not owed the sale' as detail
    from orders o join connections c on 'erp' = any(c.sides) and (${IN_SCOPE})
    where (o.facts->'confirmed'->>'at')::timestamptz > c.updated_at
      and not exists (select from outbox b where b.order_id = o.id and b.connection = c.name and b.kind = 'sale')
    union all
    select u.id, u.state || ', and ' || c.name || ' is not owed the shipment'
    from units u join orders o on o.id = u.order_id join connections c on 'erp' = any(c.sides) and (${IN_SCOPE})
    join parcels p on p.unit_id = u.id and p.shipped_at > c.updated_at
    where u.state in ('shipped', 'delivered', 'returned')
      and not exists (select from outbox b where b.order_id = o.id and b.connection = c.name and b.kind = 'shipment'
        and b.payload->>'unitId' = u.id)
    union all
    select p.id, p.state || ', and ' || c.name || ' is not owed the waybill'
    from parcels p join orders o on o.id = p.order_id join connections c on c.name = o.connection and 'tracking' = any(c.sides)
    where p.booked_at > c.updated_at and p.service <> 'channel' and p.state in ('booked', 'shipped', 'delivered')
      and not exists (select from outbox b where b.key = 'tracking:' || p.id)
    union all
    select n.key, 'notice ' || n.template || ' is neither sent nor owed, and no reason is kept'
    from notices n where n.sent_at is null and n.reason is null and n.at < now() - ${OVERDUE}
      and not exists (select from outbox b where b.key = 'notice:' || n.key)
      and exists (select from connections c where 'notify' = any(c.sides) and c.updated_at < n.at)`,

  'an allotment has used what is held or sold from it': `
    select 'allotment ' || a.id || ' of ' || a.sku || ' at ' || a.location as subject,
      'used ' || a.used || ', holds ' || coalesce(h.quantity, 0) || case when marked then '' else ', and its stock row does not say so' end as detail
    from allotments a
    left join (
      select allotment_id, sum(quantity) as quantity from holds where allotment_id is not null and state in ('active', 'consumed') group by 1
    ) h on h.allotment_id = a.id
    cross join lateral (
      select a.closed_at is not null or exists (select from stock s where s.sku = a.sku and s.location = a.location and s.allotted) as marked
    ) m
    where a.used <> coalesce(h.quantity, 0) or not marked`,

  'a slot has taken its seated appointments': `
    select coalesce(s.location, a.location) || ' ' || coalesce(s.starts_at, a.starts_at) as subject,
      'taken ' || coalesce(s.taken, 0) || ', appointments ' || coalesce(a.seated, 0) as detail
    from slots s full join (
      select location, starts_at, count(*)::int as seated from appointments where state in ('booked', 'late', 'arrived') group by 1, 2
    ) a on a.location = s.location and a.starts_at = s.starts_at
    where coalesce(s.taken, 0) <> coalesce(a.seated, 0)`,

  'what is in transit is what transfers are bringing': `
    select t.sku || ' via ' || t.via as subject, 'moved in ' || coalesce(m.quantity, 0) || ', on the way ' || t.quantity as detail
    from (
      select f.via, l.sku, sum(case when f.state = 'shipped' then l.shipped else 0 end)::int as quantity
      from transfers f join transfer_lines l on l.transfer_id = f.id where f.via is not null group by 1, 2
    ) t
    left join (
      select location, sku, sum(quantity)::int as quantity from movements where reason in ('transferOut', 'transferIn', 'transferLost') group by 1, 2
    ) m on m.location = t.via and m.sku = t.sku
    where t.quantity <> coalesce(m.quantity, 0)`,

  'the goods of a transfer are in one place': `
    select coalesce(e.id, m.reference, 'no transfer') as subject, coalesce(e.sku, m.sku) || ' at ' || coalesce(e.location, m.location)
      || ': moved ' || coalesce(m.quantity, 0) || ', and its lines say ' || coalesce(e.quantity, 0)
      || case when e.state is null then '' else ' (' || e.state || ')' end as detail
    from (
      select f.id, f.state, l.sku, p.location, sum(p.quantity)::int as quantity from transfers f join transfer_lines l on l.transfer_id = f.id
      cross join lateral (values
        (f.from_location, case when f.state in ('shipped', 'arrived') then -l.shipped else 0 end),
        (f.via, case when f.state = 'shipped' then l.shipped else 0 end),
        (f.to_location, case when f.state = 'arrived' then l.arrived else 0 end)
      ) as p(location, quantity)
      where p.location is not null group by f.id, l.sku, p.location
    ) e
    full join (
      select reference, sku, location, sum(quantity)::int as quantity from movements
      where reason in ('transferOut', 'transferIn', 'transferLost') group by 1, 2, 3
    ) m on m.reference = e.id and m.sku = e.sku and m.location = e.location
    where coalesce(e.quantity, 0) <> coalesce(m.quantity, 0)`,

  'a group-buy sells to all of its orders or to none': `
    select o.id as subject, 'confirmed, and its group-buy ' || c.id || ' is ' || c.state as detail
    from campaigns c join orders o on o.doc->>'campaign' = c.id
    where c.state <> 'reached' and (o.facts->'confirmed'->>'at')::timestamptz > c.created_at and not o.facts ? 'cancelled'
    union all
    select o.id, 'holds ' || sum(h.quantity) || ' of the group-buy ' || c.id || ', which has failed'
    from campaigns c join orders o on o.doc->>'campaign' = c.id join holds h on h.order_id = o.id and ${isLive('h')}
    where c.state = 'failed' and c.settled_at < now() - ${OVERDUE} and not o.facts ? 'confirmed' group by o.id, c.id
    union all
    select c.id, 'its closing time was ' || c.closes_at || ', and it is open' from campaigns c
    where c.state = 'open' and c.closes_at < now() - ${OVERDUE}`,

  'a backorder is claimed for an order that waits, and for no more than it lacks': `
    select b.order_id as subject, 'claims ' || b.quantity || ' of ' || b.sku || ', and the order is '
      || case when o.closed then 'finished' else o.phase || ', lacking ' || coalesce(l.lacking, 0) end as detail
    from backorders b join orders o on o.id = b.order_id
    left join lateral (
      select sum(l.ordered - l.cancelled - l.held) as lacking from order_lines l where l.order_id = b.order_id and l.line_id = b.line_id
    ) l on true
    where b.state = 'open' and (o.closed or o.facts ?| array['reserved', 'cancelled']
      or (o.phase = 'waitingStock' and b.quantity > coalesce(l.lacking, 0)))`,

  'nothing is held where nothing is sold': `
    select h.sku || ' at ' || h.location as subject, h.quantity || ' held for ' || h.order_id || ' at a ' || l.kind || ' location' as detail
    from holds h join locations l on l.id = h.location where l.kind not in ('warehouse', 'store') and ${isLive('h')}`,

  'every level told to a channel is what the ledger says, or is due': `
    select t.connection || ' ' || t.listing_id || case when t.variant_id = '' then '' else '/' || t.variant_id end as subject,
      'to show ' || t.quantity || ', the ledger says ' || coalesce(n.quantity::text, 'nothing') || ', told ' || coalesce(t.told::text, 'nothing')
        || case when t.version > t.told_version then ', due since ' || t.due_at else '' end as detail
    from listing_levels t
    join stock_sides d on d.connection = t.connection and d.push and not d.recompute
    join connections c on c.name = t.connection and not c.paused
    left join connection_state e on e.connection = t.connection
    cross join lateral (select listing_quantity(t.connection, t.listing_id, t.variant_id) as quantity) n
    where e.stopped_reason is null and (
      -- The ledger has moved on and nobody has noted it: what ends by time alone is noted when it is tidied.
      (n.quantity is distinct from t.quantity and not exists (
        select from listing_parts p where p.connection = t.connection and p.listing_id = t.listing_id and p.variant_id = t.variant_id and (
          exists (select from stock_changes x where x.sku = p.sku)
          or exists (select from holds h where h.sku = p.sku and h.state = 'active' and h.expires_at <= now())
          or exists (select from allotments a where a.sku = p.sku and a.closed_at is null and a.closes_at <= now()))))
      or (t.version = t.told_version and t.told is distinct from t.quantity)
      or (t.version > t.told_version and t.due_at < now() - ${OVERDUE} and coalesce(t.lease_until, t.due_at) < now() - ${OVERDUE}
        and d.push_after < now() - ${OVERDUE}))`,

  'remitted money equals the amount due or is a task': `
    select p.id as subject, 'paid out ' || p.collected_minor || ', due ' || p.amount_due_minor || ', and there was no task' as detail
    from parcels p where p.collected_minor is not null and p.collected_minor <> p.amount_due_minor
      and not exists (select from tasks t where t.key = 'parcel:' || p.id || ':remittance')
    union all
    select r.courier_booking_id, r.connection || ' paid out ' || r.collected_minor || ' for a parcel nobody knows, and there was no task'
    from remittances r where r.parcel_id is null
      and not exists (select from tasks t where t.key = 'remittance:' || r.connection || ':' || r.courier_booking_id)
    union all
    select p.id, 'the parcel says paid out ' || coalesce(p.collected_minor::text, 'nothing') || ', its lines ' || coalesce(s.collected::text, 'nothing')
    from parcels p full join (select parcel_id, sum(collected_minor) as collected from remittances where parcel_id is not null group by parcel_id) s
      on s.parcel_id = p.id
    where p.collected_minor is distinct from s.collected`,

  'money paid back never exceeds money paid': `
    select o.id as subject, 'asked back ' || coalesce(r.asked, 0) || case when g.given is null then '' else ', given other goods for ' || g.given end
      || ', paid ' || paid.minor as detail
    from (select order_id, sum((payload->>'amountMinor')::bigint) as asked from outbox where kind = 'refund' and state <> 'skipped' group by 1) r
    full join (
      -- What an exchange costs more than the old goods were worth is paid, and stands as the rest after its discount.
      select b.order_id, sum((case when x.doc->'payment'->>'method' = 'cod' or x.doc ? 'paidHere' then x.doc->'totals'->>'discountMinor'
        else coalesce(x.doc->'toldAmounts'->>'itemsMinor', x.doc->'totals'->>'itemsMinor') end)::bigint) as given
      from returns b join orders x on x.id = b.exchange_order_id
      where b.exchange_state = 'released' and not x.facts ?| array['cancelled', 'cancelRequested'] group by 1
    ) g on g.order_id = r.order_id
    join orders o on o.id = coalesce(r.order_id, g.order_id)
    cross join lateral (select coalesce(o.doc->'toldAmounts'->>'paidMinor', o.doc->'totals'->>'totalMinor')::bigint as minor) paid
    where coalesce(r.asked, 0) + coalesce(g.given, 0) > paid.minor`,

  'every piece that came back has a disposition or a task': `
    select r.id as subject, 'line ' || l.line_id || ': received ' || l.received || ', dealt with ' || coalesce(d.quantity, 0)
      || case when l.received > coalesce(d.quantity, 0) then ', and no task is open' else '' end as detail
    from return_lines l join returns r on r.id = l.return_id
    left join (select return_id, line_id, sum(quantity) as quantity from return_dispositions group by 1, 2) d
      on d.return_id = l.return_id and d.line_id = l.line_id
    where coalesce(d.quantity, 0) > l.received
      or (l.received > coalesce(d.quantity, 0) and not exists (select from tasks t where t.state = 'open'
        and t.key in ('return:' || r.id || ':inspect', 'unit:' || r.unit_id || ':returned')))`,

  'who goes along in a parcel goes where it goes': `
    select r.id as subject, 'goes along in ' || p.id || ' (' || p.state || '), '
      || case when p.state in ('intended', 'sent', 'refused', 'void') then 'which is not booked'
           when p.rides_in is not null then 'which goes along itself' when r.courier <> p.courier then 'which has another courier'
           when r.waybill is not null then 'which has another waybill' else 'which is not in its box' end as detail
    from parcels r join parcels p on p.id = r.rides_in join units a on a.id = r.unit_id join units b on b.id = p.unit_id
    where r.state not in ('refused', 'void') and (p.state in ('intended', 'sent', 'refused', 'void') or p.rides_in is not null
      or r.courier <> p.courier or (r.waybill is not null and r.waybill is distinct from p.waybill)
      or a.shared_box is distinct from b.shared_box or a.location <> b.location)
    union all
    select id, 'collects ' || amount_due_minor || ' though it goes along in another parcel'
    from parcels where rides_in is not null and state not in ('refused', 'void') and amount_due_minor <> 0`,

  'what is in a box was scanned': `
    select k.unit_id as subject, 'line ' || l.line_id || ': packed ' || l.packed || ', scanned ' || coalesce(b.scanned, 0) as detail
    from packing k join units u on u.id = k.unit_id join unit_lines l on l.unit_id = k.unit_id
    left join lateral (
      select (x->>'scanned')::integer as scanned from jsonb_array_elements(k.bench->'lines') x where x->>'lineId' = l.line_id
    ) b on true
    where k.finished_at is not null and u.state in ('packed', 'shipped', 'delivered', 'returned') and l.packed <> coalesce(b.scanned, 0)`,

  'dispositions equal movements': `
    select d.return_id as subject, d.disposition || ' ' || d.quantity || ' × ' || l.sku || ' at ' || d.location || ', movement '
      || coalesce(m.quantity || ' × ' || m.sku || ' at ' || m.location, 'none') as detail
    from return_dispositions d join return_lines l on l.return_id = d.return_id and l.line_id = d.line_id
    left join movements m on m.key = d.movement
    where d.disposition <> 'scrap' and (m.key is null or m.quantity <> d.quantity or m.sku <> l.sku or m.location <> d.location
      or m.reference is distinct from d.return_id)
    union all
    select m.reference, 'movement ' || m.key || ' of ' || m.quantity || ' × ' || m.sku || ' is of no disposition'
    from movements m join returns r on r.id = m.reference where not exists (select from return_dispositions d where d.movement = m.key)`,

  ...goodsInvariants,
}
