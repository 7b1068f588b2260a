// Jobs that come again after their mail has ended, when its content is gone: nothing is left to be done about them.
import { normalizeAddress } from '@sekimori/mail/address'
import type { JobHeader, Recipient } from '@sekimori/mail/job'
import { ContentGone } from './content.ts'
import type { Queryable } from './database.ts'

/** What says whose mail has come to which end. */
export type Leg = Pick<JobHeader, 'queueId' | 'envelope' | 'released'>

/**
 * The handler, for which such a job is done. Content that is gone although one of the job's own recipients has no
 * recorded end stays an error: operators must see it.
 */
export function unlessEnded<J extends Leg, P>(
  database: Queryable,
  handle: (job: J) => Promise<P[]>,
): (job: J) => Promise<P[]> {
  return async (job) => {
    try {
      return await handle(job)
    } catch (error) {
      if (error instanceof ContentGone && (await haveAllEnded(database, job))) return []
      throw error
    }
  }
}

/** Whether each recipient of the job has an end. Content goes with the last of those who need it, so ends are written first. */
export async function haveAllEnded(database: Queryable, job: Leg): Promise<boolean> {
  return (await openRecipients(database, job)).length === 0
}

/**
 * The recipients whose mail has no end of its own in the trace. Mail that was set aside, or released from there, is in
 * the quarantine's hands as far as other jobs are concerned, but not for the job that is its release.
 */
export async function openRecipients(database: Queryable, { queueId, envelope, released }: Leg): Promise<Recipient[]> {
  const { rows } = await database.query<{ recipient: string; is_here: boolean }>({
    name: 'recorded_ends',
    text: `select recipient, stage in ('maildrop', 'alias', 'forward', 'list') as is_here from message_trace
           where queue_id = $1 and stage not in ('warning', 'notice') and ($2 or outcome not in ('held', 'released'))`,
    values: [queueId, released === undefined],
  })
  const ended = new Set(rows.map(({ recipient }) => recipient))
  // Ends here stand under our own spelling of the address; elsewhere, Bob and bob may be two people.
  const endedHere = new Set(rows.filter((row) => row.is_here).map(({ recipient }) => normalizeAddress(recipient)))
  return envelope.recipients.filter(({ address }) => !ended.has(address) && !endedHere.has(normalizeAddress(address)))
}
