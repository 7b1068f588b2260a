// Greylisting (RFC 6647): when a network first wanted to write from this sender to this recipient, for all replicas.
import type { Queryable } from './database.ts'

/** Seconds since the three were first seen together; 0 the first time. Unused ones are forgotten after 35 days. */
export async function greylistAge(
  database: Queryable,
  network: string,
  sender: string,
  recipient: string,
): Promise<number> {
  const { rows } = await database.query<{ age: string }>({
    name: 'greylist_age',
    text: `with forgotten as (
             delete from greylist where seen_at < now() - interval '35 days' and random() < 0.01
           )
           insert into greylist (network, sender, recipient) values ($1, $2, $3)
           on conflict (network, sender, recipient) do update set seen_at = clock_timestamp()
           returning floor(extract(epoch from clock_timestamp() - first_seen_at)) as age`,
    values: [network, sender, recipient],
  })
  return Number(rows[0]!.age)
}
