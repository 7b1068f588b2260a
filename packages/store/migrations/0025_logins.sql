-- Up Migration

-- Failed logins by key, as rate-limiter-flexible counts them. Unlogged: a crash of Postgres may forget them.
create unlogged table login_failure (
  key text primary key,
  points integer not null default 0,
  expire bigint
);
create index login_failure_expire on login_failure (expire);

-- The networks from which an account has logged in lately.
create table login_network (
  account_id bigint not null references account on delete cascade,
  network text not null,
  seen_at timestamptz not null default now(),
  primary key (account_id, network)
);

-- Passwords of single devices. They are random, so that a plain digest keeps them secret.
create table app_password (
  id bigint generated always as identity primary key,
  account_id bigint not null references account on delete cascade,
  name text not null,
  services text[] not null check (services <@ array['smtp', 'pop3'] and cardinality(services) > 0),
  digest bytea unique not null,
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  last_used_for text
);
create index app_password_account on app_password (account_id, id);
create trigger app_password_changed after insert or delete on app_password for each statement execute function announce_directory_change();
