/** The invariants of an order's goods, from what was ordered to what left the shelf. Each as in {@link file://./auditInvariants.ts}. */
const GONE = `('shipped', 'delivered', 'returned')`
const AHEAD = `('planned', 'ready', 'handedOver', 'picked', 'packed')`
const isLive = (hold: string) => `${hold}.state = 'active' and (${hold}.expires_at is null or ${hold}.expires_at > now())`
const HELD = `select h.order_id, h.line_id, h.location, sum(h.quantity)::int as quantity from holds h where ${isLive('h')} group by 1, 2, 3`

export const goodsInvariants: Record<string, string> = {
  'a line counts what its units did': `
    select l.order_id || '/' || l.line_id as subject, 'counted ' || c.counted::text || ', done ' || n.done::text
      || ' (picked, packed, shipped, delivered, returned)' as detail
    from order_lines l join orders o on o.id = l.order_id
    left join (
      select s.order_id, u.line_id, sum(u.picked) filter (where s.state <> 'cancelled')::int as picked,
        sum(u.packed) filter (where s.state <> 'cancelled')::int as packed, sum(u.packed) filter (where s.state in ${GONE})::int as shipped,
        sum(u.packed) filter (where s.state = 'delivered' or (s.state = 'returned' and exists (
          select from parcels p where p.unit_id = s.id and p.delivered_at is not null)))::int as delivered,
        sum(u.packed) filter (where s.state = 'returned')::int as returned
      from unit_lines u join units s on s.id = u.unit_id group by 1, 2
    ) u on u.order_id = l.order_id and u.line_id = l.line_id
    left join (
      select r.order_id, x.line_id, sum(x.received)::int as received from return_lines x join returns r on r.id = x.return_id
      where r.way <> 'cameBack' group by 1, 2
    ) b on b.order_id = l.order_id and b.line_id = l.line_id
    cross join lateral (select array[l.picked, l.packed, l.shipped, l.delivered, l.returned] as counted) c
    cross join lateral (select array[coalesce(u.picked, 0), coalesce(u.packed, 0), coalesce(u.shipped, 0), coalesce(u.delivered, 0),
      coalesce(u.returned, 0) + coalesce(b.received, 0)] as done) n
    where not o.facts ? 'cancelled' and c.counted <> n.done`,

  'no more is held, sent or struck off than was ordered': `
    select order_id || '/' || line_id as subject, 'ordered ' || ordered || ', held ' || held || ', shipped ' || shipped || ', cancelled ' || cancelled as detail
    from order_lines where shipped - returned + cancelled > ordered or delivered + cancelled > ordered or held > ordered`,

  'no more is held than is wanted': `
    select h.order_id || '/' || h.line_id as subject, 'wanted ' || l.ordered - l.cancelled || ', sent ' || n.gone || ', held ' || h.quantity
      || ', being brought ' || n.brought as detail
    from (select order_id, line_id, sum(quantity)::int as quantity from (${HELD}) h group by 1, 2) h
    join order_lines l on l.order_id = h.order_id and l.line_id = h.line_id
    cross join lateral (
      select coalesce((select sum(u.packed) from unit_lines u join units s on s.id = u.unit_id
          where s.order_id = l.order_id and u.line_id = l.line_id and s.state in ${GONE}), 0)::int as gone,
        coalesce((select sum(t.shipped) from transfer_lines t join transfers f on f.id = t.transfer_id
          where f.order_id = l.order_id and f.purpose = 'order' and f.state = 'shipped' and t.line_id = l.line_id), 0)::int as brought
    ) n
    where n.gone + h.quantity + n.brought > l.ordered - l.cancelled`,

  'what a unit shall send is held for it': `
    select u.order_id || '/' || u.line_id || ' at ' || u.location as subject, 'to be sent ' || u.quantity || ', held ' || coalesce(h.quantity, 0) as detail
    from (
      select s.order_id, l.line_id, s.location, sum(l.quantity - l.short)::int as quantity
      from units s join unit_lines l on l.unit_id = s.id join orders o on o.id = s.order_id
      where s.state in ${AHEAD} and not o.facts ? 'cancelRequested' group by 1, 2, 3
    ) u
    left join (${HELD}) h on h.order_id = u.order_id and h.line_id = u.line_id and h.location = u.location
    where u.quantity <> coalesce(h.quantity, 0)`,

  'no unit carries more than is wanted': `
    select l.order_id || '/' || l.line_id as subject, 'wanted ' || l.ordered - l.cancelled || ', in units ' || u.quantity as detail
    from (
      select s.order_id, l.line_id, sum(l.quantity - l.short)::int as quantity from unit_lines l join units s on s.id = l.unit_id
      where s.state <> 'cancelled' group by 1, 2
    ) u
    join order_lines l on l.order_id = u.order_id and l.line_id = u.line_id join orders o on o.id = l.order_id
    where not o.facts ?| array['cancelled', 'cancelRequested'] and u.quantity > l.ordered - l.cancelled`,

  'what left the shelves is what was sent': `
    select coalesce(u.id, m.reference) as subject, coalesce(u.state, 'no unit') || ': packed ' || coalesce(u.packed, 0) || ', left the shelf '
      || coalesce(m.quantity, 0) as detail
    from (
      select s.id, s.state, sum(l.packed)::int as packed from units s join unit_lines l on l.unit_id = s.id group by 1
    ) u
    full join (
      select reference, -sum(quantity)::int as quantity from movements where reason in ('shipped', 'handedOver') group by 1
    ) m on m.reference = u.id
    where case when u.state in ${GONE} then u.packed else 0 end <> coalesce(m.quantity, 0)`,

  'one booking a box': `
    select u.shared_box as subject, count(*) || ' parcels are booked for one box: ' || string_agg(p.id, ', ' order by p.id) as detail
    from units u join parcels p on p.unit_id = u.id
    where u.shared_box is not null and u.state <> 'cancelled' and p.rides_in is null and p.state not in ('refused', 'void')
    group by u.shared_box having count(*) > 1`,

  'a voucher is used by whom its goods are handed over to': `
    select v.code as subject, case when v.used_at is null then 'handed over, and not used' else 'used, and its goods are ' || u.state end as detail
    from vouchers v join units u on u.id = v.unit_id
    where (v.used_at is not null) <> (u.state in ('delivered', 'returned'))`,

  'the goods of an exchange leave when the old ones are here': `
    select r.id as subject, 'its other goods are ' || u.state || ' (' || u.id || '), and of the old ones ' || sum(l.received) || ' of '
      || sum(l.quantity) || ' have come' as detail
    from returns r join units u on u.order_id = r.exchange_order_id and u.state in ('handedOver', 'picked', 'packed', 'shipped', 'delivered')
    join return_lines l on l.return_id = r.id
    group by r.id, u.id, u.state having r.exchange_state <> 'released' or sum(l.received) < sum(l.quantity)`,
}
