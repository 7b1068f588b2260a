// Where quarantined content lies: sealed chunks beside the record. Only the master key's holder opens it.
import type { QueryConfig } from 'pg'
import type { Queryable } from './database.ts'
import { newSalt, recordKey, sealChunks, unsealChunk } from './quarantine-seal.ts'

export type QuarantineKind = 'infected' | 'held' | 'refused'

/** The key of a record. */
export interface RecordId {
  queueId: string
  direction: string
  kind: QuarantineKind
}

export const recordValues = ({ queueId, direction, kind }: RecordId): [string, string, string] => [
  queueId,
  direction,
  kind,
]

const contextOf = (id: RecordId) => recordValues(id).join('/')

/** Seals the content of a record chunk by chunk, inside the caller's transaction. */
export async function writeSealed(
  client: Queryable,
  masterKey: Buffer,
  id: RecordId,
  input: AsyncIterable<Buffer>,
): Promise<void> {
  const salt = newSalt()
  let chunks = 0
  for await (const bytes of sealChunks(recordKey(masterKey, salt, contextOf(id)), input)) {
    await client.query({
      name: 'insert_quarantine_chunk',
      text: 'insert into quarantine_chunk (queue_id, direction, kind, seq, bytes) values ($1, $2, $3, $4, $5)',
      values: [...recordValues(id), chunks++, bytes],
    })
  }
  await client.query(
    'update quarantine set salt = $4, chunks = $5 where queue_id = $1 and direction = $2 and kind = $3',
    [...recordValues(id), salt, chunks],
  )
}

/** Opens the content of a record chunk by chunk. @throws Error when it is gone, or the key is another one */
export async function* readSealed(client: Queryable, masterKey: Buffer, id: RecordId): AsyncIterable<Buffer> {
  const { rows } = await client.query<{ salt: Buffer | null; chunks: number | null }>(
    'select salt, chunks from quarantine where queue_id = $1 and direction = $2 and kind = $3',
    recordValues(id),
  )
  const { salt = null, chunks = null } = rows[0] ?? {}
  if (salt === null || chunks === null) throw new Error(`the quarantined content of ${contextOf(id)} is gone`)
  const key = recordKey(masterKey, salt, contextOf(id))
  for (let seq = 0; seq < chunks; seq++)
    yield unsealChunk(key, await readChunk(client, id, seq), seq, seq === chunks - 1)
}

async function readChunk(client: Queryable, id: RecordId, seq: number): Promise<Buffer> {
  const { rows } = await client.query<{ bytes: Buffer }>({
    name: 'read_quarantine_chunk',
    text: 'select bytes from quarantine_chunk where queue_id = $1 and direction = $2 and kind = $3 and seq = $4',
    values: [...recordValues(id), seq],
    binary: true,
    types: { getTypeParser: () => (value: unknown) => value },
  } as QueryConfig)
  if (rows[0] === undefined) throw new Error(`chunk ${seq} of ${contextOf(id)} is gone`)
  return rows[0].bytes
}
