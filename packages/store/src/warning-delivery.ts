// Putting a virus warning into its party's maildrop, unless it has been suspended since it was written (S1-26). This is
// where a warning is sent, in the sense of the requirement: up to this transaction a suspension still stops it.
import type { Database, Queryable } from './database.ts'
import { insertCopies, type MaildropCopy } from './maildrop-delivery.ts'
import { insertTrace, type TraceEntry } from './trace.ts'
import { suspensionDetail } from './warning-decision.ts'
import { findSuspensions, holdSuspensions } from './warning-suspension.ts'

interface WarningRow {
  signature: string | null
  senders: string[]
  outcome: string
  trace: TraceEntry
}

/**
 * Delivers the warning of mail `queueId`, or counts it as suspended and writes that to the trace; once, however often it
 * is asked.
 */
export async function deliverWarning(database: Database, queueId: string, copy: MaildropCopy): Promise<void> {
  const party = copy.trace.recipient
  await database.transaction(async (client) => {
    await holdSuspensions(client)
    const warning = await lockWarning(client, queueId, party)
    // Its one copy was delivered or suspended before; another one would be the notice written anew for some reason.
    if (warning !== undefined && warning.outcome !== 'written') return
    if (warning !== undefined) {
      const cause = { signature: warning.signature ?? undefined, senders: warning.senders }
      const suspensionId = (await findSuspensions(client, cause, [party])).get(party)
      if (suspensionId !== undefined) return suspend(client, warning, suspensionId, copy.trace)
      await client.query(`update virus_warning set outcome = 'delivered' where queue_id = $1 and party = $2`, [
        queueId,
        party,
      ])
    }
    await insertCopies(client, [copy])
  })
}

async function lockWarning(client: Queryable, queueId: string, party: string): Promise<WarningRow | undefined> {
  const { rows } = await client.query<WarningRow>({
    name: 'lock_warning',
    text: 'select signature, senders, outcome, trace from virus_warning where queue_id = $1 and party = $2 for update',
    values: [queueId, party],
  })
  return rows[0]
}

/** Two ends: that of the warning about the infected mail, and that of the mail which the warning is. */
async function suspend(
  client: Queryable,
  { trace }: WarningRow,
  suspensionId: string,
  ofCopy: TraceEntry,
): Promise<void> {
  await client.query(
    `update virus_warning set outcome = 'suspended', suspension_id = $3 where queue_id = $1 and party = $2`,
    [trace.queueId, trace.recipient, suspensionId],
  )
  const detail = suspensionDetail(suspensionId)
  await insertTrace(client, [
    { ...trace, outcome: 'suspended', detail },
    { ...ofCopy, outcome: 'dropped', detail },
  ])
}
