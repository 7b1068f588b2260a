-- Up Migration

-- What the postmaster of a domain was told about a DKIM key: its record is to be published, to be put back, or to be removed.
create table dkim_key_notice (
  key_id bigint not null references dkim_key on delete cascade,
  reason text not null check (reason in ('publish', 'restore', 'remove')),
  told_at timestamptz not null default now(),
  primary key (key_id, reason)
);
