-- Units of several orders of one recipient that go into one box, under one waybill.

-- The same for all that go into the box. Who books is read from how they stand: whoever has a parcel of its own, else the first.
alter table units add column shared_box text;
create index units_shared_box on units (shared_box) where shared_box is not null;

-- The parcel that it goes along in: the same box and waybill, no booking and no label of its own.
alter table parcels add column rides_in text references parcels(id);
create index parcels_rides_in on parcels (rides_in) where rides_in is not null;
drop index parcels_waybill;
create unique index parcels_waybill on parcels (courier, waybill)
  where waybill is not null and rides_in is null and state not in ('refused', 'void');

-- A pick-up that was asked of the courier for what is on a manifest.
create table pickups (
  manifest_id text primary key references manifests(id),
  reference text not null unique,           -- the courier's idempotency and look-up key; minted before it is sent
  state text not null default 'intended' check (state in ('intended', 'sent', 'asked', 'refused', 'cancelled')),
  from_at timestamptz not null, until_at timestamptz not null, notes text,
  courier_pickup_id text, confirmation text, -- what the courier calls it
  refusal text,
  asked_by text not null, created_at timestamptz not null default now(), asked_at timestamptz
);
