-- Up Migration

-- Which signatures each clamd works with, as each scanner last saw it; rows that are not renewed are forgotten.
create table signature_status (
  scanner text not null,
  endpoint text not null,
  version text,
  signatures_at timestamptz,
  fault text,
  checked_at timestamptz,
  reported_at timestamptz not null default now(),
  primary key (scanner, endpoint)
);
