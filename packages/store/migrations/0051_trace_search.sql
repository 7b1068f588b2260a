-- Up Migration

-- An operator asks for an address of another domain: the domains that decide whether it is shown stand in the index, so that
-- an address of which nothing is shown costs no look at each of its rows.
drop index message_trace_recipient;
drop index message_trace_mail_from;
drop index message_trace_account;
create index message_trace_recipient on message_trace (lower(recipient), queue_id, outcome, split_part(account, '@', -1));
create index message_trace_mail_from on message_trace
  (lower(mail_from), queue_id, outcome, split_part(lower(recipient), '@', -1)) where mail_from <> '';
create index message_trace_account on message_trace
  (account, queue_id, outcome, split_part(lower(recipient), '@', -1)) where account is not null;
