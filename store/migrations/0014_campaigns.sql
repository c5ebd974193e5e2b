-- A group-buy: its orders hold from its allotments in order of time and wait; at its closing time all of them go on, or none.
create table campaigns (
  id text primary key,                                   -- what orders name as their `campaign`
  title text, minimum integer not null check (minimum >= 0),
  counts text not null default 'pieces' check (counts in ('pieces', 'orders')),
  closes_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'reached', 'failed')),
  counted integer,                                       -- what held at the closing; null while it is open
  settled_at timestamptz, created_at timestamptz not null default now()
);
create index campaigns_closing on campaigns (closes_at) where state = 'open';
-- Who was in time and held all it wanted. A share lock on the campaign is taken to become one, the closing takes it alone: whoever joins is
-- counted or comes too late, never both.
create table campaign_members (
  campaign text not null references campaigns(id), order_id text not null references orders(id),
  joined_at timestamptz not null default now(), primary key (campaign, order_id)
);
create index orders_campaign on orders ((doc->>'campaign')) where doc->>'campaign' is not null and not closed;
