-- Up Migration

-- What accounts and networks have used of their limits, by window of time. Unlogged: a crash of Postgres may forget it.
create unlogged table usage_count (
  kind text not null,
  subject text not null,
  starts_at timestamptz not null,
  expires_at timestamptz not null,
  used bigint not null,
  primary key (kind, subject, starts_at)
);
create index usage_count_expires_at on usage_count (expires_at);

-- Sessions that networks hold open at each process of an edge, when they are many.
create unlogged table open_session (
  process text not null,
  edge text not null,
  subject text not null,
  open integer not null,
  seen_at timestamptz not null default clock_timestamp(),
  primary key (process, subject)
);
create index open_session_subject on open_session (edge, subject);

-- Limits of single accounts in place of the settings'; null: as in the settings.
create table sending_limit (
  account_id bigint primary key references account on delete cascade,
  mails_per_hour bigint check (mails_per_hour >= 0),
  recipients_per_hour bigint check (recipients_per_hour >= 0),
  recipients_per_day bigint check (recipients_per_day >= 0),
  bytes_per_day bigint check (bytes_per_day >= 0),
  max_message_bytes bigint check (max_message_bytes > 0)
);
create trigger sending_limit_changed after insert or update or delete on sending_limit for each statement execute function announce_directory_change();
