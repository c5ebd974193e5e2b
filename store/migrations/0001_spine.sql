-- The spine: connections, inbox, orders with their facts, stock ledger, warehouse, parcels, commands, tasks, outbox.
-- Times are timestamptz (UTC); amounts are integer minor units; quantities are integers.

-- ── Configuration ───────────────────────────────────────────────────────────────────────────────────────────────
create table connections (
  name        text primary key,
  connector   text not null,
  version     integer not null default 1,
  config      jsonb not null,               -- validated by the connector's schema; no secrets
  secrets     bytea,                        -- AES-256-GCM under OMNISAGA_SECRET_KEY
  paused      boolean not null default false,
  updated_at  timestamptz not null default now()
);
create table connection_versions (
  name text not null, version integer not null, connector text not null, config jsonb not null,
  applied_at timestamptz not null default now(),
  primary key (name, version)
);
create table connection_state (             -- tokens (encrypted), health
  connection  text primary key references connections(name),
  tokens      bytea, tokens_version integer not null default 0, tokens_expire_at timestamptz,
  stopped_reason text                       -- set by Misconfigured; cleared by the next apply
);
create table cursors (
  connection text not null references connections(name), stream text not null,
  value timestamptz not null, updated_at timestamptz not null default now(),
  primary key (connection, stream)
);
create table quotas (                       -- token bucket, one row a connection, shared by every process
  connection text primary key, tokens double precision not null, refilled_at timestamptz not null
);
create table settings (version integer primary key, policy jsonb not null, applied_at timestamptz not null default now());
create table locations (
  id text primary key, name text not null, kind text not null check (kind in ('warehouse', 'store')),
  zone text not null default 'Asia/Taipei', ships boolean not null default true,
  priority integer not null default 0,      -- lower ships first
  warehouse_connection text references connections(name),   -- who picks here; null: nobody does by feed
  courier_home text references connections(name), courier_cvs text references connections(name),
  sender jsonb not null default '{}'        -- {name, phone, postalCode, address} for labels
);
create table products (sku text primary key, name text, barcode text, weight_grams integer, temperature text not null default 'ambient');
create table sku_aliases (channel text not null, external_sku text not null, sku text not null, primary key (channel, external_sku));

-- ── In ──────────────────────────────────────────────────────────────────────────────────────────────────────────
create table uploads (
  id text primary key, sha256 text not null unique, file_name text not null, bytes bytea not null,
  received_at timestamptz not null default now()
);
create table imports (
  id text primary key, connection text not null, profile text not null, upload_id text references uploads(id),
  state text not null default 'received' check (state in ('received', 'running', 'done', 'failed')),
  result jsonb, error text, created_at timestamptz not null default now(), finished_at timestamptz
);
create table inbox (                        -- every raw record, before it is mapped
  id bigint generated always as identity primary key,
  connection text not null,
  kind text not null,                       -- order | courierStatus | shipmentAdvice | …
  external_id text not null, version text not null,
  payload jsonb not null,
  import_id text references imports(id),    -- the file it came in
  event_at timestamptz, received_at timestamptz not null default now(),
  state text not null default 'new' check (state in ('new', 'mapped', 'failed', 'ignored')),
  attempts integer not null default 0, lease_until timestamptz,
  order_id text, error text,
  unique (connection, kind, external_id, version)
);
create index inbox_new on inbox (id) where state = 'new';
create index inbox_received on inbox (received_at);
create index inbox_order on inbox (order_id);

-- ── Orders ──────────────────────────────────────────────────────────────────────────────────────────────────────
create table orders (
  id text primary key,
  channel text not null, shop text not null, external_id text not null,
  external_version text, content_hash text not null,
  connection text not null, connection_version integer not null, settings_version integer not null,
  kind text not null, placed_at timestamptz, priority integer not null default 0,
  doc jsonb not null,                       -- the canonical order less lines; holds the personal data
  facts jsonb not null default '{}',        -- the facts true now; order_facts is the log
  phase text not null default 'received',
  closed boolean not null default false,
  revision integer not null default 1,      -- grows with every change
  course integer not null default 0,        -- grows when what is to be done changes
  news integer not null default 0,          -- grows with what the workflow should wake for
  seen_news integer not null default 0,     -- what the workflow has seen of it
  rung_at timestamptz,                      -- the pending doorbell, null when it was heard
  created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  unique (channel, shop, external_id)
);
create index orders_phase on orders (phase, created_at desc);
create index orders_channel on orders (channel, created_at desc);
create index orders_open on orders (updated_at) where not closed;
create table order_lines (
  order_id text not null references orders(id), line_id text not null, position integer not null,
  sku text, external_sku text, name text, variant text, unit_price_minor bigint, gift boolean not null default false,
  ordered integer not null check (ordered > 0),
  held integer not null default 0 check (held >= 0), picked integer not null default 0 check (picked >= 0),
  packed integer not null default 0 check (packed >= 0), shipped integer not null default 0 check (shipped >= 0),
  delivered integer not null default 0 check (delivered >= 0), returned integer not null default 0 check (returned >= 0),
  cancelled integer not null default 0 check (cancelled >= 0 and cancelled <= ordered),
  primary key (order_id, line_id)
);
create index order_lines_sku on order_lines (sku);
create table order_facts (                  -- the log: what became true, what was withdrawn, who said so
  id bigint generated always as identity primary key,
  order_id text not null references orders(id), fact text not null, withdrawn boolean not null default false,
  data jsonb not null default '{}', at timestamptz not null default now()
);
create index order_facts_order on order_facts (order_id, id);
create table commands (                     -- what people and channels ask; obeyed by the workflow, in order
  id text primary key, order_id text not null references orders(id), task_id bigint,
  serial bigint generated always as identity,
  verb text not null, detail jsonb not null default '{}', who text not null,
  at timestamptz not null default now(),
  state text not null default 'waiting' check (state in ('waiting', 'done', 'refused')),
  answer text, answered_at timestamptz
);
create index commands_waiting on commands (order_id, serial) where state = 'waiting';

-- ── Stock ledger ────────────────────────────────────────────────────────────────────────────────────────────────
create table stock (
  sku text not null, location text not null references locations(id),
  on_hand integer not null default 0 check (on_hand >= 0),
  safety integer not null default 0 check (safety >= 0),
  held integer not null default 0 check (held >= 0),   -- sum of holds in state 'active', expired ones not yet tidied included
  primary key (sku, location),
  check (held <= on_hand)
) with (fillfactor = 70);
create table holds (
  id bigint generated always as identity primary key,
  key text not null, order_id text not null, line_id text not null,   -- no foreign key: a reservation never waits for an order row
  sku text not null, location text not null,
  quantity integer not null check (quantity > 0),
  state text not null default 'active' check (state in ('active', 'released', 'consumed', 'expired')),
  kept_aside boolean not null default false,           -- goods physically kept aside: does not expire
  expires_at timestamptz,
  created_at timestamptz not null default now(), ended_at timestamptz,
  check (not kept_aside or expires_at is null),
  unique (key, line_id, sku, location)
);
create index holds_order on holds (order_id) where state = 'active';
create index holds_expiry on holds (sku, location, expires_at) where state = 'active' and expires_at is not null;
create table reservations (                 -- idempotency: the answer once given to a key
  key text primary key, order_id text not null, answer jsonb not null, at timestamptz not null default now()
);
create table movements (                    -- append-only; on hand = sum of movements
  id bigint generated always as identity primary key,
  key text not null unique, sku text not null, location text not null,
  quantity integer not null check (quantity <> 0),
  reason text not null, reference text, at timestamptz not null default now()
);
create index movements_stock on movements (sku, location);
create function movements_are_append_only() returns trigger language plpgsql as $$
begin raise exception 'movements are append-only: book a correcting movement instead'; end $$;
create trigger movements_append_only before update or delete on movements
  for each row execute function movements_are_append_only();
create trigger movements_no_truncate before truncate on movements execute function movements_are_append_only();

-- ── Warehouse and parcels ───────────────────────────────────────────────────────────────────────────────────────
create table waves (
  id text primary key, location text not null references locations(id), connection text not null references connections(name),
  state text not null default 'open' check (state in ('open', 'written')), file_name text,
  created_at timestamptz not null default now(), written_at timestamptz
);
create table units (
  id text primary key, order_id text not null references orders(id), serial integer not null,
  location text not null references locations(id),
  state text not null check (state in ('planned', 'ready', 'handedOver', 'picked', 'packed', 'shipped', 'delivered', 'returned', 'recalling', 'cancelled')),
  wave_id text references waves(id), priority integer not null default 0,
  notes text,                               -- special wishes, for the pick list and the label
  ready_at timestamptz, handed_over_at timestamptz, answer_due_at timestamptz, packed_at timestamptz,
  weight_grams integer,
  bookings_allowed integer not null default 1,   -- further attempts after a refusal; a person may grant more
  unique (order_id, serial)
);
create index units_ready on units (location, priority desc, ready_at) where state = 'ready';
create index units_answer_due on units (answer_due_at) where state in ('handedOver', 'picked', 'recalling');
create table unit_lines (
  unit_id text not null references units(id), line_id text not null, sku text not null,
  quantity integer not null check (quantity > 0),
  picked integer not null default 0 check (picked >= 0 and picked <= quantity),
  packed integer not null default 0 check (packed >= 0 and packed <= quantity),
  short integer not null default 0 check (short >= 0 and short <= quantity),
  primary key (unit_id, line_id)
);
create table parcels (
  id text primary key, order_id text not null references orders(id), unit_id text not null references units(id),
  attempt integer not null, courier text not null references connections(name), service text not null,
  reference text not null unique,           -- the number the courier knows it by; minted before it is sent
  state text not null default 'intended'
    check (state in ('intended', 'sent', 'booked', 'refused', 'shipped', 'delivered', 'returning', 'returned', 'void')),
  waybill text, courier_booking_id text, label jsonb,
  amount_due_minor bigint not null, label_amount_minor bigint,   -- COD: what is owed, what the label says
  refusal text, last_status text, last_news_at timestamptz, news_due_at timestamptz,
  created_at timestamptz not null default now(), booked_at timestamptz, shipped_at timestamptz, delivered_at timestamptz,
  unique (unit_id, attempt)
);
create unique index parcels_one_active on parcels (unit_id) where state not in ('refused', 'void');
create unique index parcels_waybill on parcels (courier, waybill) where waybill is not null and state not in ('refused', 'void');
create index parcels_news_due on parcels (news_due_at) where state in ('booked', 'shipped', 'returning');
create index parcels_booking on parcels (courier_booking_id);
create index parcels_order on parcels (order_id);
create table parcel_events (                -- what the courier said, in event time
  parcel_id text not null references parcels(id), inbox_id bigint not null, code text not null, meaning text not null,
  detail text, event_at timestamptz not null, primary key (parcel_id, inbox_id)
);

-- ── Who must decide, who must know ──────────────────────────────────────────────────────────────────────────────
create table tasks (
  id bigint generated always as identity primary key,
  kind text not null, key text not null,    -- one open task a key
  order_id text, connection text, subject text not null,
  title text not null, detail text not null, remedy text not null,
  field text, value text, actions text[] not null,
  state text not null default 'open' check (state in ('open', 'done')),
  opened_at timestamptz not null default now(), closed_at timestamptz, closed_by text, outcome text
);
create unique index tasks_one_open on tasks (key) where state = 'open';
create index tasks_order on tasks (order_id) where state = 'open';
create table outbox (                       -- facts owed to a participant until acknowledged
  id bigint generated always as identity primary key,
  key text not null unique, participant text not null,   -- channel | warehouse | customer
  connection text, kind text not null, order_id text, payload jsonb not null,
  state text not null default 'due' check (state in ('due', 'done', 'dead')),
  attempts integer not null default 0, due_at timestamptz not null default now(), lease_until timestamptz,
  error text, created_at timestamptz not null default now(), done_at timestamptz
);
create index outbox_due on outbox (due_at) where state = 'due';
create index outbox_order on outbox (order_id);
create table notices (                      -- for the customer; sent by a later channel
  id bigint generated always as identity primary key,
  key text not null unique, order_id text not null references orders(id), template text not null,
  data jsonb not null default '{}', at timestamptz not null default now(), sent_at timestamptz
);
create table api_keys (hash text primary key, name text not null, created_at timestamptz not null default now());
