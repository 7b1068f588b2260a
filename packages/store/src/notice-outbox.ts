// Notices that are decided in a transaction here and published by the notifier afterwards: a kill in between loses none.
import type { Notice, NoticeHeader } from '@sekimori/mail/notice'
import type { Queryable } from './database.ts'
import { toJsonb } from './jsonb.ts'

/** Notices about the same mail; `head` is its header section. */
export async function addNotices(client: Queryable, notices: NoticeHeader[], head: Buffer): Promise<void> {
  await client.query({
    name: 'add_notices',
    text: 'insert into notice_outbox (notice, head) select notice, $2 from unnest($1::jsonb[]) as notice',
    values: [notices.map(toJsonb), head],
  })
}

export interface WaitingNotice {
  id: string
  notice: Notice
}

/** The oldest notices that are not known to be published. */
export async function waitingNotices(database: Queryable, limit: number): Promise<WaitingNotice[]> {
  const { rows } = await database.query<{ id: string; notice: NoticeHeader; head: Buffer }>({
    name: 'waiting_notices',
    text: 'select id, notice, head from notice_outbox order by id limit $1',
    values: [limit],
  })
  return rows.map(({ id, notice, head }) => ({ id, notice: { ...notice, content: { kind: 'inline', bytes: head } } }))
}

/** The broker has it. */
export async function removeNotice(database: Queryable, id: string): Promise<void> {
  await database.query('delete from notice_outbox where id = $1', [id])
}
