// For tests only: mails that are set aside, and what the database holds of them.
import { randomBytes } from 'node:crypto'
import { type Content, contentHolder } from '@sekimori/mail/content'
import type { Job, Recipient } from '@sekimori/mail/job'
import { storeContent } from '../content.ts'
import type { Database, Queryable } from '../database.ts'
import { type Part, setAside } from '../quarantine.ts'

export const masterKey = randomBytes(32)
export const head = Buffer.from('Subject: Invoice\r\n\r\n')
export const facts = {
  engine: 'ClamAV 1',
  summary: { subject: 'Invoice', from: 'stranger@sender.example' },
  head,
}

/** A job for these recipients (bob@example.test unless told) with the content given. */
export function jobOf(queueId: string, content: Content | string, changes: Partial<Job> = {}): Job {
  return {
    queueId,
    direction: 'inbound',
    acceptedAt: 0,
    envelope: { mailFrom: 'stranger@sender.example', recipients: [{ address: 'bob@example.test' }] },
    session: { receivedBy: 'mx', clientAddress: '192.0.2.7' },
    added: ['Received: by mail.example.test'],
    struck: [],
    history: [],
    content: typeof content === 'string' ? { kind: 'inline', bytes: Buffer.from(content) } : content,
    ...changes,
  }
}

/** Stored content, held as an edge holds it. */
export async function stored(database: Database, queueId: string, chunks: Buffer[]): Promise<Content> {
  const input = (async function* () {
    yield* chunks
  })()
  const sizeBytes = await storeContent(database, queueId, contentHolder(queueId, 'inbound'), input)
  return { kind: 'stored', id: queueId, sizeBytes }
}

export const bob: Recipient[] = [{ address: 'bob@example.test' }]
export const held: Part = { kind: 'held', reason: 'encrypted', recipients: bob }
export const infected: Part = { kind: 'infected', signature: 'Eicar', recipients: bob }

/** Sets the whole mail aside. */
export function setAsideAs(database: Database, job: Job, ...parts: Part[]): Promise<void> {
  return setAside(database, masterKey, job, parts, facts, true)
}

/** Everything that the content tables and the quarantine hold, as one text. */
export async function dumpOf(database: Queryable): Promise<string> {
  const tables = ['content', 'content_chunk', 'content_use', 'quarantine', 'quarantine_chunk', 'message_trace']
  let dump = ''
  for (const table of tables) {
    const { rows } = await database.query(`select * from ${table}`)
    for (const row of rows)
      for (const value of Object.values(row))
        dump += value instanceof Buffer ? value.toString('latin1') : JSON.stringify(value)
  }
  return dump
}

/** How each recipient of the mail stands in the trace. */
export async function traced(database: Queryable, queueId: string): Promise<string[]> {
  const { rows } = await database.query<{ recipient: string; outcome: string }>(
    'select recipient, outcome from message_trace where queue_id = $1 order by recipient, stage',
    [queueId],
  )
  return rows.map(({ recipient, outcome }) => `${recipient} ${outcome}`)
}
