// For tests only: accounts, infected mails and their warnings, and a database that can be held at the suspensions' lock.

import type { Job } from '@sekimori/mail/job'
import { derivedQueueId, newQueueId } from '@sekimori/mail/queue-id'
import type { Database } from '../database.ts'
import type { MaildropCopy } from '../maildrop-delivery.ts'
import { traceEntry } from '../trace.ts'
import { decideWarnings, type InfectedMail, type WarningLimits } from '../warning-decision.ts'

export const EVERY_HOUR: WarningLimits = { perHour: 100_000, summaryAfterMs: 3_600_000 }

/** Adds an account, and its domain where missing; resolves to its id. */
export async function addAccount(database: Database, address: string, virusWarning = true): Promise<number> {
  const domain = address.split('@')[1]
  await database.query('insert into domain (name) values ($1) on conflict do nothing', [domain])
  const { rows } = await database.query<{ id: string }>(
    "insert into account (address, domain, password_hash, virus_warning) values ($1, $2, '', $3) returning id",
    [address, domain, virusWarning],
  )
  return Number(rows[0]!.id)
}

/** An infected mail from outside, or of `account`. */
export function infectedMail(account?: string, acceptedAt = Date.now()): InfectedMail {
  const mailFrom = account ?? 'stranger@sender.example'
  const job = {
    queueId: newQueueId(),
    direction: 'inbound' as const,
    acceptedAt,
    envelope: { mailFrom, recipients: [] },
    session: { receivedBy: 'mx' as const, ...(account === undefined ? {} : { account }) },
    added: [],
    struck: [],
    history: [],
  }
  return { job, signature: 'Test.Virus', senders: [mailFrom] }
}

/** The warning of this mail to this account, as local delivery has it. */
export function warningCopy({ job }: InfectedMail, address: string, accountId: number): MaildropCopy {
  const queueId = derivedQueueId(job.queueId, `infected ${address}`)
  const bytes = Buffer.from('Subject: a warning\r\n\r\n')
  const warning: Omit<Job, 'content'> = { ...job, queueId, envelope: { mailFrom: '', recipients: [{ address }] } }
  const trace = traceEntry(warning, address, 'maildrop', 'delivered')
  return { accountId, contentId: queueId, bytes, added: Buffer.alloc(0), struck: [], sizeBytes: bytes.length, trace }
}

/** Decides about one party. */
export async function decideFor(
  database: Database,
  mail: InfectedMail,
  address: string,
  limits = EVERY_HOUR,
  isListMember = false,
): Promise<boolean> {
  return (await decideWarnings(database, mail, [{ address, isListMember }], limits)).has(address)
}

/** The ends of warnings in the trace, by mail and party. */
export async function warningEnds(database: Database, { job }: InfectedMail): Promise<[string, string, string][]> {
  const { rows } = await database.query<{ recipient: string; outcome: string; detail: string }>(
    "select recipient, outcome, detail from message_trace where queue_id = $1 and stage = 'warning' order by recipient",
    [job.queueId],
  )
  return rows.map(({ recipient, outcome, detail }) => [recipient, outcome, detail])
}

export async function maildropSize(database: Database, accountId: number): Promise<number> {
  const { rows } = await database.query('select from maildrop_message where account_id = $1', [accountId])
  return rows.length
}

/** The database, whose transactions stop where `at` says about the lock on suspensions, until they are let go on. */
export function heldAtSuspensions(database: Database, at: 'before' | 'after') {
  const reached = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const hold = async () => {
    reached.resolve()
    await release.promise
  }
  const held: Database = Object.create(database, {
    transaction: {
      value: (work: Parameters<Database['transaction']>[0]) =>
        database.transaction((client) =>
          work({
            async query(text, values) {
              const isLock = typeof text === 'object' && text.name === 'hold_suspensions'
              if (isLock && at === 'before') await hold()
              const result = await client.query(text, values)
              if (isLock && at === 'after') await hold()
              return result as never
            },
          }),
        ),
    },
  })
  return { database: held, reached: reached.promise, release: release.resolve }
}
