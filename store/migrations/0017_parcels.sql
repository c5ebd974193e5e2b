-- Closed pickup stores, why a parcel comes back, what of it the courier insures.
create index orders_store_closed on orders (id) where facts ? 'storeClosed' and not closed;
alter table parcels add column back_because text
  check (back_because in ('refused', 'wrongAddress', 'storeClosed'));   -- null: not collected, or the courier does not say
alter table parcels add column insured_minor bigint;                    -- null: nothing
