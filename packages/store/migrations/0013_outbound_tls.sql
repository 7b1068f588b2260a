-- Up Migration

-- MTA-STS policies as domains published them (RFC 8461): kept until they expire, whatever DNS and HTTPS say meanwhile.
create table mta_sts_policy (
  domain text primary key,
  policy_id text not null,
  mode text not null check (mode in ('enforce', 'testing', 'none')),
  max_age_seconds integer not null,
  mx text[] not null,
  fetched_at timestamptz not null default now(),
  expires_at timestamptz not null
);

-- Sessions with other servers by how they were encrypted, summed by UTC day: what TLS-RPT tells the domains (RFC 8460).
-- result is 'successful' or a result type of section 4.3; policy lines are joined by line feeds, empty without a policy.
create table tls_result (
  day date not null,
  policy_domain text not null,
  policy_type text not null check (policy_type in ('tlsa', 'sts', 'no-policy-found')),
  policy text not null,
  mx_host text not null,
  mx_address text not null,
  result text not null,
  sessions bigint not null,
  primary key (day, policy_domain, policy_type, policy, mx_host, mx_address, result)
);
