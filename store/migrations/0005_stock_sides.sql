-- Stock outward and inward: what a channel's item means, what it shall show, what other systems count; locations that never sell.

-- ── Locations that never sell ───────────────────────────────────────────────────────────────────────────────────
-- consigned: in a marketplace's own warehouse; transit: on the way between two of ours. Counted and moved, never held from.
alter table locations drop constraint locations_kind_check;
alter table locations add constraint locations_kind_check check (kind in ('warehouse', 'store', 'consigned', 'transit'));
alter table locations add constraint locations_only_own_ship check (kind in ('warehouse', 'store') or not ships);

-- The ledger's decision reads nothing but the stock row, so the row says whether it sells.
alter table stock add column sells boolean not null default true;
create function stock_row_sells() returns trigger language plpgsql as $$
begin
  new.sells := coalesce((select l.kind in ('warehouse', 'store') from locations l where l.id = new.location), true);
  return new;
end $$;
create trigger stock_row_sells before insert on stock for each row execute function stock_row_sells();
create function location_sells() returns trigger language plpgsql as $$
begin
  update stock s set sells = new.kind in ('warehouse', 'store') where s.location = new.id and s.sells <> (new.kind in ('warehouse', 'store'));
  return null;
end $$;
create trigger location_sells after update of kind on locations for each row when (old.kind <> new.kind) execute function location_sells();

-- ── What a channel's item means ─────────────────────────────────────────────────────────────────────────────────
create table listings (
  connection text not null references connections(name), listing_id text not null,
  variant_id text not null default '',      -- '' when the listing has none
  external_sku text, title text,
  ignored boolean not null default false,   -- a person says: not ours to keep
  source text not null check (source in ('found', 'file', 'person')),   -- who said what it means, the last time
  seen_at timestamptz,                      -- last offered by the channel
  updated_at timestamptz not null default now(),
  primary key (connection, listing_id, variant_id)
);
create index listings_external on listings (connection, external_sku);
create table listing_parts (                -- one row; several for a bundle; none: nobody knows what it means
  connection text not null, listing_id text not null, variant_id text not null default '',
  sku text not null, quantity integer not null check (quantity > 0), position integer not null default 0,
  primary key (connection, listing_id, variant_id, sku),
  foreign key (connection, listing_id, variant_id) references listings on delete cascade
);
create index listing_parts_sku on listing_parts (sku);

-- ── How a connection takes part ─────────────────────────────────────────────────────────────────────────────────
create table stock_sides (
  connection text primary key references connections(name),
  push boolean not null default false,
  locations text[],                         -- that serve the channel; null: all that ship
  safety integer not null default 0 check (safety >= 0),
  share_percent integer not null default 100 check (share_percent between 0 and 100),
  max_quantity integer,
  drift_mode text not null default 'report' check (drift_mode in ('report', 'repair')),
  drift_tolerance integer not null default 0,
  read boolean not null default false, read_every_ms integer not null default 900000,
  list_every_ms integer not null default 3600000,
  channel text,                             -- as its orders name it; learnt from the connector
  recompute boolean not null default true,  -- every level of it is to be computed anew
  push_after timestamptz not null default now(), push_failures integer not null default 0,   -- it cannot be reached: all of it waits
  read_due_at timestamptz not null default now(), list_due_at timestamptz not null default now(),
  last_read jsonb, last_list jsonb
);

-- ── What a channel shall show, and what it was told ─────────────────────────────────────────────────────────────
create table listing_levels (
  connection text not null, listing_id text not null, variant_id text not null,
  quantity integer not null, version bigint not null default 1,         -- the newest
  told integer,                             -- what it shows; null: not known (never told, or a push is under way or was lost)
  told_version bigint not null default 0, told_at timestamptz,
  due_at timestamptz not null default now(), lease text, lease_until timestamptz,
  attempts integer not null default 0, error text,
  primary key (connection, listing_id, variant_id),
  foreign key (connection, listing_id, variant_id) references listings on delete cascade
);
create index listing_levels_due on listing_levels (connection, due_at) where version > told_version;

-- SKUs whose level may have changed, as often as it changed; emptied by who computes the levels. No key, so that writing one is
-- next to nothing; SKUs that nobody asks about are left out.
create table stock_changes (sku text not null) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

-- ── Policy by product ───────────────────────────────────────────────────────────────────────────────────────────
-- shared: whoever has an allotment sells it first and then what is left over; strict: nothing but its allotment.
alter table products add column stock_policy text not null default 'shared' check (stock_policy in ('shared', 'strict'));
alter table products add column low_stock integer check (low_stock >= 0);
create index products_low_stock on products (sku) where low_stock is not null;
create table stock_alerts (                 -- crossed and not recovered yet
  sku text primary key, level text not null check (level in ('low', 'out')), since timestamptz not null default now()
);

-- Whether somebody asks about the SKU stands on the stock row, so that a change costs nothing to judge. It is never taken back: a change
-- noted for nobody does no harm.
alter table stock add column watched boolean not null default false;
create function watch_stock(skus text[]) returns void language plpgsql as $$
begin
  perform 1 from stock s where s.sku = any(skus) and not s.watched order by s.sku, s.location for no key update;
  update stock s set watched = true where s.sku = any(skus) and not s.watched;
end $$;
create function stock_row_watched() returns trigger language plpgsql as $$
begin
  new.watched := exists (select from listing_parts p where p.sku = new.sku)
    or exists (select from products w where w.sku = new.sku and w.low_stock is not null);
  return new;
end $$;
create trigger stock_row_watched before insert on stock for each row execute function stock_row_watched();
create function listed_stock_watched() returns trigger language plpgsql as $$
begin
  perform watch_stock(array(select distinct l.sku from listed l));
  return null;
end $$;
create trigger listed_stock_watched after insert on listing_parts referencing new table as listed
  for each statement execute function listed_stock_watched();
create function low_stock_watched() returns trigger language plpgsql as $$
begin
  perform watch_stock(array[new.sku]);
  return null;
end $$;
create trigger low_stock_watched after insert or update of low_stock on products for each row when (new.low_stock is not null)
  execute function low_stock_watched();

create function stock_changed() returns trigger language plpgsql as $$
begin
  insert into stock_changes (sku) select c.sku from changed c where c.watched;
  return null;
end $$;
create trigger stock_changed_by_update after update on stock referencing new table as changed for each statement execute function stock_changed();
create trigger stock_changed_by_insert after insert on stock referencing new table as changed for each statement execute function stock_changed();

-- ── What other systems count ────────────────────────────────────────────────────────────────────────────────────
create table stock_drift (                  -- as of the last reading; a row goes when both agree again
  connection text not null references connections(name), location text not null references locations(id), sku text not null,
  theirs integer not null, ours integer not null, held integer not null,
  readings integer not null default 1,      -- how often in a row it was this difference
  state text not null default 'seen' check (state in ('seen', 'open', 'refused')),
  detail text, first_seen_at timestamptz not null default now(), seen_at timestamptz not null default now(),
  primary key (connection, location, sku)
);
create table stock_repairs (                -- the log: what was repaired, by which movement
  id bigint generated always as identity primary key,
  connection text not null, location text not null, sku text not null, quantity integer not null,
  movement_key text not null unique, at timestamptz not null default now()
);
