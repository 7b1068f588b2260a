-- Up Migration

-- Whether reports are sent to the domains that ask for them, and in the name of which domain of ours. One row at most.
create table reporting (
  is_only_row boolean primary key default true check (is_only_row),
  dmarc boolean not null default false,
  tls boolean not null default false,
  sender_domain text references domain on delete set null,
  updated_at timestamptz not null default now()
);
create trigger reporting_changed after insert or update or delete on reporting for each statement execute function announce_directory_change();

-- DMARC results of a UTC day, summed (RFC 9990): for each policy domain the policy as it was last seen, and its rows.
create table dmarc_subject (
  day date not null,
  policy_domain text not null,
  -- The registered domain: nobody takes all the room with names below one of his own.
  organization text not null,
  policy jsonb not null,
  result_rows integer not null default 0,
  -- Mails that no row was left for.
  left_out bigint not null default 0,
  primary key (day, policy_domain)
);
create index dmarc_subject_organization on dmarc_subject (day, organization);
create table dmarc_result (
  day date not null,
  policy_domain text not null,
  digest bytea not null,
  result jsonb not null,
  mails bigint not null,
  primary key (day, policy_domain, digest),
  foreign key (day, policy_domain) references dmarc_subject on delete cascade
);

-- Mails that other servers took on a UTC day, reports left out: the share of reports is held against it.
create table outbound_count (
  day date primary key,
  mails bigint not null
);

-- A day is planned once. `budget` is how many report mails it may have, `used` how many it has.
create table report_day (
  day date primary key,
  budget bigint not null,
  used bigint not null default 0,
  planned_at timestamptz not null default now()
);

-- One report for each domain and day; waiting ones are leased by whichever replica makes them.
create table report (
  day date not null references report_day on delete cascade,
  kind text not null check (kind in ('dmarc', 'tls')),
  policy_domain text not null,
  state text not null default 'waiting' check (state in ('waiting', 'sent', 'capped', 'unwanted', 'failed')),
  detail text,
  due_at timestamptz not null,
  leased_until timestamptz,
  settled_at timestamptz,
  primary key (day, kind, policy_domain)
);
create index report_due on report (due_at) where state = 'waiting';
create index report_domain on report (policy_domain, day);

-- Where a report goes to. The row is written, and counted in report_day, before the mail is made.
create table report_delivery (
  day date not null,
  kind text not null,
  policy_domain text not null,
  destination text not null,
  queue_id text,
  delivered_at timestamptz,
  primary key (day, kind, policy_domain, destination),
  foreign key (day, kind, policy_domain) references report on delete cascade
);
