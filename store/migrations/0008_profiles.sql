-- Layouts that were taught: every version is kept, the newest of a name is the one in use.
create table profiles (
  name text not null, version integer not null, channel text not null, title text not null,
  layout jsonb not null,                    -- the checked document
  yaml text not null,                       -- as a person wrote it
  applied_at timestamptz not null default now(), applied_by text not null,
  primary key (name, version)
);
-- Sets of headers that were read before, and as what.
create table profile_layouts (
  fingerprint text primary key, profile text not null, seen_at timestamptz not null default now(), files bigint not null default 1
);
-- Rows of orders that wait because another row of theirs is wrong, so that the mended rows alone can be sent.
create table held_rows (
  connection text not null, external_id text not null, import_id text not null references imports(id),
  profile text not null,
  rows jsonb not null,                      -- [{row, cells}], as they came
  flagged jsonb not null,                   -- wrong cells: [{at, column}], `at` the place in rows
  at timestamptz not null default now(),
  primary key (connection, external_id)
);
alter table imports drop constraint imports_state_check;
alter table imports add constraint imports_state_check check (state in ('received', 'running', 'done', 'failed', 'cancelled'));
alter table imports
  add column progress jsonb,                -- {rowsRead, rowsTotal, ordersStored}
  add column heartbeat_at timestamptz,      -- of the process that takes it in
  add column cancel_requested_at timestamptz,
  add column takes_waybills boolean,        -- the file goes back to its channel filled in; null before that was told
  add column confidence real;               -- how sure the profile is; null when it was named
create index imports_running on imports (created_at) where state in ('received', 'running');
