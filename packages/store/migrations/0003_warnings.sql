-- Up Migration

-- An account that sends too much infected mail sends no more until an operator lets it. The mail that was one too many
-- is kept, so that its owner is told once however often that mail's notice comes.
alter table account
  add column sending_stopped_at timestamptz,
  add column sending_stop_reason text,
  add column sending_stop_queue_id text,
  add column infected_counted_from timestamptz not null default '-infinity';

-- Infected mail that accounts sent, once each.
create table infected_submission (
  queue_id text primary key,
  account_id bigint not null references account on delete cascade,
  accepted_at timestamptz not null
);
create index infected_submission_account on infected_submission (account_id, accepted_at);

-- Virus warnings that operators keep back (S1-26). Changed only under the lock of warning-suspension.ts.
create table warning_suspension (
  id bigint generated always as identity primary key,
  scope text not null check (scope in ('all', 'domain', 'address', 'sender', 'signature')),
  value text,
  reason text not null,
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  ends_at timestamptz,
  check ((scope = 'all') = (value is null))
);

-- Warnings over the cap, gathered for one mail that says how many they were. One is open for an account at a time.
create table warning_summary (
  id bigint generated always as identity primary key,
  account_id bigint not null references account on delete cascade,
  opened_at timestamptz not null default clock_timestamp(),
  due_at timestamptz not null,
  closed_at timestamptz,
  published_at timestamptz
);
create unique index warning_summary_open on warning_summary (account_id) where closed_at is null;
create index warning_summary_due on warning_summary (due_at) where published_at is null;

-- What was decided about the warning of one infected mail to one party: the decision is made once. A warning that was
-- written is looked at again where it would enter the maildrop. Summaries have a row too, without signature.
create table virus_warning (
  queue_id text not null,
  party text not null,
  signature text,
  senders text[] not null,
  outcome text not null check (outcome in ('written', 'delivered', 'dropped', 'suspended', 'capped')),
  suspension_id bigint references warning_suspension on delete set null,
  summary_id bigint references warning_summary on delete set null,
  trace jsonb not null,
  decided_at timestamptz not null default clock_timestamp(),
  primary key (queue_id, party)
);
create index virus_warning_sent on virus_warning (party, decided_at) where outcome in ('written', 'delivered') and signature is not null;
create index virus_warning_suspension on virus_warning (suspension_id) where suspension_id is not null;
create index virus_warning_summary on virus_warning (summary_id) where summary_id is not null;
