// The quarantine: infected mail is set aside for operators' eyes (metadata) and never handed to a customer.
import { type Content, contentHolder, contentSize } from '@sekimori/mail/content'
import type { JobHeader } from '@sekimori/mail/job'
import type { Database } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { insertTrace, traceEntry } from './trace.ts'

export interface Finding {
  signature: string
  /** Name and version of the engine and its signatures. */
  engine: string
}

/** Header fields that help an operator to recognise the mail; data from strangers, never trusted. */
export interface Summary {
  subject?: string
  from?: string
  to?: string
  date?: string
  messageId?: string
}

/** Sets a mail aside and writes the end of each recipient's mail, once, however often it is asked. */
export async function quarantine(
  database: Database,
  job: JobHeader & { content: Content },
  finding: Finding,
  summary: Summary,
): Promise<void> {
  const { content, queueId, direction } = job
  const contentId = content.kind === 'inline' ? `${queueId}.quarantine` : content.id
  await database.transaction(async (client) => {
    if (content.kind === 'inline') {
      await client.query('insert into content (id, size_bytes, bytes) values ($1, $2, $3) on conflict do nothing', [
        contentId,
        content.bytes.length,
        content.bytes,
      ])
    }
    await client.query(
      `insert into quarantine (queue_id, direction, signature, engine, envelope, session, summary, size_bytes, content_id)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
      [
        queueId,
        direction,
        storableText(finding.signature),
        storableText(finding.engine),
        toJsonb(job.envelope),
        toJsonb(job.session),
        toJsonb(summary),
        contentSize(content),
        contentId,
      ],
    )
    await client.query('delete from content_use where content_id = $1 and holder = $2', [
      contentId,
      contentHolder(queueId, direction),
    ])
    const detail = `infected: ${finding.signature}`
    await insertTrace(
      client,
      job.envelope.recipients.map(({ address }) => traceEntry(job, address, 'quarantine', 'quarantined', detail)),
    )
  })
}
