-- Up Migration

-- What a domain wants done with mail that the virus check could not look into; a reason without a row: deliver, no notice.
create table virus_policy (
  domain text not null references domain on delete cascade,
  reason text not null check (reason in ('encrypted', 'depth', 'size', 'time', 'damaged')),
  action text not null check (action in ('deliver', 'hold', 'refuse')),
  notice boolean not null,
  primary key (domain, reason)
);
create trigger virus_policy_changed after insert or update or delete on virus_policy for each statement execute function announce_directory_change();

-- One record for each part of a mail that was set aside: a mail to several domains may be held for one and refused for
-- another. `job` (of held and refused mail) is what a release goes on with. `salt` and `chunks` are null once the content is gone.
alter table quarantine
  add kind text not null default 'infected' check (kind in ('infected', 'held', 'refused')),
  add reason text check (reason in ('encrypted', 'depth', 'size', 'time', 'damaged')),
  add is_whole boolean not null default true,
  add state text not null default 'kept' check (state in ('kept', 'releasing', 'released', 'deleting', 'deleted', 'expiring', 'expired')),
  add settled_at timestamptz,
  add job jsonb,
  add salt bytea,
  add chunks integer,
  add release_token text,
  add leased_until timestamptz,
  alter signature drop not null,
  drop constraint quarantine_pkey,
  add primary key (queue_id, direction, kind),
  add check ((kind = 'infected') = (signature is not null)),
  add check ((kind = 'infected') = (reason is null)),
  add check (kind <> 'infected' or state not in ('releasing', 'released'));
alter table quarantine alter kind drop default;
create index quarantine_kept on quarantine (quarantined_at) where state = 'kept';
create index quarantine_ordered on quarantine (quarantined_at) where state in ('releasing', 'deleting', 'expiring');

-- Content, sealed with a key of its record's own (AES-256-GCM under QUARANTINE_MASTER_KEY).
create table quarantine_chunk (
  queue_id text not null,
  direction text not null,
  kind text not null,
  seq integer not null,
  bytes bytea not null,
  primary key (queue_id, direction, kind, seq),
  foreign key (queue_id, direction, kind) references quarantine on delete cascade
);
alter table quarantine_chunk alter column bytes set storage external;

-- What was quarantined before is infected and lies in plain: it goes, as nobody could ever have got it back.
update quarantine set state = 'expired', settled_at = now();
create temporary table plain_content on commit drop as select content_id as id from quarantine;
drop index quarantine_content;
alter table quarantine drop column content_id;
delete from content using plain_content where content.id = plain_content.id
  and not exists (select from content_use where content_id = content.id)
  and not exists (select from maildrop_message where content_id = content.id)
  and not exists (select from deferred_mail where content_id = content.id);

-- Who asked the settings API for anything of the quarantine. Rows are only ever added.
create table quarantine_access (
  id bigint generated always as identity primary key,
  accessed_at timestamptz not null default now(),
  api_key_id text not null,
  action text not null check (action in ('list', 'show', 'release', 'delete')),
  queue_id text,
  detail jsonb not null default '{}'
);
create index quarantine_access_queue_id on quarantine_access (queue_id, id);
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed', tg_table_name;
end $$;
create trigger quarantine_access_kept before update or delete on quarantine_access for each statement execute function refuse_change();
