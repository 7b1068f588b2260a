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
  onAccepted: (messageId: string) => void
}

/** How long the system may refuse in a row. */
const PATIENCE_MS = 60_000

/** Sends; resolves when enough mails were answered with 250. @throws Error when the system refuses for too long */
export async function sendSteadily({ from, to, count, dial, onAccepted }: SteadySenderOptions): Promise<void> {
  let session: SmtpDialer | undefined
  for (let accepted = 0; accepted < count; accepted++) {
    const messageId = await eventually(
      async () => {
        const mail = composeMail({ from, to, subject: 'one of many' })
        try {
          session ??= await dial()
          await session.send({ mailFrom: from, recipients: [to] }, mail)
          return fieldOf(mail, 'Message-ID')
        } catch (error) {
          await session?.[Symbol.asyncDispose]()
          session = undefined
          throw error
        }
      },
      { withinMs: PATIENCE_MS },
    )
    onAccepted(messageId)
  }
  await session?.[Symbol.asyncDispose]()
}
