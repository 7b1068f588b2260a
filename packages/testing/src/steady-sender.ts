// A client that does not give up: it sends one mail after the other until so many were accepted, and after any
// refusal or broken session comes back with a new mail, as it can not know what became of the last one.

import { eventually } from './eventually.ts'
import { composeMail, fieldOf } from './mail-text.ts'
import type { SmtpDialer } from './smtp-dialer.ts'

export interface SteadySenderOptions {
  from: string
  to: string
  /** How many mails must be accepted. */
  count: number
  /** Opens a session that is ready for MAIL. */
  dial: () => Promise<SmtpDialer>
  /** Makes each mail; default a plain one. */
  compose?: (ends: { from: string; to: string }) => Buffer
  onAccepted: (mail: { messageId: string; queueId: string }) => void
}

/** How long the system may refuse in a row. */
const PATIENCE_MS = 60_000

/** Sends; resolves when enough mails were answered with 250. @throws Error when the system refuses for too long */
export async function sendSteadily(options: SteadySenderOptions): Promise<void> {
  const { from, to, count, dial, compose = composeMail, onAccepted } = options
  let session: SmtpDialer | undefined
  for (let accepted = 0; accepted < count; accepted++) {
    const mail = await eventually(
      async () => {
        const mail = compose({ from, to })
        try {
          session ??= await dial()
          const { queueId } = await session.send({ mailFrom: from, recipients: [to] }, mail)
          return { messageId: fieldOf(mail, 'Message-ID'), queueId: queueId! }
        } catch (error) {
          await session?.[Symbol.asyncDispose]()
          session = undefined
          throw error
        }
      },
      { withinMs: PATIENCE_MS },
    )
    onAccepted(mail)
  }
  await session?.[Symbol.asyncDispose]()
}
