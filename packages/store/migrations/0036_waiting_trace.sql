-- Up Migration

-- What the server said last and how the session was encrypted, and when that was.
alter table deferred_delivery add column remote jsonb, add column attempted_at timestamptz;

-- Mail that waits for its next attempt, in the shape of message_trace, so that a search of the trace finds it in the same ways.
create view waiting_trace as
  select deferred_delivery.queue_id, recipient, 'remote' as stage, 'deferred' as outcome, last_reply as detail,
    job->'envelope'->>'mailFrom' as mail_from,
    coalesce(job->'session'->>'account', job->'forwarded'->>'account') as account,
    job->>'messageId' as message_id, job->>'direction' as direction, job->'history' as history,
    job->'forwarded'->>'by' as via, null::timestamptz as ended_at,
    jsonb_build_object('attempts', attempts, 'nextAttemptAt', extract(epoch from next_attempt_at) * 1000,
      'expiresAt', extract(epoch from expires_at) * 1000, 'attemptedAt', extract(epoch from attempted_at) * 1000,
      'isHeld', held_at is not null, 'isInHand', coalesce(leased_until > now(), false), 'remote', remote) as waiting
  from deferred_delivery join deferred_mail using (queue_id);

create index deferred_delivery_recipient on deferred_delivery (lower(recipient), queue_id);
create index deferred_delivery_recipient_domain on deferred_delivery (split_part(lower(recipient), '@', -1), queue_id);
create index deferred_mail_mail_from on deferred_mail (lower(job->'envelope'->>'mailFrom'), queue_id);
create index deferred_mail_account on deferred_mail (coalesce(job->'session'->>'account', job->'forwarded'->>'account'), queue_id);
create index deferred_mail_account_domain on deferred_mail
  (split_part(coalesce(job->'session'->>'account', job->'forwarded'->>'account'), '@', -1), queue_id);
create index deferred_mail_message_id on deferred_mail ((job->>'messageId'));
