-- The courier was asked to come for what is on a manifest. asked: before its answer; unknown: it may come, and is looked up before it is asked again.
alter table manifests
  add column pickup_state text check (pickup_state in ('asked', 'unknown', 'confirmed')),
  add column pickup_id text, add column pickup_confirmation text,
  add column pickup_from timestamptz, add column pickup_until timestamptz;
