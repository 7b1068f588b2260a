-- Up Migration

create table domain (
  name text primary key check (name = lower(name)),
  created_at timestamptz not null default now()
);

create table account (
  id bigint generated always as identity primary key,
  address text unique not null check (address = lower(address)),
  domain text not null references domain,
  password_hash text not null,
  locale text not null default 'ja' check (locale in ('ja', 'en')),
  virus_warning boolean not null default true,
  created_at timestamptz not null default now()
);
create index account_domain on account (domain);

create table mailing_list (
  address text primary key check (address = lower(address)),
  domain text not null references domain,
  name text not null,
  created_at timestamptz not null default now()
);
create index mailing_list_domain on mailing_list (domain);

create table mailing_list_member (
  list_address text not null references mailing_list on delete cascade,
  account_id bigint not null references account on delete cascade,
  primary key (list_address, account_id)
);
create index mailing_list_member_account on mailing_list_member (account_id);

-- The private key is sealed with the master key (AES-256-GCM); the database alone can't sign.
create table dkim_key (
  id bigint generated always as identity primary key,
  domain text not null references domain on delete cascade,
  selector text not null,
  algorithm text not null check (algorithm in ('rsa-sha256', 'ed25519-sha256')),
  public_key text not null,
  sealed_private_key bytea not null,
  state text not null default 'active' check (state in ('active', 'retired')),
  created_at timestamptz not null default now(),
  unique (domain, selector)
);

-- One row for each stored mail. Small content lies in the row, large content in chunks.
create table content (
  id text primary key,
  size_bytes bigint not null,
  bytes bytea,
  created_at timestamptz not null default now()
);
create table content_chunk (
  content_id text not null references content on delete cascade,
  seq integer not null,
  bytes bytea not null,
  primary key (content_id, seq)
);
alter table content alter column bytes set storage external;
alter table content_chunk alter column bytes set storage external;

-- Who still needs a content besides maildrops, quarantine and deferred mail: the legs of a mail in flight.
create table content_use (
  content_id text not null references content,
  holder text not null,
  primary key (content_id, holder)
);

create table maildrop_message (
  uid bigint generated always as identity primary key,
  account_id bigint not null references account on delete cascade,
  queue_id text not null,
  content_id text not null references content,
  added bytea not null,
  struck integer[] not null default '{}',
  size_bytes bigint not null,
  delivered_at timestamptz not null default now()
);
create index maildrop_message_account on maildrop_message (account_id, uid);
create index maildrop_message_content on maildrop_message (content_id);

create table maildrop_lease (
  account_id bigint primary key references account on delete cascade,
  holder text not null,
  expires_at timestamptz not null
);

create table quarantine (
  queue_id text not null,
  direction text not null check (direction in ('submission', 'inbound')),
  signature text not null,
  engine text not null,
  envelope jsonb not null,
  session jsonb not null,
  summary jsonb not null,
  size_bytes bigint not null,
  content_id text not null references content,
  quarantined_at timestamptz not null default now(),
  primary key (queue_id, direction)
);
create index quarantine_content on quarantine (content_id);
create index quarantine_time on quarantine (quarantined_at);

-- Where each recipient's mail ended. Queue ids begin with their time, so ordering by them is ordering by acceptance.
create table message_trace (
  queue_id text not null,
  recipient text not null,
  stage text not null,
  outcome text not null,
  detail text,
  mail_from text not null,
  account text,
  message_id text,
  direction text not null,
  history jsonb not null,
  ended_at timestamptz not null default now(),
  primary key (queue_id, recipient, stage)
);
create index message_trace_recipient on message_trace (recipient, queue_id);
create index message_trace_mail_from on message_trace (mail_from, queue_id);
create index message_trace_account on message_trace (account, queue_id);
create index message_trace_message_id on message_trace (message_id);

-- Outbound mail that waits for its next attempt: the mail once, and a row for each recipient that is still open.
create table deferred_mail (
  queue_id text primary key,
  job jsonb not null,
  content_id text not null references content,
  created_at timestamptz not null default now()
);
create index deferred_mail_content on deferred_mail (content_id);
create table deferred_delivery (
  queue_id text not null references deferred_mail on delete cascade,
  recipient text not null,
  domain text not null,
  attempts integer not null default 0,
  last_reply text,
  next_attempt_at timestamptz not null,
  expires_at timestamptz not null,
  delay_notified_at timestamptz,
  leased_until timestamptz,
  primary key (queue_id, recipient)
);
create index deferred_delivery_due on deferred_delivery (next_attempt_at);

-- A change of what the edges cache is told to every replica at commit.
create function announce_directory_change() returns trigger language plpgsql as $$
begin
  perform pg_notify('directory_changed', '');
  return null;
end $$;
create trigger domain_changed after insert or update or delete on domain for each statement execute function announce_directory_change();
create trigger account_changed after insert or update or delete on account for each statement execute function announce_directory_change();
create trigger mailing_list_changed after insert or update or delete on mailing_list for each statement execute function announce_directory_change();
create trigger mailing_list_member_changed after insert or update or delete on mailing_list_member for each statement execute function announce_directory_change();
create trigger dkim_key_changed after insert or update or delete on dkim_key for each statement execute function announce_directory_change();
