// Quarantine of mail that had been delivered already: its copies leave the maildrops one after the other, as sessions
// let go of them, and gather in one record.
import { readContent } from './content.ts'
import type { Queryable } from './database.ts'
import { toJsonb } from './jsonb.ts'
import { type Facts, insertRecord, type Mail, type Part } from './quarantine.ts'
import { type RecordId, recordValues, writeSealed } from './quarantine-content.ts'
import { insertTrace, traceEntry } from './trace.ts'

/** The stage under which mail that was found infected after its delivery stands in the trace. */
export const RESCAN_STAGE = 'rescan'

type InfectedPart = Extract<Part, { kind: 'infected' }>

/** Seals the content, or adds the recipients to what is sealed already, and writes to the trace; in the caller's transaction. */
export async function setAsideDelivered(
  client: Queryable,
  masterKey: Buffer,
  mail: Mail & { content: { kind: 'stored' } },
  part: InfectedPart,
  facts: Facts,
): Promise<void> {
  const id: RecordId = { queueId: mail.queueId, direction: mail.direction, kind: 'infected' }
  if (await insertRecord(client, mail, part, facts))
    await writeSealed(client, masterKey, id, readContent(client, mail.content.id))
  else await addRecipients(client, id, part)
  const detail = `infected: ${part.signature}; removed from the maildrop`
  await insertTrace(
    client,
    part.recipients.map(({ address }) => traceEntry(mail, address, RESCAN_STAGE, 'quarantined', detail)),
  )
}

async function addRecipients(client: Queryable, id: RecordId, { recipients }: InfectedPart): Promise<void> {
  await client.query(
    `update quarantine set envelope = jsonb_set(envelope, '{recipients}', envelope->'recipients' || (
       select coalesce(jsonb_agg(added), '[]') from jsonb_array_elements($4::jsonb) as added
       where not exists (select from jsonb_array_elements(envelope->'recipients') as there
         where there->>'address' = added->>'address')))
     where queue_id = $1 and direction = $2 and kind = $3`,
    [...recordValues(id), toJsonb(recipients)],
  )
}
