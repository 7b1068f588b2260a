-- Up Migration

-- When an edge stored the content, until it has answered 250: what stays pending was never accepted by anybody.
alter table content_use add column pending_since timestamptz;
create index content_use_pending on content_use (pending_since) where pending_since is not null;

-- Jobs that were given up, taken out of the dead queues: what operators see of them, and the message as it is.
create table dead_job (
  id text primary key,
  queue text not null,
  reason text not null,
  died_at timestamptz not null,
  state text not null default 'dead' check (state in ('dead', 'replaying')),
  ordered_at timestamptz,
  queue_id text,
  message jsonb,
  size_bytes bigint not null,
  headers jsonb not null,
  octets bytea not null
);
alter table dead_job alter column octets set storage external;
create index dead_job_time on dead_job (died_at, id);
create index dead_job_queue_id on dead_job (queue_id);
create index dead_job_replaying on dead_job (ordered_at) where state = 'replaying';
