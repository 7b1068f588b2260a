// What nobody needs leaves the content store, also after a crash; what is needed and not whole is found out.
import { deleteUnusedContent, UNUSED } from './content.ts'
import type { Database } from './database.ts'

/**
 * Lets go of content that an edge stored `ageMs` ago and did not confirm: it ended before it could answer 250, or told
 * the client to come again. Content of a mail that was accepted is never among it, however long that waits. Resolves to
 * how many of `limit` at most.
 */
export async function sweepUnconfirmed(database: Database, ageMs: number, limit: number): Promise<number> {
  return database.transaction(async (client) => {
    // Content first, then its holds: the order in which a stage hands content over.
    const { rows } = await client.query<{ id: string }>(
      `select id from content where id in (
         select content_id from content_use where pending_since < now() - $1 * interval '1 millisecond'
         order by pending_since limit $2)
       for update skip locked`,
      [ageMs, limit],
    )
    const ids = rows.map((row) => row.id)
    await client.query(
      `delete from content_use where content_id = any($1::text[]) and pending_since < now() - $2 * interval '1 millisecond'`,
      [ids, ageMs],
    )
    await deleteUnusedContent(client, ids)
    return ids.length
  })
}

/** What was found on a stretch of the store. `last` is its last content; undefined behind the end. */
export interface Inspection {
  last: string | undefined
  /** Contents that nobody referred to and that are gone now. */
  freed: string[]
  /** Contents that are held and not whole. */
  damaged: string[]
}

/** Looks at the contents after `after`, in the order of their ids. What is younger than `ageMs` is left alone. */
export async function inspectContents(
  database: Database,
  after: string,
  ageMs: number,
  limit: number,
): Promise<Inspection> {
  const { rows } = await database.query<{ id: string; is_unused: boolean; is_whole: boolean }>({
    name: 'inspect_contents',
    text: `select id, ${UNUSED} as is_unused,
             size_bytes = coalesce(octet_length(bytes)::bigint,
               (select coalesce(sum(octet_length(content_chunk.bytes)), 0) from content_chunk where content_id = id)) as is_whole
           from (select * from content where id > $1 order by id limit $2) as content
           where created_at < now() - $3 * interval '1 millisecond'
           order by id`,
    values: [after, limit, ageMs],
  })
  const unused = rows.filter((row) => row.is_unused).map((row) => row.id)
  const damaged = rows.filter((row) => !(row.is_unused || row.is_whole)).map((row) => row.id)
  if (unused.length > 0) await database.transaction((client) => deleteUnusedContent(client, unused))
  return { last: await endOfStretch(database, after, limit), freed: unused, damaged }
}

async function endOfStretch(database: Database, after: string, limit: number): Promise<string | undefined> {
  const { rows } = await database.query<{ last: string | null }>(
    'select max(id) as last from (select id from content where id > $1 order by id limit $2) as stretch',
    [after, limit],
  )
  return rows[0]?.last ?? undefined
}
