-- Up Migration

-- Which process does a piece of background work that one at a time may do. A lease that is not renewed runs out.
create table leadership (
  work text primary key,
  holder text not null,
  expires_at timestamptz not null
);

-- Scanning delivered mail again: a row for each set of signatures, or order of an operator. It goes from the newest
-- copy in a maildrop to the oldest, from `origin_uid` down, and then (`is_wrapped`) from `top_uid` down to where it began;
-- `cursor_uid` is the next copy to be looked at.
create table rescan_run (
  id bigint generated always as identity primary key,
  state text not null check (state in ('ordered', 'running', 'done', 'superseded')),
  signatures text,
  since timestamptz,
  top_uid bigint,
  origin_uid bigint,
  cursor_uid bigint,
  is_wrapped boolean not null default false,
  reached_at timestamptz,
  scanned bigint not null default 0,
  infected bigint not null default 0,
  failed bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  check ((state = 'ordered') = (started_at is null))
);
create unique index rescan_run_ordered on rescan_run ((true)) where state = 'ordered';
create unique index rescan_run_running on rescan_run ((true)) where state = 'running';

-- Contents that a rescan found infected: wherever a copy lies in a maildrop, or comes to lie, it is to leave.
create table rescan_finding (
  content_id text primary key,
  signature text not null,
  engine text not null,
  found_at timestamptz not null default now()
);

-- Notices that belong to an effect in this database: written with it, handed to the notifier's queue afterwards.
create table notice_outbox (
  id bigint generated always as identity primary key,
  notice jsonb not null,
  head bytea not null,
  created_at timestamptz not null default now()
);
