-- Up Migration

-- Octets of what a client gets that knows no UTF-8 (RFC 6856), where that is another mail than the one delivered; null: size_bytes.
alter table maildrop_message add surrogate_bytes bigint;

-- A maildrop is listed from the index alone: rows with their header lines are a hundred times as much to read.
create index maildrop_message_listing on maildrop_message (account_id, uid) include (size_bytes, surrogate_bytes);
drop index maildrop_message_account;
