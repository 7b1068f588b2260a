-- Up Migration

-- How many octets a maildrop may hold: what the account says, otherwise what its domain says; null is no limit.
alter table domain add account_quota_bytes bigint check (account_quota_bytes > 0);
alter table account add quota_bytes bigint check (quota_bytes > 0);

-- What each maildrop holds, kept by the statements that change it: counting would cost the more the fuller it is.
create table maildrop_usage (
  account_id bigint primary key references account on delete cascade,
  messages bigint not null,
  size_bytes bigint not null
) with (fillfactor = 50);
insert into maildrop_usage select account_id, count(*), sum(size_bytes) from maildrop_message group by account_id;

-- Rows are taken in the order of accounts, so that two deliveries to the same maildrops wait for each other in one order.
create function add_maildrop_usage() returns trigger language plpgsql as $$
begin
  insert into maildrop_usage as used
    select account_id, count(*), sum(size_bytes) from added group by account_id order by account_id
    on conflict (account_id) do update
    set messages = used.messages + excluded.messages, size_bytes = used.size_bytes + excluded.size_bytes;
  return null;
end $$;
create function subtract_maildrop_usage() returns trigger language plpgsql as $$
begin
  perform from maildrop_usage where account_id in (select account_id from removed) order by account_id for update;
  update maildrop_usage as used set messages = used.messages - gone.messages, size_bytes = used.size_bytes - gone.size_bytes
    from (select account_id, count(*) as messages, sum(size_bytes) as size_bytes from removed group by account_id) as gone
    where used.account_id = gone.account_id;
  return null;
end $$;
create trigger maildrop_message_added after insert on maildrop_message
  referencing new table as added for each statement execute function add_maildrop_usage();
create trigger maildrop_message_removed after delete on maildrop_message
  referencing old table as removed for each statement execute function subtract_maildrop_usage();
