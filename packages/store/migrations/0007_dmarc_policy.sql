-- Up Migration

-- What the edge does with mail to this domain whose author's domain asks to reject or quarantine it (DMARC).
alter table domain add column dmarc_policy text not null default 'record' check (dmarc_policy in ('record', 'enforce'));
