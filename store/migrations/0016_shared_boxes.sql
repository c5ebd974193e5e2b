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
