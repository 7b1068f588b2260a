// The verdict on senders with the database behind it, and the forgetting of correspondents whose time is over.
import { setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '@sekimori/config/duration'
import type { Job } from '@sekimori/mail/job'
import type { Service } from '@sekimori/runtime/service'
import { ContactNotebook } from '@sekimori/store/contact-notebook'
import { Acquaintances, forgetContacts } from '@sekimori/store/correspondent'
import type { Database } from '@sekimori/store/database'
import type { Member } from '@sekimori/store/directory'
import type { Config } from './config.ts'
import { type JudgePorts, judged } from './judge.ts'

const FORGET_EVERY_MS = 6 * 3_600_000

export interface Judge extends AsyncDisposable {
  judged(job: Job, member: Member): Promise<Job>
}

/** Opens the judge. Disposing it writes what is still to be noted. */
export function openJudge(config: Config, database: Database, { log }: Service): Judge {
  const acquaintances = new Acquaintances(database)
  const notebook = new ContactNotebook(database, log, ({ account }) => acquaintances.forget(account as number))
  const ports: JudgePorts = {
    acquaintance: (accountId) => acquaintances.of(accountId),
    note: (contact) => notebook.note(contact),
    reportFault: (job, error) => log.error({ queueId: job.queueId, err: error }, 'no verdict on a sender'),
  }
  const closing = new AbortController()
  const forgetting = keepForgetting(database, parseDuration(config.CORRESPONDENT_RETENTION)!, log, closing.signal)
  return {
    judged: (job, member) => judged(job, member, ports),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await forgetting
      await notebook[Symbol.asyncDispose]()
    },
  }
}

async function keepForgetting(
  database: Database,
  retentionMs: number,
  log: Service['log'],
  closing: AbortSignal,
): Promise<void> {
  while (!closing.aborted) {
    await forgetContacts(database, retentionMs).catch((error) =>
      log.warn({ err: error }, 'old correspondents could not be forgotten'),
    )
    await wait(FORGET_EVERY_MS, undefined, { signal: closing }).catch(() => {}) // closing ends the pause
  }
}
