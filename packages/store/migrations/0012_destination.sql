-- Up Migration

-- What operators have decided about domains that mail goes to: what encryption is demanded, and whether mail is held back.
create table destination (
  domain text primary key check (domain = lower(domain)),
  tls text not null default 'opportunistic' check (tls in ('opportunistic', 'encrypted', 'verified')),
  paused_at timestamptz,
  pause_reason text,
  updated_at timestamptz not null default now()
);
create trigger destination_changed after insert or update or delete on destination for each statement execute function announce_directory_change();

-- Operators' orders about waiting mail: held until released; to be given up, with a DSN ('return') or without ('drop').
alter table deferred_delivery
  add column held_at timestamptz,
  add column ordered text check (ordered in ('return', 'drop'));
create index deferred_delivery_domain on deferred_delivery (domain, queue_id);
