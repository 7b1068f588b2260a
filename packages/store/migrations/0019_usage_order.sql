-- Up Migration

-- Removing copies takes the locks in the order in which delivering takes them, contents before maildrops: otherwise a
-- delivery and a removal could wait for each other.
create or replace function subtract_maildrop_usage() returns trigger language plpgsql as $$
begin
  perform from content where id in (select content_id from removed) order by id for update;
  perform from maildrop_usage where account_id in (select account_id from removed) order by account_id for update;
  update maildrop_usage as used set messages = used.messages - gone.messages, size_bytes = used.size_bytes - gone.size_bytes
    from (select account_id, count(*) as messages, sum(size_bytes) as size_bytes from removed group by account_id) as gone
    where used.account_id = gone.account_id;
  return null;
end $$;
