// What became of the accepted mails, as the database has it: their ends, and the copies in maildrops.
import type { Stack } from '@sekimori/testing/stack'
import pg from 'pg'

export interface End {
  queueId: string
  recipient: string
  outcome: string
}

/** Answers about the mails of these queue ids. */
export interface EndsReader extends AsyncDisposable {
  count(): Promise<number>
  ends(): Promise<End[]>
  /** The copies in maildrops, one item each. */
  copies(): Promise<Omit<End, 'outcome'>[]>
}

export async function openEnds(stack: Stack, queueIds: string[]): Promise<EndsReader> {
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  return {
    async count() {
      const { rows } = await client.query<{ count: string }>(
        'select count(*) from message_trace where queue_id = any($1)',
        [queueIds],
      )
      return Number(rows[0]!.count)
    },
    async ends() {
      const { rows } = await client.query<End>(
        'select queue_id as "queueId", recipient, outcome from message_trace where queue_id = any($1)',
        [queueIds],
      )
      return rows
    },
    async copies() {
      const { rows } = await client.query<Omit<End, 'outcome'>>(
        `select queue_id as "queueId", address as recipient from maildrop_message join account on account.id = account_id
         where queue_id = any($1)`,
        [queueIds],
      )
      return rows
    },
    [Symbol.asyncDispose]: () => client.end(),
  }
}
