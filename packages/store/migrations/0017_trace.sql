-- Up Migration

-- The trace in partitions of a week of acceptance, which is what queue ids begin with: what is older than its retention
-- goes as a whole, and a new row finds small indexes. `via` is the alias, list or account that led to the recipient.

-- The letters that queue ids of this time begin with (packages/mail/src/queue-id.ts).
create function trace_bound(at timestamptz) returns text language plpgsql immutable strict as $$
declare
  rest bigint := floor(extract(epoch from at) * 1000);
  letters text := '';
begin
  for i in 1..10 loop
    letters := substr('0123456789abcdefghjkmnpqrstvwxyz', (rest % 32)::int + 1, 1) || letters;
    rest := rest / 32;
  end loop;
  return letters;
end $$;

alter table message_trace rename to message_trace_before;
create table message_trace (
  queue_id text not null,
  recipient text not null,
  stage text not null,
  outcome text not null,
  detail text,
  mail_from text not null,
  account text,
  message_id text,
  direction text not null,
  history jsonb not null,
  via text,
  ended_at timestamptz not null default now()
) partition by range (queue_id);
-- What is older than every partition, and ids that hold no time.
create table message_trace_default partition of message_trace default;

-- The partition of this time, unless it is there. Rows that came before it are moved out of the default one.
create function ensure_trace_partition(at timestamptz) returns boolean language plpgsql as $$
declare
  first timestamptz := date_bin('7 days', at, timestamptz '2020-01-06 00:00Z');
  low text := trace_bound(first);
  high text := trace_bound(first + interval '7 days');
  name text := 'message_trace_' || to_char(first at time zone 'UTC', 'YYYYMMDD');
begin
  if to_regclass(name) is not null then return false; end if;
  create temporary table stray on commit drop as
    select * from message_trace_default where queue_id >= low and queue_id < high;
  delete from message_trace_default where queue_id >= low and queue_id < high;
  execute format('create table %I partition of message_trace for values from (%L) to (%L)', name, low, high);
  insert into message_trace select * from stray;
  drop table stray;
  return true;
end $$;

-- Drops the partitions that end before this time, oldest first; of the default one, some rows.
create function drop_trace_before(at timestamptz) returns integer language plpgsql as $$
declare
  name text;
  dropped integer := 0;
begin
  for name in
    select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = 'message_trace'::regclass and relname ~ '^message_trace_\d{8}$'
      and right(relname, 8)::date::timestamp at time zone 'UTC' + interval '7 days' <= at
    order by relname
  loop
    execute format('drop table %I', name);
    dropped := dropped + 1;
  end loop;
  delete from message_trace_default where ctid = any (array(
    select ctid from message_trace_default where ended_at < at limit 10000));
  return dropped;
end $$;

select ensure_trace_partition(now() + week * interval '7 days') from generate_series(0, 8) as week;
select ensure_trace_partition(timestamptz '2020-01-06 00:00Z' + week * interval '7 days')
  from (select distinct floor(extract(epoch from ended_at - timestamptz '2020-01-06 00:00Z') / 604800) - ago as week
        from message_trace_before, generate_series(0, 1) as ago) as weeks;
insert into message_trace select queue_id, recipient, stage, outcome, detail, mail_from, account, message_id, direction, history, null, ended_at
  from message_trace_before;
drop table message_trace_before;

-- The key, by which every end is written once. The other indexes go on from an address to its mails, newest first, with
-- the outcome beside so that a rare one is found without looking at each row.
alter table message_trace add primary key (queue_id, recipient, stage);
create index message_trace_recipient on message_trace (lower(recipient), queue_id, outcome);
create index message_trace_mail_from on message_trace (lower(mail_from), queue_id, outcome) where mail_from <> '';
create index message_trace_account on message_trace (account, queue_id, outcome) where account is not null;
create index message_trace_message_id on message_trace (message_id) where message_id is not null;
create index message_trace_recipient_domain on message_trace (split_part(lower(recipient), '@', -1), queue_id, outcome);
create index message_trace_account_domain on message_trace (split_part(account, '@', -1), queue_id, outcome) where account is not null;
create index message_trace_rare on message_trace (outcome, queue_id) where outcome not in ('delivered', 'sent', 'expanded', 'forwarded');
