// What clients hand in: mails to one or more recipients, some here, most elsewhere; noted when the answer was 250.

import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import type { SmtpDialer } from '@sekimori/testing/smtp-dialer'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import type { Chance } from './chance.ts'

export interface AcceptedMail {
  queueId: string
  recipients: string[]
}

const RECIPIENTS_MOST = 4
const PATIENCE_MS = 120_000

/** Sends until so many mails were accepted; what became of a mail whose answer was lost is not asked. */
export async function sendMails(
  stack: Stack,
  sender: Mailbox,
  addressees: () => string,
  count: number,
  chance: Chance,
): Promise<AcceptedMail[]> {
  const accepted: AcceptedMail[] = []
  let session: SmtpDialer | undefined
  while (accepted.length < count) {
    const recipients = [...new Set(Array.from({ length: 1 + chance.below(RECIPIENTS_MOST) }, addressees))]
    const queueId = await eventually(
      async () => {
        try {
          session ??= await stack.dialSmtps(sender)
          const mail = composeMail({ from: sender.address, to: recipients[0]! })
          return (await session.send({ mailFrom: sender.address, recipients }, mail)).queueId!
        } catch (error) {
          await session?.[Symbol.asyncDispose]()
          session = undefined
          throw error
        }
      },
      { withinMs: PATIENCE_MS },
    )
    accepted.push({ queueId, recipients })
  }
  await session?.[Symbol.asyncDispose]()
  return accepted
}
