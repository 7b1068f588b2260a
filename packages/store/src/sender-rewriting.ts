// The sender rewriting scheme with the senders that are too long for an address of ours: those are kept here, and the
// address has a token that leads to them. Signed, expiring and for bounces only it is like the others.
import {
  isTooLong,
  type Reversal,
  reverseSender,
  rewriteSender,
  type SrsKey,
  senderToken,
  shortSender,
} from '@sekimori/mail/srs'
import type { Queryable } from './database.ts'

export interface SenderRewriting {
  /** The reverse-path at a domain of ours; undefined when there can't be one. */
  rewrite(mailFrom: string, domain: string): Promise<string | undefined>
  /** The address that bounces to a rewritten one are for. */
  reverse(address: string): Promise<Reversal>
}

export function openSenderRewriting(database: Queryable, key: SrsKey): SenderRewriting {
  return {
    async rewrite(mailFrom, domain) {
      const address = rewriteSender(key, mailFrom, domain)
      if (address === undefined || !isTooLong(address)) return address
      const reading = reverseSender(key, address)
      if (reading.kind !== 'reversed') throw new Error('a rewritten sender does not come back')
      const token = senderToken(key, reading.address)
      await keepSender(database, token, reading.address)
      return shortSender(key, token, domain)
    },
    async reverse(address) {
      const reading = reverseSender(key, address)
      if (reading.kind !== 'kept') return reading
      const sender = await findSender(database, reading.token)
      return sender === undefined ? { kind: 'expired' } : { kind: 'reversed', address: sender }
    },
  }
}

/** Once an hour is often enough to note that a sender is in use. */
async function keepSender(database: Queryable, token: string, address: string): Promise<void> {
  await database.query({
    name: 'keep_srs_sender',
    text: `insert into srs_sender (token, address) values ($1, $2)
           on conflict (token) do update set used_at = now() where srs_sender.used_at < now() - interval '1 hour'`,
    values: [token, address],
  })
}

async function findSender(database: Queryable, token: string): Promise<string | undefined> {
  const { rows } = await database.query<{ address: string }>({
    name: 'find_srs_sender',
    text: 'select address from srs_sender where token = $1',
    values: [token],
  })
  return rows[0]?.address
}

/** Forgets senders to whom no bounce is taken any more: addresses expire by the day. Resolves to how many. */
export async function forgetSenders(database: Queryable, maxAgeMs: number): Promise<number> {
  const { rowCount } = await database.query(
    `delete from srs_sender where used_at < now() - make_interval(secs => $1::double precision) - interval '2 days'`,
    [maxAgeMs / 1000],
  )
  return rowCount ?? 0
}
