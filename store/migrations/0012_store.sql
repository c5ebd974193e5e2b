-- What a store does: notices to who has no order, transfers, evidence, pickup vouchers, expected receipts, variants.

alter table notices alter column order_id drop not null;
alter table notices
  add column contact jsonb,                 -- {name, phone, email, lineUserId, location}: who has no order; personal data
  add constraint notices_to_somebody check (order_id is not null or contact is not null);

-- ── Transfers ───────────────────────────────────────────────────────────────────────────────────────────────────
-- Goods on their way between two of our locations. requested: still at the sender, held for the order if it is for one; shipped: on hand
-- at the transit location, where nobody can hold them, so that the transfer itself is the order's claim; arrived: on hand at the receiver,
-- held again in the same transaction.
create table transfers (
  id text primary key,
  key text not null unique,                 -- asked twice, it is one
  purpose text not null check (purpose in ('order', 'back', 'stock')),
  order_id text references orders(id),
  from_location text not null references locations(id), to_location text not null references locations(id),
  via text references locations(id),        -- the transit location, from shipped on
  state text not null default 'requested' check (state in ('requested', 'shipped', 'arrived', 'cancelled')),
  carrier text, waybill text, expected_on date, note text, by text not null,
  made_at timestamptz not null default now(), shipped_at timestamptz, arrived_at timestamptz, ended_because text,
  check (from_location <> to_location), check ((purpose = 'order') <= (order_id is not null)),
  check ((state in ('shipped', 'arrived')) = (shipped_at is not null)), check ((state = 'arrived') = (arrived_at is not null))
);
create table transfer_lines (
  transfer_id text not null references transfers(id), line_id text not null, sku text not null,
  quantity integer not null check (quantity > 0),
  shipped integer not null default 0, arrived integer not null default 0,
  primary key (transfer_id, line_id), check (shipped between 0 and quantity), check (arrived between 0 and shipped)
);
create index transfers_open on transfers (made_at) where state in ('requested', 'shipped');
create index transfers_order on transfers (order_id) where order_id is not null;
create index transfer_lines_sku on transfer_lines (sku);

-- ── What the customer agreed to ─────────────────────────────────────────────────────────────────────────────────
create table evidence (                     -- append-only; personal data
  id text primary key,                      -- of the command that brought it
  order_id text not null references orders(id),
  kind text not null check (kind in ('signature', 'code')), reference text not null,
  person text not null,                     -- who agreed
  agreed_at timestamptz not null, by text not null,   -- who took it down
  seen jsonb not null,                      -- the lines and amounts that were agreed to
  kept_at timestamptz not null default now()
);
create index evidence_order on evidence (order_id);

-- ── Pickup at a store ───────────────────────────────────────────────────────────────────────────────────────────
create table vouchers (
  code text primary key,
  unit_id text not null unique references units(id), order_id text not null references orders(id), location text not null,
  made_at timestamptz not null default now(), expires_at timestamptz not null,
  reminded_at timestamptz, expiring_told_at timestamptz, expired_at timestamptz,
  used_at timestamptz, used_by text
);
create index vouchers_order on vouchers (order_id);
create index vouchers_open on vouchers (expires_at) where used_at is null and expired_at is null;

-- ── What comes, and what would do as well ───────────────────────────────────────────────────────────────────────
create table expected_receipts (
  reference text not null default '',       -- the purchase order, where one is named
  sku text not null, location text not null references locations(id), expected_on date not null,
  quantity integer not null check (quantity > 0), updated_at timestamptz not null default now(),
  primary key (reference, sku, location, expected_on)
);
create index expected_receipts_sku on expected_receipts (sku, expected_on);

alter table products
  add column family text,                   -- articles that differ in size or colour alone
  add column variant text,
  add column substitutes text[] not null default '{}';
create index products_family on products (family) where family is not null;
