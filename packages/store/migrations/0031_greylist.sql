-- Up Migration

create table greylist (
  network text not null,
  sender text not null,
  recipient text not null,
  first_seen_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default clock_timestamp(),
  primary key (network, sender, recipient)
);
create index greylist_seen_at on greylist (seen_at);
