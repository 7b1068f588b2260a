// How many mails other servers took on each UTC day.
import type { Queryable } from './database.ts'

/** Adds to the count of today. */
export async function addOutboundMails(database: Queryable, mails: number): Promise<void> {
  await database.query(
    `insert into outbound_count (day, mails) values ((now() at time zone 'utc')::date, $1)
     on conflict (day) do update set mails = outbound_count.mails + excluded.mails`,
    [mails],
  )
}
