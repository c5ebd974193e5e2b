-- Returns that were asked for at a channel: it arranges how they come, and it may pay them back itself.
alter table returns drop constraint returns_way_check;
alter table returns add constraint returns_way_check check (way in ('courier', 'cvs', 'store', 'cameBack', 'channel'));
alter table returns add column channel jsonb;   -- {number, status, paysBack}: as it is known there
