-- Cash that couriers collected at the door and paid out to us.
alter table parcels add column collected_minor bigint;   -- what was paid out for it, fees not deducted; null: nothing yet
alter table parcels add column fee_minor bigint;
alter table parcels add column remitted_on date;         -- the last day something was paid out for it
create table remittances (                               -- every line a courier reported
  connection text not null references connections(name),
  courier_booking_id text not null, paid_out_on date not null,
  reference text, collected_minor bigint not null, fee_minor bigint not null,
  parcel_id text references parcels(id),                 -- null: nobody here knows the parcel, a task asks
  seen_at timestamptz not null default now(),
  primary key (connection, courier_booking_id, paid_out_on)
);
create index remittances_parcel on remittances (parcel_id);
create index parcels_unpaid on parcels (courier, delivered_at) where amount_due_minor > 0 and coalesce(collected_minor, 0) < amount_due_minor;
