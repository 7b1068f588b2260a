// Jobs that come again after their mail has ended, when its content is gone: nothing is left to be done about them.
import { ContentGone } from './content.ts'
import type { Queryable } from './database.ts'

/**
 * The handler, for which such a job is done. Content that is gone although no recipient's mail has ended anywhere stays
 * an error: operators must see it.
 */
export function unlessEnded<J extends { queueId: string }, P>(
  database: Queryable,
  handle: (job: J) => Promise<P[]>,
): (job: J) => Promise<P[]> {
  return async (job) => {
    try {
      return await handle(job)
    } catch (error) {
      if (error instanceof ContentGone && (await hasEnded(database, job.queueId))) return []
      throw error
    }
  }
}

/** Content goes with the last of those who need it: one end in the trace shows that the mail came that far. */
async function hasEnded(database: Queryable, queueId: string): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'has_ended',
    text: 'select 1 from message_trace where queue_id = $1 limit 1',
    values: [queueId],
  })
  return rowCount === 1
}
