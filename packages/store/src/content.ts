// The content store, Postgres engine: a mail's bytes by id, in chunks, kept as long as somebody holds them.

import type { OpenContent } from '@sekimori/mail/content'
import { headerEnd } from '@sekimori/mail/header'
import type { QueryConfig } from 'pg'
import type { Database, Queryable } from './database.ts'

const CHUNK_BYTES = 524_288

/**
 * Stores content chunk by chunk as it arrives, so that memory stays flat, and gives `holder` a hold on it. Resolves
 * to its size when it is committed; when the input fails, nothing is left. Until `confirmContent` the hold is pending:
 * if the process ends before, a sweep lets it go one day.
 */
export async function storeContent(
  database: Database,
  id: string,
  holder: string,
  input: AsyncIterable<Buffer>,
): Promise<number> {
  await insertContent(database, id, holder, 'now()')
  try {
    return await writeChunks(database, id, input)
  } catch (error) {
    await releaseContent(database, id, holder)
    throw error
  }
}

/** The same inside a transaction, which undoes it when the input fails. */
export async function writeContent(
  client: Queryable,
  id: string,
  holder: string,
  input: AsyncIterable<Buffer>,
): Promise<number> {
  await insertContent(client, id, holder, 'null')
  return writeChunks(client, id, input)
}

async function writeChunks(database: Queryable, id: string, input: AsyncIterable<Buffer>): Promise<number> {
  let sizeBytes = 0
  let seq = 0
  for await (const chunk of inChunks(input)) {
    await insertChunk(database, id, seq++, chunk)
    sizeBytes += chunk.length
  }
  await finishContent(database, id, sizeBytes)
  return sizeBytes
}

async function* inChunks(input: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let parts: Buffer[] = []
  let size = 0
  for await (const part of input) {
    parts.push(part)
    size += part.length
    if (size < CHUNK_BYTES) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  if (size > 0) yield Buffer.concat(parts)
}

async function insertContent(
  database: Queryable,
  id: string,
  holder: string,
  pendingSince: 'now()' | 'null',
): Promise<void> {
  await database.query(
    `with stored as (insert into content (id, size_bytes) values ($1, -1))
     insert into content_use (content_id, holder, pending_since) values ($1, $2, ${pendingSince})`,
    [id, holder],
  )
}

/** The mail is accepted: from now on only its end lets the hold go, which a quick end may have done already. */
export async function confirmContent(database: Queryable, id: string, holder: string): Promise<void> {
  await database.query({
    name: 'confirm_content',
    text: 'update content_use set pending_since = null where content_id = $1 and holder = $2',
    values: [id, holder],
  })
}

async function insertChunk(database: Queryable, id: string, seq: number, bytes: Buffer): Promise<void> {
  await database.query({
    name: 'insert_chunk',
    text: 'insert into content_chunk (content_id, seq, bytes) values ($1, $2, $3)',
    values: [id, seq, bytes],
  })
}

async function finishContent(database: Queryable, id: string, sizeBytes: number): Promise<void> {
  await database.query('update content set size_bytes = $2 where id = $1', [id, sizeBytes])
}

/** The content is not there: every holder let it go, so the mail has reached its end already. */
export class ContentGone extends Error {
  override name = 'ContentGone'
}

/** Reads content chunk by chunk. @throws ContentGone, or Error when it is not whole */
export async function* readContent(database: Queryable, id: string): AsyncIterable<Buffer> {
  const small = await readBytes(database, id, SMALL)
  if (small !== null) return yield small
  const { rows } = await database.query<{ chunks: number; size_bytes: string }>({
    name: 'count_chunks',
    text: `select size_bytes, (select count(*)::int from content_chunk where content_id = content.id) as chunks
           from content where id = $1`,
    values: [id],
  })
  const row = rows[0]
  if (row === undefined) throw new ContentGone(`content ${id} is gone`)
  let sizeBytes = 0
  for (let seq = 0; seq < row.chunks; seq++) {
    const chunk = (await readBytes(database, id, CHUNK, seq))!
    sizeBytes += chunk.length
    yield chunk
  }
  // Whoever takes half a mail for the whole one loses it.
  if (sizeBytes !== Number(row.size_bytes))
    throw new Error(`content ${id} has ${sizeBytes} octets instead of ${row.size_bytes}`)
}

/** One `bytes` a row, in binary form: the text form doubles the octets on the wire and costs several times the CPU. */
interface BytesQuery {
  name: string
  text: string
}

const SMALL: BytesQuery = { name: 'read_small', text: 'select bytes from content where id = $1 and size_bytes >= 0' }
const CHUNK: BytesQuery = {
  name: 'read_chunk',
  text: 'select bytes from content_chunk where content_id = $1 and seq = $2',
}
const asBuffer = { getTypeParser: () => (value: unknown) => value }

async function readBytes(
  database: Queryable,
  id: string,
  query: BytesQuery,
  ...values: number[]
): Promise<Buffer | null> {
  const binary = { ...query, values: [id, ...values], binary: true, types: asBuffer } as QueryConfig
  const { rows } = await database.query<{ bytes: Buffer | null }>(binary)
  if (rows[0] === undefined) throw new ContentGone(`content ${id} is gone`)
  return rows[0].bytes
}

/** The one function that opens a mail's content, wherever it lies. */
export function contentOpener(database: Queryable): OpenContent {
  return (content) => (content.kind === 'inline' ? single(content.bytes) : readContent(database, content.id))
}

async function* single(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}

/** Reads a content's header section: up to the empty line, or its first `mostBytes`. */
export async function readHead(chunks: AsyncIterable<Buffer>, mostBytes = 262_144): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = headerEnd(head)
    if (end >= 0) return head.subarray(0, Math.min(end, mostBytes))
    if (head.length >= mostBytes) break
  }
  return head.subarray(0, mostBytes)
}

/** Lets a hold go; the content is deleted when nobody else needs it. */
export async function releaseContent(database: Database, id: string, holder: string): Promise<void> {
  await database.transaction((client) => dropHold(client, id, holder))
}

/** The same inside a transaction. */
export async function dropHold(client: Queryable, id: string, holder: string): Promise<void> {
  await client.query('delete from content_use where content_id = $1 and holder = $2', [id, holder])
  await deleteUnusedContent(client, [id])
}

/** Exchanges one hold for others in one step. Resolves to false when the content is gone already. */
export async function passContent(database: Database, id: string, from: string, to: string[]): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rowCount } = await client.query('select 1 from content where id = $1 for key share', [id])
    if (rowCount === 0) return false
    await client.query(
      'insert into content_use (content_id, holder) select $1, unnest($2::text[]) on conflict do nothing',
      [id, to],
    )
    await client.query(
      'delete from content_use where content_id = $1 and holder = $2 and not holder = any($3::text[])',
      [id, from, to],
    )
    return true
  })
}

/**
 * Deletes those of the contents that no maildrop, deferred mail or holder refers to. To be called inside the
 * transaction that removed a reference. The rows are locked first: of two transactions that remove the last two
 * references at the same time, the second one must see that it is the last.
 */
export async function deleteUnusedContent(client: Queryable, ids: string[]): Promise<void> {
  await client.query({
    name: 'lock_content',
    text: 'select 1 from content where id = any($1::text[]) order by id for update',
    values: [ids],
  })
  await client.query(`delete from content where id = any($1::text[]) and ${UNUSED}`, [ids])
}

/** Whether nobody refers to a row of `content`. */
export const UNUSED = `not exists (select from content_use where content_id = content.id)
  and not exists (select from maildrop_message where content_id = content.id)
  and not exists (select from deferred_mail where content_id = content.id)`
