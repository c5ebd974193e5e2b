-- Picking and packing where no warehouse system answers: waves of our own, stations with a scanner, boxes, hand-over manifests.

-- A wave of our own goes to nobody: it is picked from paper. What its units have in common: {"courier": "tcat", "region": "臺北市"}.
alter table waves alter column connection drop not null;
alter table waves add column sorted_by jsonb not null default '{}';
create index units_wave on units (wave_id) where wave_id is not null;

-- {cutOffs, waveSize, splitBy, urgentPriority}; null: one task a unit (unit.pick), or a warehouse system.
alter table locations add column packing jsonb;
alter table products add column fragile boolean not null default false;
alter table products add column size_mm integer[] check (array_length(size_mm, 1) = 3);   -- in any order
alter table products add column item_label text;  -- what is printed for each piece; null: nothing is
create index products_barcode on products (barcode) where barcode is not null;
create table shelves (
  sku text not null, location text not null references locations(id), shelf text not null, primary key (sku, location)
);
create table boxes (
  id text primary key, name text not null,
  inner_mm integer[] not null check (array_length(inner_mm, 1) = 3), max_grams integer not null check (max_grams > 0),
  fragile boolean not null default false, chilled boolean not null default false   -- what it is fit for
);

create table packing (                      -- one box being packed, or packed
  unit_id text primary key references units(id), order_id text not null references orders(id),
  station text,                             -- who has it; null: laid down
  bench jsonb not null,                     -- Bench of activities/packing/bench.ts
  box text, weight_grams integer, media jsonb not null default '[]',    -- [{kind: photo | video, reference, at}]
  started_at timestamptz not null default now(), finished_at timestamptz
);
create unique index packing_station on packing (station) where station is not null and finished_at is null;
create table stations (                     -- locked for each scan: one scan after the other
  station text primary key, last_unit text, seen_at timestamptz not null default now()
);
create table scans (                        -- what was scanned and what was answered: a scan sent twice is answered the same
  id bigint generated always as identity primary key,
  station text not null, scan_id text not null, code text not null, unit_id text, answer jsonb not null, who text not null,
  at timestamptz not null default now(),
  unique (station, scan_id)
);
create index scans_unit on scans (unit_id) where unit_id is not null;

create table manifests (
  id text primary key, location text not null references locations(id), courier text not null references connections(name),
  document bytea, content_type text,        -- the courier's own paper, asked for once
  problem text,                             -- why there is none
  handed_over_at timestamptz, handed_over_by text,
  proofs jsonb not null default '[]',       -- [{kind: photo | receipt | signature, reference, at, by}]
  created_by text not null, created_at timestamptz not null default now()
);
create index manifests_place on manifests (location, created_at desc);
create table manifest_parcels (
  parcel_id text primary key references parcels(id),      -- on one manifest at most
  manifest_id text not null references manifests(id), position integer not null,
  unique (manifest_id, position)
);
