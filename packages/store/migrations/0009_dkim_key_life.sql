-- Up Migration

-- pending: to be published; active: signs; retiring: signs no more, stays published while mail is under way; retired: the
-- private key is erased, the record may go.
alter table dkim_key drop constraint dkim_key_state_check;
alter table dkim_key
  add constraint dkim_key_state_check check (state in ('pending', 'active', 'retiring', 'retired')),
  alter column sealed_private_key drop not null,
  -- Tells which master key sealed the private key.
  add column sealed_with text,
  add column state_since timestamptz not null default now();
update dkim_key set state_since = created_at;
update dkim_key older set state = 'retiring' from dkim_key newer
  where older.state = 'active' and newer.state = 'active' and older.domain = newer.domain
    and older.algorithm = newer.algorithm and older.id < newer.id;
-- However many replicas rotate, a domain has one key that signs and one that comes next.
create unique index dkim_key_active on dkim_key (domain, algorithm) where state = 'active';
create unique index dkim_key_pending on dkim_key (domain, algorithm) where state = 'pending';

-- What every DNS server showed at the last look that settled it. A table of its own: a look changes nothing that caches hold.
create table dkim_key_look (
  key_id bigint primary key references dkim_key on delete cascade,
  shown text not null default 'unknown' check (shown in ('unknown', 'matches', 'missing', 'differs')),
  shown_since timestamptz,
  -- Looks in a row that found the same.
  looks integer not null default 0,
  -- How long others may remember that there was no such record (RFC 2308).
  negative_ttl_seconds integer not null default 0,
  looked_at timestamptz,
  next_look_at timestamptz not null
);
create index dkim_key_look_due on dkim_key_look (next_look_at);
