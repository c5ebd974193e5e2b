-- Goods that come back: asked for, approved, received, inspected piece by piece; parcels that bring them; feedback; parcels that are late.
create table returns (
  id text primary key,
  key text not null unique,                 -- of the request: asked twice, it is one return
  order_id text not null references orders(id),
  unit_id text unique references units(id), -- a parcel that came back by itself
  state text not null check (state in ('asked', 'approved', 'refused', 'cancelled', 'expired', 'received', 'done')),
  way text not null check (way in ('courier', 'cvs', 'store', 'cameBack')),
  reason text not null,
  location text references locations(id),   -- where it is expected, then where it was last received
  because jsonb not null default '[]',      -- why a person must decide
  by text not null, decided_by text,
  refunded_pieces integer not null default 0,   -- inspected pieces whose money was asked for, or left to a person
  pickup jsonb,                             -- where the goods are fetched when not at the order's recipient: personal data
  exchange jsonb,                           -- the goods wanted instead: {lines: [...]}
  exchange_order_id text references orders(id),
  exchange_state text check (exchange_state in ('held', 'released', 'cancelled')),
  due_at timestamptz,                       -- until when the goods must come
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create index returns_order on returns (order_id);
create index returns_due on returns (due_at) where state in ('approved', 'received');
create table return_lines (
  return_id text not null references returns(id), line_id text not null, sku text not null,
  quantity integer not null check (quantity > 0),
  received integer not null default 0 check (received >= 0 and received <= quantity),
  primary key (return_id, line_id)
);
create table return_dispositions (          -- what became of received pieces; all but scrap are a movement
  id bigint generated always as identity primary key,
  return_id text not null, line_id text not null, quantity integer not null check (quantity > 0),
  disposition text not null check (disposition in ('restock', 'outlet', 'refurbish', 'scrap')),
  location text not null references locations(id), movement text unique,
  note text, by text not null, at timestamptz not null default now(),
  foreign key (return_id, line_id) references return_lines(return_id, line_id),
  check ((disposition = 'scrap') = (movement is null))
);
create index return_dispositions_return on return_dispositions (return_id);
create table return_parcels (               -- from the customer to us
  id text primary key, return_id text not null references returns(id),
  courier text not null references connections(name), service text not null,
  reference text not null unique,
  state text not null default 'intended' check (state in ('intended', 'sent', 'booked', 'refused', 'shipped', 'arrived', 'void')),
  waybill text, courier_booking_id text, label jsonb, refusal text, last_status text,
  due_at timestamptz not null default now(), attempts integer not null default 0,
  created_at timestamptz not null default now()
);
create unique index return_parcels_one on return_parcels (return_id) where state not in ('refused', 'void');
create index return_parcels_booking on return_parcels (courier_booking_id);
create index return_parcels_waybill on return_parcels (waybill) where waybill is not null;
create table return_parcel_events (
  parcel_id text not null references return_parcels(id), inbox_id bigint not null, code text not null, meaning text not null,
  detail text, event_at timestamptz not null, primary key (parcel_id, inbox_id)
);
create table feedback (                     -- what the customer says of the delivery; the last word counts
  order_id text primary key references orders(id), score integer not null check (score between 1 and 5),
  text text, by text not null, at timestamptz not null default now()
);
create index parcels_uncollected on parcels (order_id) where state = 'returned' and amount_due_minor > 0;
alter table parcels add column late_told_at timestamptz;
alter table products add column category text;
create index parcels_late on parcels (booked_at) where state in ('booked', 'shipped') and late_told_at is null;
create index parcels_delivered on parcels (delivered_at) where state = 'delivered';
create index returns_exchange on returns (updated_at) where exchange is not null;
