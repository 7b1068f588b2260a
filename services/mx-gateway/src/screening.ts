// The checks of a client on 25 that operators may switch on: EHLO name, DNS lists, greylisting; what they found stands in a
// header of the mail and in its trace.
import { networkOf } from '@sekimori/login/network'
import { SmtpReply } from '@sekimori/smtp/reply'
import { clientAddressOf } from '@sekimori/smtp/session-facts'
import type { SMTPServerSession } from 'smtp-server'
import { checkClient, type Finding, type LookupAddresses } from './client-checks.ts'
import type { Config } from './config.ts'

export interface ScreeningPorts {
  lookupAddresses: LookupAddresses
  /** Seconds since this network first wanted to write from the sender to the recipient. */
  greylistAge(network: string, sender: string, recipient: string): Promise<number>
}

const FIELD = 'X-Client-Checks'

/** What is known of each session's client, under the name that it gave last. */
const findings = new WeakMap<SMTPServerSession, { ehloName: string; found: Promise<Finding[]> }>()
/** How long each session's client was made to wait. */
const waits = new WeakMap<SMTPServerSession, number>()

/** MAIL: looks at the client, once for each name that it gives. @throws SmtpReply when a check that refuses fails */
export async function screenClient(session: SMTPServerSession, config: Config, ports: ScreeningPorts): Promise<void> {
  const refused = (await findingsOf(session, config, ports)).find(({ refusal }) => refusal !== undefined)
  if (refused?.refusal !== undefined) throw refused.refusal
}

/** RCPT: lets a network that is new to this sender and recipient come again later. @throws SmtpReply 451 4.7.1 */
export async function screenRecipient(
  session: SMTPServerSession,
  { mailFrom, recipient }: { mailFrom: string; recipient: string },
  { GREYLISTING_SECONDS: delay }: Pick<Config, 'GREYLISTING_SECONDS'>,
  ports: ScreeningPorts,
): Promise<void> {
  if (!(delay > 0)) return
  const age = await ports.greylistAge(networkOf(clientAddressOf(session)), mailFrom, recipient)
  if (age < delay)
    throw new SmtpReply(451, '4.7.1', `Greylisted, please try again in ${delay - age} seconds (RFC 6647)`)
  waits.set(session, age)
}

/** The header line about the client, and the same as text for the trace; undefined when nothing is switched on. */
export async function screeningLine(
  session: SMTPServerSession,
  config: Config,
  ports: ScreeningPorts,
): Promise<{ line: string; text: string } | undefined> {
  const texts = (await findingsOf(session, config, ports)).map(({ text }) => text)
  const wait = waits.get(session)
  if (wait !== undefined) texts.push(`greylist=pass (${wait} s)`)
  if (texts.length === 0) return undefined
  const text = texts.join('; ')
  return { line: `${FIELD}: ${text}; host=${config.MAIL_HOSTNAME}`, text }
}

function findingsOf(
  session: SMTPServerSession,
  config: Config,
  { lookupAddresses }: ScreeningPorts,
): Promise<Finding[]> {
  const ehloName = session.hostNameAppearsAs || ''
  const known = findings.get(session)
  if (known?.ehloName === ehloName) return known.found
  const facts = { ehloName, clientAddress: clientAddressOf(session) }
  const found = checkClient(facts, config, lookupAddresses)
  findings.set(session, { ehloName, found })
  return found
}
