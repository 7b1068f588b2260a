-- Up Migration

-- Recipients of accepted mail that has reached no end for longer than a moment: it lies in a queue, or in a dead one. What the
-- edge knew of it, in the columns of message_trace; `normal` is the recipient as maildrops spell it.
create table mail_under_way (
  queue_id text not null,
  recipient text not null,
  normal text not null,
  mail_from text not null,
  account text,
  message_id text,
  direction text not null,
  history jsonb not null,
  primary key (queue_id, recipient)
);
create index mail_under_way_recipient on mail_under_way (lower(recipient), queue_id);
create index mail_under_way_mail_from on mail_under_way (lower(mail_from), queue_id) where mail_from <> '';
create index mail_under_way_account on mail_under_way (account, queue_id) where account is not null;
create index mail_under_way_message_id on mail_under_way (message_id) where message_id is not null;
create index mail_under_way_recipient_domain on mail_under_way (split_part(lower(recipient), '@', -1), queue_id);
create index mail_under_way_account_domain on mail_under_way (split_part(account, '@', -1), queue_id) where account is not null;

-- Goes with the end, in its transaction. Mostly there is nothing to delete, and when there is, there may be a million: whatever
-- the statistics say, it is found by its key.
create function end_mail_under_way() returns trigger language plpgsql
  set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
begin
  delete from mail_under_way using ended
    where mail_under_way.queue_id = ended.queue_id and ended.recipient in (mail_under_way.recipient, mail_under_way.normal)
      and ended.stage not in ('warning', 'notice');
  return null;
end $$;
create trigger message_trace_ended after insert on message_trace
  referencing new table as ended for each statement execute function end_mail_under_way();

-- In the shape of message_trace, as waiting_trace is. A row may be written while the end is: it does not count, nor does what waits
-- in the schedule. (`offset 0` keeps the planner from joining whole tables.) Of a job that was given up /v1/dead-jobs tells more.
create view under_way_trace as
  select queue_id, recipient, case when is_dead then 'dead' else history->-1->>'stage' end as stage,
    case when is_dead then 'stuck' else 'under-way' end as outcome,
    case when is_dead then 'given up after repeated failures: an operator decides about it' end as detail,
    mail_from, account, message_id, direction, history, null as via, null::timestamptz as ended_at
  from mail_under_way, lateral (
    select exists (
      select from dead_job where dead_job.queue_id = mail_under_way.queue_id and state = 'dead'
        and message->'envelope'->'recipients' @> jsonb_build_array(jsonb_build_object('address', recipient))) as is_dead offset 0
  ) as job
  where not exists (
      select from message_trace as ended
      where ended.queue_id = mail_under_way.queue_id and ended.recipient in (mail_under_way.recipient, normal)
        and ended.stage not in ('warning', 'notice') offset 0)
    and not exists (
      select from deferred_delivery as waiting
      where waiting.queue_id = mail_under_way.queue_id and waiting.recipient = mail_under_way.recipient offset 0);
