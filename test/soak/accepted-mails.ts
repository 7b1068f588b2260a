// What clients and other servers hand in: mails to one or more recipients; noted when the answer was 250.

import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import type { SmtpDialer } from '@sekimori/testing/smtp-dialer'
import type { Chance } from './chance.ts'

export interface AcceptedMail {
  queueId: string
  recipients: string[]
}

/** Who hands mail in, how, and to whom. */
export interface Sender {
  mailFrom: string
  dial(): Promise<SmtpDialer>
  addressee(): string
}

const RECIPIENTS_MOST = 4
const PATIENCE_MS = 120_000

/**
 * Sends until so many mails were accepted, or the time is over; what became of a mail whose answer was lost is not asked.
 * Who is refused for minutes gives up: the report then shows fewer mails than asked for.
 */
export async function sendMails(
  { mailFrom, dial, addressee }: Sender,
  count: number,
  chance: Chance,
  until: AbortSignal,
): Promise<AcceptedMail[]> {
  const accepted: AcceptedMail[] = []
  let session: SmtpDialer | undefined
  while (accepted.length < count && !until.aborted) {
    const recipients = [...new Set(Array.from({ length: 1 + chance.below(RECIPIENTS_MOST) }, addressee))]
    const attempt = async () => {
      try {
        session ??= await dial()
        const mail = composeMail({ from: mailFrom, to: recipients[0]! })
        return (await session.send({ mailFrom, recipients }, mail)).queueId!
      } catch (error) {
        await session?.[Symbol.asyncDispose]()
        session = undefined
        if (until.aborted) return 'late'
        throw error
      }
    }
    try {
      accepted.push({ queueId: await eventually(attempt, { withinMs: PATIENCE_MS }), recipients })
    } catch (error) {
      process.stderr.write(`${mailFrom} gives up: ${String((error as Error).cause ?? error)}\n`)
      break
    }
  }
  await session?.[Symbol.asyncDispose]()
  return accepted.filter(({ queueId }) => queueId !== 'late')
}
