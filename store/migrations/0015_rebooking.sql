-- The label of a booked parcel is to be made anew: asked, its booking is being cancelled; refused, the courier does not cancel it by a call.
alter table parcels add column rebook text check (rebook in ('asked', 'refused'));
