-- Visits to a store: when it is open, how many at once, who comes when.
create table store_hours (
  location text primary key references locations(id),
  hours jsonb not null                      -- OpeningHours of domain/appointments.ts
);
create table slots (                        -- made when first booked; the constraint is the last defence against two for one chair
  location text not null references locations(id), starts_at timestamptz not null,
  capacity integer not null, taken integer not null default 0,
  primary key (location, starts_at),
  check (taken >= 0 and taken <= capacity)
);
create table appointments (
  id text primary key,
  key text not null unique,                 -- of the request: asked twice, it is one
  location text not null references locations(id), starts_at timestamptz not null, ends_at timestamptz not null,
  kind text not null check (kind in ('tryOn', 'groupBuy', 'visit')),
  order_id text references orders(id), campaign text,
  customer jsonb not null default '{}',     -- name, phone, email, lineUserId: personal data
  notes text,
  state text not null default 'booked' check (state in ('booked', 'late', 'arrived', 'noShow', 'cancelled')),
  by text not null, reminded_at timestamptz,
  created_at timestamptz not null default now(), updated_at timestamptz not null default now()
);
create index appointments_place on appointments (location, starts_at);
create index appointments_open on appointments (starts_at) where state in ('booked', 'late');
create unique index appointments_one_an_order on appointments (order_id) where state in ('booked', 'late', 'arrived');
