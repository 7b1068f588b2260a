// Infected mail leaves the maildrops: copy, quarantine, trace and notice in one transaction, and never while a session has
// the maildrop (RFC 1939 section 4).
import { randomUUID } from 'node:crypto'
import type { HistoryEntry, Session } from '@sekimori/mail/job'
import type { NoticeHeader } from '@sekimori/mail/notice'
import { timeOfQueueId } from '@sekimori/mail/queue-id'
import { deleteUnusedContent, readContent, readHead } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { type Lead, lockLead } from './leadership.ts'
import { addNotices } from './notice-outbox.ts'
import type { Facts, Mail } from './quarantine.ts'
import { setAsideDelivered } from './quarantine-delivered.ts'

export interface Finding {
  contentId: string
  signature: string
  engine: string
}

/** Copies that leave in one transaction. */
const BATCH = 50
/** Our lock ends with the transaction; this is for none but a reader who looks at the row meanwhile. */
const LOCK_LIFE_MS = 60_000

/** Notes what was found: whatever happens from here on, its copies will leave. @throws LeadLost */
export async function recordFinding(database: Database, lead: Lead, finding: Finding): Promise<void> {
  await database.transaction(async (client) => {
    await lockLead(client, lead)
    await client.query(
      'insert into rescan_finding (content_id, signature, engine) values ($1, $2, $3) on conflict do nothing',
      [finding.contentId, finding.signature, finding.engine],
    )
  })
}

/** Findings of which copies lie in maildrops that no session has now. */
export async function removableFindings(database: Queryable, limit: number): Promise<Finding[]> {
  const { rows } = await database.query<{ content_id: string; signature: string; engine: string }>({
    name: 'removable_findings',
    text: `select content_id, signature, engine from rescan_finding
           where exists (select from maildrop_message where maildrop_message.content_id = rescan_finding.content_id
             and not exists (${OPEN_SESSION}))
           order by found_at limit $1`,
    values: [limit],
  })
  return rows.map((row) => ({ contentId: row.content_id, signature: row.signature, engine: row.engine }))
}

const OPEN_SESSION = `select from maildrop_lease
  where maildrop_lease.account_id = maildrop_message.account_id and expires_at >= now()`

/** Infected copies that still lie in maildrops. */
export async function countWaiting(database: Queryable): Promise<number> {
  const { rows } = await database.query<{ count: string }>(
    'select count(*) from maildrop_message join rescan_finding using (content_id)',
  )
  return Number(rows[0]!.count)
}

/** Forgets findings whose copies have left long ago: a delivery that comes late meets them until then. */
export async function forgetFindings(database: Queryable): Promise<void> {
  await database.query(
    `delete from rescan_finding where found_at < now() - interval '30 days'
       and not exists (select from maildrop_message where maildrop_message.content_id = rescan_finding.content_id)`,
  )
}

/**
 * Takes some of the copies out of maildrops that no session has, with all that follows from it. Resolves to how many;
 * 0 when the rest has to wait.
 */
export async function removeInfected(
  database: Database,
  masterKey: Buffer,
  finding: Finding,
  summarize: (head: Buffer) => Facts['summary'],
): Promise<number> {
  const holder = `rescan/${randomUUID()}`
  return database.transaction(async (client) => {
    await lockMaildrops(client, finding.contentId, holder)
    const copies = await removeCopies(client, finding.contentId, holder)
    if (copies.length > 0) {
      const head = await readHead(readContent(client, finding.contentId))
      await setAside(client, masterKey, finding, copies, { engine: finding.engine, summary: summarize(head), head })
      await deleteUnusedContent(client, [finding.contentId])
    }
    await client.query('delete from maildrop_lease where holder = $1', [holder])
    return copies.length
  })
}

/** Takes the locks of maildrops as a session does. Who asks for one meanwhile waits for this transaction. */
async function lockMaildrops(client: Queryable, contentId: string, holder: string): Promise<void> {
  await client.query({
    name: 'lock_maildrops',
    text: `insert into maildrop_lease (account_id, holder, expires_at)
           select distinct account_id, $2, now() + $3 * interval '1 millisecond' from maildrop_message
           where content_id = $1 and not exists (${OPEN_SESSION})
           order by account_id limit $4
           on conflict (account_id) do update set holder = excluded.holder, expires_at = excluded.expires_at
           where maildrop_lease.expires_at < now()`,
    values: [contentId, holder, LOCK_LIFE_MS, BATCH],
  })
}

interface CopyRow {
  queue_id: string
  address: string
  size_bytes: string
  mail_from: string | null
  account: string | null
  message_id: string | null
  history: HistoryEntry[] | null
  detail: string | null
}

/** Their own deliveries stand in the trace, which says whence they came. */
async function removeCopies(client: Queryable, contentId: string, holder: string): Promise<CopyRow[]> {
  const { rows } = await client.query<CopyRow>({
    name: 'remove_copies',
    text: `with removed as (
             delete from maildrop_message using maildrop_lease
             where content_id = $1 and maildrop_lease.account_id = maildrop_message.account_id and holder = $2
             returning queue_id, maildrop_message.account_id
           )
           select removed.queue_id, address, (select size_bytes from content where id = $1), mail_from, account, message_id, history, detail
           from removed join account on account.id = account_id
           left join message_trace on message_trace.queue_id = removed.queue_id and recipient = address and stage = 'maildrop'
           order by removed.queue_id, address`,
    values: [contentId, holder],
  })
  return rows
}

async function setAside(
  client: Queryable,
  masterKey: Buffer,
  { contentId, signature }: Finding,
  copies: CopyRow[],
  facts: Facts,
): Promise<void> {
  for (const ofMail of Map.groupBy(copies, (copy) => copy.queue_id).values()) {
    const recipients = ofMail.map(({ address }) => ({ address }))
    const mail = deliveredMail(ofMail[0]!, contentId, recipients)
    await setAsideDelivered(client, masterKey, mail, { kind: 'infected', signature, recipients }, facts)
    const notices = ofMail.map((copy) => noticeOf(copy, contentId, signature))
    await addNotices(client, notices, facts.head)
  }
}

function noticeOf(copy: CopyRow, contentId: string, signature: string): NoticeHeader {
  const { content: _, ...job } = deliveredMail(copy, contentId, [{ address: copy.address }])
  const list = /^via list (\S+)$/.exec(copy.detail ?? '')?.[1]
  return { kind: 'infected', signature, job, delivered: list === undefined ? {} : { list } }
}

/** The mail as its job was when it was delivered, as far as that is known. */
function deliveredMail(copy: CopyRow, contentId: string, recipients: { address: string }[]) {
  return {
    queueId: copy.queue_id,
    direction: 'inbound',
    acceptedAt: Math.max(0, timeOfQueueId(copy.queue_id)),
    ...(copy.message_id === null ? {} : { messageId: copy.message_id }),
    envelope: { mailFrom: copy.mail_from ?? '', recipients },
    session: sessionOf(copy),
    added: [],
    struck: [],
    history: copy.history ?? [],
    content: { kind: 'stored', id: contentId, sizeBytes: Number(copy.size_bytes) },
  } satisfies Mail
}

const RECEIVED_BY = new Map<string | undefined, Session['receivedBy']>([
  ['submission', 'submission'],
  ['notify', 'internal'],
])

function sessionOf({ history, account }: CopyRow): Session {
  const receivedBy = RECEIVED_BY.get(history?.[0]?.stage) ?? 'mx'
  return account === null ? { receivedBy } : { receivedBy, account }
}
