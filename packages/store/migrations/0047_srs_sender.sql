-- Up Migration

-- Senders of forwarded mail that are too long to stand in a rewritten address themselves.
create table srs_sender (
  token text primary key,
  address text not null,
  used_at timestamptz not null default now()
);
create index srs_sender_used_at on srs_sender (used_at);
