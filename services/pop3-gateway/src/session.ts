// One POP3 session (RFC 1939 section 3): AUTHORIZATION, TRANSACTION, UPDATE.
import { authorize } from './authorization.ts'
import { ConnectionClosed } from './connection.ts'
import type { Conversation } from './conversation.ts'
import type { Maildrop, Ports } from './ports.ts'
import { err, ok, type Reply } from './reply.ts'
import { removed, texts } from './texts.ts'
import { transact } from './transaction.ts'

/** How a session ended, for the log. */
export type SessionOutcome = 'quit' | 'gone' | 'not logged in' | 'failed'

export interface SessionReport {
  outcome: SessionOutcome
  account?: string
  removed?: number
}

/** Serves one client from greeting to goodbye; never throws. The caller closes the connection. */
export async function serve(conversation: Conversation, ports: Ports): Promise<SessionReport> {
  try {
    await conversation.say(ok(texts.ready))
    const authorized = await authorize(conversation, ports)
    if (authorized === undefined) return { outcome: 'not logged in' }
    conversation.connection.trust()
    const account = authorized.account.address
    const { farewell, removed } = await useMaildrop(conversation, authorized.maildrop)
    if (farewell === undefined) return { outcome: 'gone', account }
    await conversation.say(farewell)
    return { outcome: 'quit', account, removed }
  } catch (error) {
    conversation.connection.destroy()
    if (error instanceof ConnectionClosed) return { outcome: 'gone' }
    conversation.log.error({ err: error }, 'session failed')
    return { outcome: 'failed' }
  }
}

interface Use {
  /** The reply to QUIT, for when the lock is given back: a client may come again at once. */
  farewell: Reply | undefined
  removed: number
}

async function useMaildrop(conversation: Conversation, opened: Maildrop): Promise<Use> {
  await using maildrop = opened
  const cut = () => conversation.connection.destroy()
  maildrop.lost.addEventListener('abort', cut)
  try {
    if (maildrop.lost.aborted) cut()
    const end = await transact(conversation, maildrop)
    return end.kind === 'quit'
      ? await update(conversation, maildrop, end.markedUids)
      : { farewell: undefined, removed: 0 }
  } finally {
    maildrop.lost.removeEventListener('abort', cut)
  }
}

/** The UPDATE state (RFC 1939 section 6): the only place where messages are removed. */
async function update(conversation: Conversation, maildrop: Maildrop, markedUids: number[]): Promise<Use> {
  if (markedUids.length === 0) return { farewell: ok(texts.bye), removed: 0 }
  try {
    const removal = await maildrop.remove(markedUids)
    switch (removal.kind) {
      case 'removed':
        return { farewell: ok(removed(markedUids.length)), removed: markedUids.length }
      case 'lost':
        return {
          farewell: err(texts.lockLost),
          removed: 0,
        }
    }
  } catch (error) {
    conversation.log.error({ err: error }, 'messages could not be removed')
    return { farewell: err(texts.notRemoved, 'SYS/TEMP'), removed: 0 }
  }
}
