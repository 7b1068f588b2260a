-- Up Migration

-- Tokens of the settings API besides the administrator's key: for some domains, or for one account. The token itself is
-- not kept. Whoever makes a removed domain or account anew gets no token of the old one.
create table api_token (
  id text primary key,
  digest bytea unique not null,
  name text not null,
  account_id bigint references account on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz
);
create table api_token_domain (
  token_id text not null references api_token on delete cascade,
  domain text not null references domain on delete cascade,
  primary key (token_id, domain)
);
