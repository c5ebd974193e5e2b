-- Allotments: pieces kept for a channel or a campaign. available = on hand − safety − active holds − allotments kept for others, judged
-- when it is read. An allotment keeps what it has not sold yet, as far as there are goods: in order of priority, then of age.
-- `used` changes only under the lock of its stock row, so that the decision and the count are one.
create table allotments (
  id bigint generated always as identity primary key,
  sku text not null, location text not null references locations(id),
  channel text, campaign text, check (num_nonnulls(channel, campaign) = 1),
  quantity integer not null check (quantity >= 0),
  used integer not null default 0 check (used >= 0),    -- holds from it, active or consumed; expired ones not yet tidied included
  priority integer not null default 0,                  -- lower is covered first
  closes_at timestamptz, closed_at timestamptz,         -- what is left then is everybody's again
  created_at timestamptz not null default now()
);
create unique index allotments_open on allotments (sku, location, channel, campaign) nulls not distinct where closed_at is null;
create index allotments_closing on allotments (closes_at) where closed_at is null;
-- The ledger's fast path needs to know no more than that: rows without allotments pay nothing for them.
alter table stock add column allotted boolean not null default false;
alter table holds add column allotment_id bigint;       -- all of the hold's pieces are of this allotment
create index holds_allotment on holds (allotment_id) where allotment_id is not null;

-- What each open allotment of a stock row keeps. `free` is on hand − safety − active holds.
create function ledger_kept(of_sku text, of_location text, free integer)
returns table (id bigint, channel text, campaign text, rest integer, kept integer, strict boolean)
language sql stable as $$
  select a.id, a.channel, a.campaign, a.rest,
    greatest(0, least(a.rest, greatest(0, free)
      - coalesce(sum(a.rest) over (order by a.priority, a.id rows between unbounded preceding and 1 preceding), 0)))::integer,
    a.campaign is not null or coalesce((select p.stock_policy = 'strict' from products p where p.sku = of_sku), false)
  from (
    select b.id, b.channel, b.campaign, b.priority, greatest(0, b.quantity - b.used + (
      select coalesce(sum(h.quantity), 0) from holds h where h.sku = of_sku and h.location = of_location and h.allotment_id = b.id
        and h.state = 'active' and h.expires_at is not null and h.expires_at <= clock_timestamp()))::integer as rest
    from allotments b where b.sku = of_sku and b.location = of_location and b.closed_at is null
      and (b.closes_at is null or b.closes_at > clock_timestamp())
  ) a
  order by a.priority, a.id
$$;

-- What this channel and campaign may hold of a row that has allotments. Null for both: whoever has none.
create function ledger_available(of_sku text, of_location text, free integer, for_channel text, for_campaign text) returns integer
language sql stable as $$
  select (coalesce(sum(k.kept) filter (where k.mine), 0) + case when bool_or(k.mine and k.strict) then 0
      else greatest(0, free) - coalesce(sum(k.kept), 0) end)::integer
  from (select k.kept, k.strict, coalesce(k.channel = for_channel or k.campaign = for_campaign, false) as mine
        from ledger_kept(of_sku, of_location, free) k) k
$$;

-- As before, and pieces of an allotment go back to it.
create or replace function ledger_expire(skus text[], locations text[], at_most integer default null) returns integer
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  ended integer;
  judged_at timestamptz;
begin
  perform 1 from stock s join unnest(skus, locations) as k(sku, location) on s.sku = k.sku and s.location = k.location
    order by s.sku, s.location for no key update of s;
  judged_at := clock_timestamp();
  with late as (
    select l.id from unnest(skus, locations) as k(sku, location)
    cross join lateral (                    -- `offset 0` keeps the planner from reading every SKU's expired holds instead
      select h.id from holds h where h.sku = k.sku and h.location = k.location
        and h.state = 'active' and h.expires_at is not null and h.expires_at <= judged_at offset 0
    ) l
    limit at_most
  ), expired as (
    update holds h set state = 'expired', ended_at = judged_at
    from late where h.id = late.id and h.state = 'active' and h.expires_at <= judged_at
    returning h.sku, h.location, h.quantity, h.allotment_id
  ), given_back as (
    update allotments a set used = a.used - e.quantity
    from (select allotment_id, sum(quantity)::integer as quantity from expired where allotment_id is not null group by allotment_id) e
    where a.id = e.allotment_id
  ), freed as (
    update stock s set held = s.held - e.quantity
    from (select sku, location, sum(quantity)::integer as quantity from expired group by sku, location) e
    where s.sku = e.sku and s.location = e.location
    returning 1
  )
  select count(*) into ended from expired;
  return ended;
end $$;

-- As before; where nothing is sold nothing is free.
create or replace function ledger_begin(skus text[], locations text[], keys text[])
returns table (sku text, location text, free integer, key text, answer jsonb)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query select l.sku, l.location, case when s.sells then l.on_hand - l.safety - l.held else 0 end, null::text, null::jsonb
    from ledger_lock(skus, locations) l join stock s on s.sku = l.sku and s.location = l.location;
  return query select null::text, null::text, null::integer, r.key, r.answer
    from unnest(keys) as k(key) cross join lateral (   -- `offset 0`: else a plan made over an empty table reads all of a full one
      select r.key, r.answer from reservations r where r.key = k.key offset 0
    ) r;
end $$;

-- After ledger_begin, for the rows it has locked: their open allotments, those first that are covered first.
create function ledger_allotments(skus text[], locations text[])
returns table (sku text, location text, id bigint, channel text, campaign text, rest integer, strict boolean)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query select s.sku, s.location, k.id, k.channel, k.campaign, k.rest, k.strict
    from unnest(skus, locations) with ordinality as u(sku, location, place) join stock s on s.sku = u.sku and s.location = u.location
    cross join lateral (
      select a.*, row_number() over () as place from ledger_kept(s.sku, s.location, s.on_hand - s.safety - s.held) a
    ) k
    where s.allotted order by u.place, k.place;
end $$;

-- As ledger_hold of nine arrays; each hold may be of an allotment, which then has sold so much more.
create function ledger_hold(
  keys text[], order_ids text[], expiries timestamptz[], answers text[],
  of_request integer[], line_ids text[], skus text[], locations text[], quantities integer[], allotment_ids bigint[]
) returns void
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  insert into reservations (key, order_id, answer)
    select a.key, a.order_id, a.answer::jsonb from unnest(keys, order_ids, answers) as a(key, order_id, answer) order by a.key;
  -- The pieces of one line may be of several allotments and of none: each is a hold of its own, whose key begins with the request's.
  insert into holds (key, order_id, line_id, sku, location, quantity, expires_at, allotment_id)
    select keys[h.request] || coalesce('~' || h.allotment_id, ''), order_ids[h.request], h.line_id, h.sku, h.location, h.quantity,
      expiries[h.request], h.allotment_id
    from unnest(of_request, line_ids, skus, locations, quantities, allotment_ids) with ordinality
      as h(request, line_id, sku, location, quantity, allotment_id, place) order by h.place;
  update stock s set held = s.held + w.quantity
    from (select u.sku, u.location, sum(u.quantity)::integer as quantity
          from unnest(skus, locations, quantities) as u(sku, location, quantity) group by u.sku, u.location) w
    where s.sku = w.sku and s.location = w.location;
  update allotments a set used = a.used + w.quantity
    from (select u.id, sum(u.quantity)::integer as quantity from unnest(allotment_ids, quantities) as u(id, quantity)
          where u.id is not null group by u.id) w
    where a.id = w.id;
end $$;

-- As before; a row with allotments, or one that does not sell, is not the common case.
create or replace function ledger_take(
  keys text[], order_ids text[], expiries timestamptz[],
  of_request integer[], line_ids text[], skus text[], locations text[], quantities integer[]
) returns integer[]
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
declare
  judged_at timestamptz;
  available integer[];
  fits boolean;
begin
  perform 1 from stock s join unnest(skus, locations) as k(sku, location) on s.sku = k.sku and s.location = k.location
    order by s.sku, s.location for no key update of s;
  judged_at := clock_timestamp();
  select array_agg(l.free - coalesce(l.earlier, 0) order by l.place),
      bool_and(coalesce(l.asked <= l.free and l.sells and not l.allotted, false) and not l.expired)
      and not exists (select from unnest(keys) as k(key) cross join lateral (select from reservations r where r.key = k.key offset 0) r)
    into available, fits
    from (
      select u.place, s.on_hand - s.safety - s.held as free, s.sells, s.allotted,
        sum(u.quantity) over (same_row groups between unbounded preceding and 1 preceding) as earlier,
        sum(u.quantity) over same_row as asked,           -- up to and with this request
        exists (select from holds h where h.sku = u.sku and h.location = u.location
          and h.state = 'active' and h.expires_at is not null and h.expires_at <= judged_at offset 0) as expired
      from unnest(of_request, skus, locations, quantities) with ordinality as u(request, sku, location, quantity, place)
      left join stock s on s.sku = u.sku and s.location = u.location
      window same_row as (partition by u.sku, u.location order by u.request)
    ) l;
  if not fits then
    return null;
  end if;
  with lines as (
    select * from unnest(of_request, line_ids, skus, locations, quantities, available) with ordinality
      as u(request, line_id, sku, location, quantity, available, place)
  ), answered as (
    insert into reservations (key, order_id, answer)
      select keys[l.request], order_ids[l.request], jsonb_build_object('complete', true, 'lines', jsonb_agg(jsonb_build_object(
        'lineId', l.line_id, 'sku', l.sku, 'location', l.location, 'quantity', l.quantity, 'held', l.quantity, 'available', l.available
      ) order by l.place)) from lines l group by l.request order by keys[l.request]
  ), held as (
    insert into holds (key, order_id, line_id, sku, location, quantity, expires_at)
      select keys[l.request], order_ids[l.request], l.line_id, l.sku, l.location, l.quantity, expiries[l.request] from lines l
  )
  update stock s set held = s.held + w.quantity
    from (select l.sku, l.location, sum(l.quantity)::integer as quantity from lines l group by l.sku, l.location) w
    where s.sku = w.sku and s.location = w.location;
  return available;
end $$;

-- What this channel and campaign may hold of a SKU at a location now; expired holds do not count, tidied or not.
create function stock_available(of_sku text, of_location text, for_channel text, for_campaign text) returns integer
language sql stable as $$
  select case when not s.sells then 0
    when s.allotted then ledger_available(s.sku, s.location, s.on_hand - s.safety - s.held + e.quantity, for_channel, for_campaign)
    else greatest(0, s.on_hand - s.safety - s.held + e.quantity) end
  from stock s cross join lateral (
    select coalesce(sum(h.quantity), 0)::integer as quantity from holds h
    where h.sku = s.sku and h.location = s.location and h.state = 'active' and h.expires_at is not null and h.expires_at <= clock_timestamp()
  ) e where s.sku = of_sku and s.location = of_location
$$;

-- What a channel shall show of a listing now: as many as the scarcest of its parts gives, over the locations that serve the channel, less
-- the channel's safety stock, of that its share. Null when nobody knows what the listing means.
create function listing_quantity(of_connection text, of_listing text, of_variant text) returns integer
language sql stable as $$
  select min(least(coalesce(d.max_quantity, 2147483647), (greatest(0, a.available - d.safety)::bigint * d.share_percent / 100) / p.quantity))::integer
  from stock_sides d join listing_parts p on p.connection = d.connection
  cross join lateral (
    select coalesce(sum(stock_available(s.sku, s.location, d.channel, null)), 0) as available
    from stock s join locations l on l.id = s.location
    where s.sku = p.sku and case when d.locations is null then l.ships else s.location = any(d.locations) end
  ) a
  where d.connection = of_connection and p.listing_id = of_listing and p.variant_id = of_variant
$$;
