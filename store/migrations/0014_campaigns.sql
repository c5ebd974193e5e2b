-- A group-buy: its orders hold from its allotments in order of time and wait; at its closing time all of them go on, or none.
create table campaigns (
  id text primary key,                                   -- what orders name as their `campaign`
  title text, minimum integer not null check (minimum >= 0),
  counts text not null default 'pieces' check (counts in ('pieces', 'orders')),
  closes_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'reached', 'failed')),
  counted integer,                                       -- what held at the closing; null while it is open
  settled_at timestamptz, created_at timestamptz not null default now()
);
create index campaigns_closing on campaigns (closes_at) where state = 'open';
-- Who was in time and held all it wanted. A share lock on the campaign is taken to become one, the closing takes it alone: whoever joins is
-- counted or comes too late, never both.
create table campaign_members (
  campaign text not null references campaigns(id), order_id text not null references orders(id),
  joined_at timestamptz not null default now(), primary key (campaign, order_id)
);
create index orders_campaign on orders ((doc->>'campaign')) where doc->>'campaign' is not null and not closed;

-- ── Goods that are not there ────────────────────────────────────────────────────────────────────────────────────
alter table products drop constraint products_stock_policy_check;
alter table products add check (stock_policy in ('shared', 'strict', 'backorder'));
alter table products add column backorder_days integer check (backorder_days > 0), add column hold_ttl_ms bigint check (hold_ttl_ms > 0);

-- A backorder: pieces that a customer was promised and that nobody has. A claim, not a hold: what is nobody's is kept for open claims, those
-- of a lower rank first, then of a higher priority, then the older order. It is served when the order holds all it wants.
create table backorders (
  id bigint generated always as identity primary key,
  order_id text not null references orders(id), line_id text not null, sku text not null,
  quantity integer not null check (quantity > 0),
  rank integer not null, priority integer not null, ordered_at timestamptz not null,
  promised_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'served', 'cancelled')),
  opened_at timestamptz not null default now(), ended_at timestamptz,
  check ((state = 'open') = (ended_at is null))
);
create unique index backorders_open on backorders (order_id, line_id) where state = 'open';
create index backorders_sku on backorders (sku, rank, priority desc, ordered_at, order_id) where state = 'open';

-- The ledger's fast path is for rows that nobody claims; `allotted` says both. It is taken back by the sweep alone.
create function backorder_changed() returns trigger language plpgsql as $$
begin
  insert into stock_changes (sku) select distinct s.sku from stock s where s.sku = new.sku and s.watched;
  return null;
end $$;
create trigger backorder_changed after insert or update of state, quantity on backorders for each row execute function backorder_changed();
create function stock_row_claimed() returns trigger language plpgsql as $$
begin
  new.allotted := new.allotted or exists (select from backorders b where b.sku = new.sku and b.state = 'open');
  return new;
end $$;
create trigger stock_row_claimed before insert on stock for each row execute function stock_row_claimed();

-- Pieces of a SKU that open claims come before this order's own, or before whoever has none. Over all locations: what could serve a claim
-- from several of them is kept at each until it is served.
create function ledger_claimed(of_sku text, for_order text) returns integer
language sql stable as $$
  select coalesce(sum(b.quantity), 0)::integer from backorders b
  left join (
    select min(rank) as rank, max(priority) as priority, min(ordered_at) as ordered_at from backorders
    where sku = of_sku and state = 'open' and order_id = for_order having count(*) > 0
  ) mine on true
  where b.sku = of_sku and b.state = 'open' and b.order_id is distinct from for_order
    and (mine.rank is null or (b.rank, -b.priority, b.ordered_at, b.order_id) < (mine.rank, -mine.priority, mine.ordered_at, for_order))
$$;

create function ledger_available(of_sku text, of_location text, free integer, for_channel text, for_campaign text, for_order text) returns integer
language sql stable as $$
  select (coalesce(sum(k.kept) filter (where k.mine), 0) + case when bool_or(k.mine and k.strict) then 0
      else greatest(0, greatest(0, free) - coalesce(sum(k.kept), 0) - ledger_claimed(of_sku, for_order)) end)::integer
  from (select k.kept, k.strict, coalesce(k.channel = for_channel or k.campaign = for_campaign, false) as mine
        from ledger_kept(of_sku, of_location, free) k) k
$$;
create or replace function ledger_available(of_sku text, of_location text, free integer, for_channel text, for_campaign text) returns integer
language sql stable as $$ select ledger_available(of_sku, of_location, free, for_channel, for_campaign, null) $$;

create function stock_available(of_sku text, of_location text, for_channel text, for_campaign text, for_order text) returns integer
language sql stable as $$
  select case when not s.sells then 0
    when s.allotted then ledger_available(s.sku, s.location, s.on_hand - s.safety - s.held + e.quantity, for_channel, for_campaign, for_order)
    else greatest(0, s.on_hand - s.safety - s.held + e.quantity) end
  from stock s cross join lateral (
    select coalesce(sum(h.quantity), 0)::integer as quantity from holds h
    where h.sku = s.sku and h.location = s.location and h.state = 'active' and h.expires_at is not null and h.expires_at <= clock_timestamp()
  ) e where s.sku = of_sku and s.location = of_location
$$;
create or replace function stock_available(of_sku text, of_location text, for_channel text, for_campaign text) returns integer
language sql stable as $$ select stock_available(of_sku, of_location, for_channel, for_campaign, null) $$;

-- As before, and after a row's allotments the open claims on it, in their order: they have no id, and an order.
drop function ledger_allotments(text[], text[]);
create function ledger_allotments(skus text[], locations text[])
returns table (sku text, location text, id bigint, channel text, campaign text, rest integer, strict boolean, order_id text)
language plpgsql volatile
set plan_cache_mode = force_generic_plan set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
begin
  return query select s.sku, s.location, k.id, k.channel, k.campaign, k.rest, k.strict, null::text
    from unnest(skus, locations) with ordinality as u(sku, location, place) join stock s on s.sku = u.sku and s.location = u.location
    cross join lateral (
      select a.*, row_number() over () as place from ledger_kept(s.sku, s.location, s.on_hand - s.safety - s.held) a
    ) k
    where s.allotted order by u.place, k.place;
  return query select s.sku, s.location, null::bigint, null::text, null::text, k.quantity, false, k.order_id
    from unnest(skus, locations) with ordinality as u(sku, location, place) join stock s on s.sku = u.sku and s.location = u.location
    cross join lateral (
      select b.quantity, b.order_id, b.rank, b.priority, b.ordered_at from backorders b where b.sku = s.sku and b.state = 'open' offset 0
    ) k
    where s.allotted order by u.place, k.rank, k.priority desc, k.ordered_at, k.order_id;
end $$;

-- What is asked for because of waiting orders: `purchase` is one request a SKU, `transfer` one task a SKU and road.
create table supply_needs (
  order_id text not null references orders(id), sku text not null, way text not null check (way in ('transfer', 'purchase')),
  quantity integer not null check (quantity > 0),
  from_location text references locations(id), to_location text references locations(id),
  at timestamptz not null default now(), primary key (order_id, sku)
);
create index supply_needs_sku on supply_needs (sku);
create table purchase_requests (
  id bigint generated always as identity primary key,
  sku text not null, quantity integer not null, orders integer not null,
  state text not null default 'open' check (state in ('open', 'closed')),
  opened_at timestamptz not null default now(), updated_at timestamptz not null default now(), closed_at timestamptz
);
create unique index purchase_requests_open on purchase_requests (sku) where state = 'open';
