// The quarantine: infected mail, and mail that a domain will not have unscanned, is set aside, sealed. Operators see
// metadata; infected mail is never handed out (S1-20).
import { type Content, contentHolder, contentSize } from '@sekimori/mail/content'
import type { JobHeader, Recipient } from '@sekimori/mail/job'
import type { UnscannableReason } from '@sekimori/mail/unscannable'
import { dropHold, readContent, readHead } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { type QuarantineKind, type RecordId, readSealed, writeSealed } from './quarantine-content.ts'
import { insertTrace, traceEntry } from './trace.ts'

/** The stage under which mail that was set aside stands in the trace. */
export const QUARANTINE_STAGE = 'quarantine'

/**
 * What is set aside of a mail, and for which of its recipients. Of refused mail that its sender is told of (`isReturned`)
 * only the header section is kept: it has been returned, and is not to be delivered any more.
 */
export type Part =
  | { kind: 'infected'; signature: string; recipients: Recipient[] }
  | { kind: 'held'; reason: UnscannableReason; recipients: Recipient[] }
  | { kind: 'refused'; reason: UnscannableReason; recipients: Recipient[]; isReturned: boolean }

/** Header fields that help an operator to recognise the mail; data from strangers, never trusted. */
export interface Summary {
  subject?: string
  from?: string
  to?: string
  date?: string
  messageId?: string
}

export interface Facts {
  /** Name and version of the engine and its signatures. */
  engine: string
  summary: Summary
  /** The header section. */
  head: Buffer
}

export type Mail = JobHeader & { content: Content }

/**
 * Sets parts of a mail aside, seals their content and writes to the trace, all in one step; once, however often it is
 * asked. `isEnd`: nothing of this leg of the mail goes on, so its hold on stored content is given up in the same step.
 */
export async function setAside(
  database: Database,
  masterKey: Buffer,
  mail: Mail,
  parts: Part[],
  facts: Facts,
  isEnd: boolean,
): Promise<void> {
  const { content, queueId, direction } = mail
  await database.transaction(async (client) => {
    for (const part of parts) {
      const id = { queueId, direction, kind: part.kind }
      if (!(await insertRecord(client, mail, part, facts))) continue
      const input = isWhole(part) ? open(client, content) : single(facts.head)
      await writeSealed(client, masterKey, id, input)
      await traceSetAside(client, mail, part)
    }
    if (isEnd && content.kind === 'stored') await dropHold(client, content.id, contentHolder(queueId, direction))
  })
}

/** Adds the record of a part, without content; false when it is there already. */
export async function insertRecord(client: Queryable, mail: Mail, part: Part, facts: Facts): Promise<boolean> {
  const { content, ...header } = mail
  const envelope = { ...mail.envelope, recipients: part.recipients }
  const { rowCount } = await client.query(
    `insert into quarantine (queue_id, direction, kind, signature, reason, is_whole, engine, envelope, session, summary, size_bytes, job)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
    [
      mail.queueId,
      mail.direction,
      part.kind,
      part.kind === 'infected' ? storableText(part.signature) : null,
      part.kind === 'infected' ? null : part.reason,
      isWhole(part),
      storableText(facts.engine),
      toJsonb(envelope),
      toJsonb(mail.session),
      toJsonb(facts.summary),
      contentSize(content),
      part.kind === 'infected' ? null : toJsonb({ ...header, envelope }),
    ],
  )
  return rowCount === 1
}

async function traceSetAside(client: Queryable, mail: Mail, part: Part): Promise<void> {
  const addresses = part.recipients.map(({ address }) => address)
  // What was released and is stopped all the same has a new end.
  if (mail.released !== undefined)
    await client.query(
      `delete from message_trace where queue_id = $1 and stage = $2 and outcome = 'released' and recipient = any($3)`,
      [mail.queueId, QUARANTINE_STAGE, addresses],
    )
  const { outcome, detail } = endOf(part)
  await insertTrace(
    client,
    addresses.map((address) => traceEntry(mail, address, QUARANTINE_STAGE, outcome, detail)),
  )
}

function endOf(part: Part): { outcome: string; detail: string } {
  switch (part.kind) {
    case 'infected':
      return { outcome: 'quarantined', detail: `infected: ${part.signature}` }
    case 'held':
      return { outcome: 'held', detail: `unscannable: ${part.reason}` }
    case 'refused':
      return { outcome: part.isReturned ? 'bounced' : 'dropped', detail: `5.7.1 refused, unscannable: ${part.reason}` }
  }
}

function isWhole(part: Part): boolean {
  return part.kind !== 'refused' || !part.isReturned
}

function open(client: Queryable, content: Content): AsyncIterable<Buffer> {
  // Inside the transaction's own connection: a second one might not be free while all others wait for one.
  return content.kind === 'inline' ? single(content.bytes) : readContent(client, content.id)
}

async function* single(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}

/** What was set aside of this leg of a mail in an earlier attempt; undefined when nothing was. */
export async function recallSetAside(
  database: Database,
  masterKey: Buffer,
  { queueId, direction }: JobHeader,
): Promise<{ parts: Part[]; head: Buffer } | undefined> {
  const { rows } = await database.query<PartRow>(
    `select kind, signature, reason, is_whole, envelope from quarantine
     where queue_id = $1 and direction = $2 and salt is not null order by kind`,
    [queueId, direction],
  )
  if (rows[0] === undefined) return undefined
  const id: RecordId = { queueId, direction, kind: rows[0].kind }
  return { parts: rows.map(toPart), head: await readHead(readSealed(database, masterKey, id)) }
}

interface PartRow {
  kind: QuarantineKind
  signature: string
  reason: UnscannableReason
  is_whole: boolean
  envelope: { recipients: Recipient[] }
}

function toPart({ kind, signature, reason, is_whole, envelope: { recipients } }: PartRow): Part {
  switch (kind) {
    case 'infected':
      return { kind, signature, recipients }
    case 'held':
      return { kind, reason, recipients }
    case 'refused':
      return { kind, reason, recipients, isReturned: !is_whole }
  }
}
