-- Up Migration

-- Addresses that stand for others, local or outside. '*@domain' takes what no other address of the domain takes.
create table alias (
  address text primary key check (address = lower(address)),
  domain text not null references domain on delete cascade,
  created_at timestamptz not null default now()
);
create index alias_domain on alias (domain);
create table alias_target (
  alias_address text not null references alias on delete cascade,
  target text not null,
  primary key (alias_address, target)
);
create trigger alias_changed after insert or update or delete on alias for each statement execute function announce_directory_change();
create trigger alias_target_changed after insert or update or delete on alias_target for each statement execute function announce_directory_change();

-- Mail to bob+anything@ is bob's where the domain wants that.
alter table domain add plus_addressing boolean not null default false;

-- Where an account's mail goes as well or, when it keeps no copy, instead.
alter table account add keeps_copy boolean not null default true;
create table account_forwarding (
  account_id bigint not null references account on delete cascade,
  target text not null,
  primary key (account_id, target)
);
create trigger account_forwarding_changed after insert or update or delete on account_forwarding for each statement execute function announce_directory_change();

-- Who may post to a list and what others are told; members and owners who have no account here.
alter table mailing_list
  add posting text not null default 'anyone' check (posting in ('anyone', 'members', 'owners')),
  add refusal_text text;
create table mailing_list_outside_member (
  list_address text not null references mailing_list on delete cascade,
  address text not null,
  primary key (list_address, address)
);
create table mailing_list_owner (
  list_address text not null references mailing_list on delete cascade,
  address text not null,
  primary key (list_address, address)
);
create trigger mailing_list_outside_member_changed after insert or update or delete on mailing_list_outside_member for each statement execute function announce_directory_change();
create trigger mailing_list_owner_changed after insert or update or delete on mailing_list_owner for each statement execute function announce_directory_change();
