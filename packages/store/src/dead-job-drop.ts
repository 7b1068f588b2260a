// The end of a dead job that an operator gives up: for its recipients in the trace, for its content, and for its sender.
import { type Content, contentHolder } from '@sekimori/mail/content'
import type { JobHeader } from '@sekimori/mail/job'
import type { NoticeHeader } from '@sekimori/mail/notice'
import { ContentGone, contentOpener, dropHold, readHead } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { type DeadHeader, jobIn } from './dead-job.ts'
import { openRecipients } from './ended-mail.ts'
import { addNotices } from './notice-outbox.ts'
import { insertTrace, traceEntry } from './trace.ts'

/** The stage under which a mail stands in the trace whose job was dropped. */
export const DEAD_STAGE = 'dead'

type DeadJobHeader = Exclude<DeadHeader, NoticeHeader>

export type Dropping = { kind: 'dropped'; recipients: string[] } | { kind: 'unknown' } | { kind: 'replaying' }

/**
 * Drops a dead job, all in one step. Resolves to the recipients for whom it ended here; for others it had ended before.
 * With `contentOf` an authenticated sender gets a DSN with the header section of the mail.
 */
export async function dropDeadJob(
  database: Database,
  id: string,
  contentOf?: (queue: string, octets: Buffer) => Content,
): Promise<Dropping> {
  return database.transaction(async (client) => {
    const { rows } = await client.query<DeadRow>(
      'select queue, state, message, octets from dead_job where id = $1 for update',
      [id],
    )
    const row = rows[0]
    if (row === undefined) return { kind: 'unknown' }
    if (row.state === 'replaying') return { kind: 'replaying' }
    await client.query('delete from dead_job where id = $1', [id])
    if (row.message === null) return { kind: 'dropped', recipients: [] }
    return { kind: 'dropped', recipients: await endMail(client, row, row.message, contentOf) }
  })
}

interface DeadRow {
  queue: string
  state: 'dead' | 'replaying'
  message: DeadHeader | null
  octets: Buffer
}

async function endMail(
  client: Queryable,
  { queue, octets }: DeadRow,
  message: DeadHeader,
  contentOf?: (queue: string, octets: Buffer) => Content,
): Promise<string[]> {
  const job = jobIn(message)
  const isNotice = 'job' in message
  if (!isNotice && (await isTakenBack(client, message))) return []
  const recipients = isNotice ? job.envelope.recipients : await openRecipients(client, job)
  // The reason may name internals, and accounts read their own trace; /v1/dead-jobs has shown it to the operator who decided.
  const detail = 'dropped by an operator after a fault of the mail system'
  // A notice that is dropped ends nobody's mail: that has its own end.
  const stage = isNotice ? 'notice' : DEAD_STAGE
  await insertTrace(
    client,
    recipients.map(({ address }) => traceEntry(job, address, stage, 'dropped', detail)),
  )
  if (contentOf !== undefined && !isNotice && recipients.length > 0)
    await tellSender(client, { ...job, envelope: { ...job.envelope, recipients } }, contentOf(queue, octets))
  if (message.content !== undefined)
    await dropHold(client, message.content.id, contentHolder(job.queueId, job.direction))
  return recipients.map(({ address }) => address)
}

/** A release that has not come through: its mail is in quarantine as before, and may be released again. */
async function isTakenBack(
  client: Queryable,
  { queueId, direction, released, content }: DeadJobHeader,
): Promise<boolean> {
  if (released === undefined) return false
  const { rowCount } = await client.query(
    `update quarantine set state = 'kept', leased_until = null, release_token = null
     where queue_id = $1 and direction = $2 and kind = $3 and state = 'releasing' and release_token = $4`,
    [queueId, released.direction, released.kind, released.token],
  )
  if (rowCount === 0) return false
  if (content !== undefined) await dropHold(client, content.id, contentHolder(queueId, direction))
  return true
}

/** The notifier writes it (RFC 3464), if the sender is one of ours and wants it (RFC 3461 section 4.1). */
async function tellSender(client: Queryable, job: JobHeader, content: Content): Promise<void> {
  if (job.session.account === undefined || job.envelope.mailFrom === '') return
  const { content: _, ...header } = job as JobHeader & { content?: unknown }
  const isWanted = (notify?: string[]) =>
    notify === undefined || notify.some((wish) => wish.toUpperCase() === 'FAILURE')
  const recipients = job.envelope.recipients
    .filter(({ notify }) => isWanted(notify))
    .map(({ address, orcpt }) => ({
      address,
      ...(orcpt === undefined ? {} : { orcpt }),
      status: '5.3.0',
      diagnostic: 'Not delivered: a fault of the mail system',
    }))
  if (recipients.length === 0) return
  const notice = { kind: 'undelivered', action: 'failed', recipients, job: header } as const
  await addNotices(client, [notice], await headIfThere(client, content))
}

async function headIfThere(client: Queryable, content: Content): Promise<Buffer> {
  try {
    return await readHead(contentOpener(client)(content))
  } catch (error) {
    if (error instanceof ContentGone) return Buffer.alloc(0)
    throw error
  }
}
