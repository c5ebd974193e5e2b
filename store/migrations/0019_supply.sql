-- What is elsewhere is held there and brought by a transfer of the order's own; only what is to be bought is needed from outside.
delete from supply_needs where way <> 'purchase';
alter table supply_needs drop column way, drop column from_location, drop column to_location;

-- The pieces that buyers were asked for; null: they have not been asked. Asked again only when more is needed.
alter table purchase_requests add column told_quantity integer;
