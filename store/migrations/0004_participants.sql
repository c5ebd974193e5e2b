-- Who knows what: facts owed to every participant, with what they answered; sales made elsewhere; where customers were told.

alter table connections add column sides text[] not null default '{}';   -- what its connector can be told or asked; set at apply and at a worker's start

alter table outbox
  add column tried_at timestamptz,          -- when it was last told; done_at is when that was acknowledged
  add column document jsonb,                -- what the participant made of it: {id, number}
  drop constraint outbox_state_check,
  add constraint outbox_state_check check (state in ('due', 'done', 'dead', 'skipped'));   -- skipped: nobody needs it any more

alter table notices
  add column connection text,               -- through which it was sent
  add column reason text;                   -- why it was not sent

create index parcels_by_waybill on parcels (waybill) where waybill is not null;

create table sales (                        -- sold or brought back without an order of ours: what is booked of the newest version known
  connection text not null references connections(name), external_id text not null,
  revision integer not null default 0, event_at timestamptz, inbox_id bigint not null,
  booked jsonb not null default '[]',       -- [{sku, location, quantity}], positive: sold
  updated_at timestamptz not null default now(),
  primary key (connection, external_id)
);
