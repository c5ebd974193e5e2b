-- A supplier's own workbook with the tracking numbers written back, ready to be uploaded at the channel again.
create table workbooks (
  import_id  text primary key references imports(id),
  bytes      bytea not null,
  parcels    integer not null,              -- how many tracking numbers are in it
  updated_at timestamptz not null default now()
);
create index inbox_import on inbox (import_id) where import_id is not null;
