-- Why goods leave from where they do: every decision with what was known then; and when a unit was made, for a location's daily load.
create table routing_decisions (
  id bigint generated always as identity primary key,
  order_id text not null references orders(id),
  stage text not null check (stage in ('reserve', 'move', 'again')),
  settings_version integer not null,
  decision jsonb not null,
  at timestamptz not null default now()
);
create index routing_decisions_order on routing_decisions (order_id, id);
alter table units add column made_at timestamptz not null default now();
create index units_made on units (location, made_at);
