-- Functions of the stock ledger. Each locks stock rows in key order in a statement of its own and acts in the next one: under READ
-- COMMITTED every statement of a volatile function has a fresh snapshot, so what is acted on is what was locked. (One statement that
-- locks and updates acts on row versions that are stale until fetched again: spurious constraint errors under contention.)
-- Generic index plans are forced: planning anew costs more than the work, and a cached plan may have been made while the tables were
-- still empty.

create table ledger_calls (                 -- operations done once, by the caller's key (consume, keyed release, counted stock)
  key text primary key, at timestamptz not null default now()
);
-- Holds of an order in any state: what expired, what was consumed already.
drop index holds_order;
create index holds_order on holds (order_id);

-- Locks the rows that exist, in key order, and ends what expired on them. Returns the number of holds it ended.
-- `at_most` bounds one sweep; null ends all of them.
create function ledger_expire(skus text[], locations text[], at_most integer default null) returns integer
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
    returning h.sku, h.location, h.quantity
  ), freed as (
    update stock s set held = s.held - e.quantity
    from (select sku, location, sum(quantity)::integer as quantity from expired group by sku, location) e
    where s.sku = e.sku and s.location = e.location
    returning 1
  )
  select count(*) into ended from expired;
  return ended;
end $$;

-- Locks the same way, ends what expired, then tells the levels of the locked rows. A row that does not exist is not returned.
create function ledger_lock(skus text[], locations text[])
returns table (sku text, location text, on_hand integer, safety integer, held integer)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  judged_at timestamptz;
begin
  perform 1 from stock s join unnest(skus, locations) as k(sku, location) on s.sku = k.sku and s.location = k.location
    order by s.sku, s.location for no key update of s;
  judged_at := clock_timestamp();
  if exists (
    select from unnest(skus, locations) as k(sku, location) cross join lateral (
      select from holds h where h.sku = k.sku and h.location = k.location
        and h.state = 'active' and h.expires_at is not null and h.expires_at <= judged_at limit 1
    ) l
  ) then
    perform ledger_expire(skus, locations);
  end if;
  return query
    select s.sku, s.location, s.on_hand, s.safety, s.held
    from (select distinct k.sku, k.location from unnest(skus, locations) as k(sku, location)) k
    join stock s on s.sku = k.sku and s.location = k.location;
end $$;

-- A batch begins: the levels of its locked rows, and after them (key is not null) the answers already given to its keys.
create function ledger_begin(skus text[], locations text[], keys text[])
returns table (sku text, location text, free integer, key text, answer jsonb)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query select l.sku, l.location, l.on_hand - l.safety - l.held, null::text, null::jsonb from ledger_lock(skus, locations) l;
  return query select null::text, null::text, null::integer, r.key, r.answer
    from unnest(keys) as k(key) cross join lateral (   -- `offset 0`: else a plan made over an empty table reads all of a full one
      select r.key, r.answer from reservations r where r.key = k.key offset 0
    ) r;
end $$;

-- Writes what was decided while the rows are locked: one answer for each key, and holds, each of the request at place `of_request`.
-- Answers go in key order, so that two processes with the same keys cannot wait in a circle.
create function ledger_hold(
  keys text[], order_ids text[], expiries timestamptz[], answers text[],
  of_request integer[], line_ids text[], skus text[], locations text[], quantities integer[]
) returns void
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  insert into reservations (key, order_id, answer)
    select a.key, a.order_id, a.answer::jsonb from unnest(keys, order_ids, answers) as a(key, order_id, answer) order by a.key;
  insert into holds (key, order_id, line_id, sku, location, quantity, expires_at)
    select keys[h.request], order_ids[h.request], h.line_id, h.sku, h.location, h.quantity, expiries[h.request]
    from unnest(of_request, line_ids, skus, locations, quantities) as h(request, line_id, sku, location, quantity);
  update stock s set held = s.held + w.quantity
    from (select u.sku, u.location, sum(u.quantity)::integer as quantity
          from unnest(skus, locations, quantities) as u(sku, location, quantity) group by u.sku, u.location) w
    where s.sku = w.sku and s.location = w.location;
end $$;

-- The common case in one call: when no row has expired holds, no key was answered before and everything fits, writes holds and answers
-- and returns what was available to each line before its request. Else changes nothing and returns null: ledger_begin and ledger_hold
-- then settle it. Arrays as those of ledger_hold; a request's lines follow each other.
create function ledger_take(
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
      bool_and(coalesce(l.asked <= l.free, false) and not l.expired)
      and not exists (select from unnest(keys) as k(key) cross join lateral (select from reservations r where r.key = k.key offset 0) r)
    into available, fits
    from (
      select u.place, s.on_hand - s.safety - s.held as free,
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
