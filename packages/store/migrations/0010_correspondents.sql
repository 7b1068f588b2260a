-- Up Migration

-- The domains that an account has had confirmed mail from, or has written to: against these, lookalikes are told. Domains
-- only, no addresses; forgotten after a time, and at most some hundreds an account.
create table correspondent (
  account_id bigint not null references account on delete cascade,
  domain text not null,
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  is_written_to boolean not null default false,
  primary key (account_id, domain)
);
create index correspondent_last_seen on correspondent (last_seen_at);
