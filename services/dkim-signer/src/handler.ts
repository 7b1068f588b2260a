// Signs what our accounts (and we ourselves) send, seals what is handed on to somebody outside, then parts the recipients: local ones get the mail as inbound, others by SMTP.
import { domainOf } from '@sekimori/mail/address'
import { type Content, contentHolder } from '@sekimori/mail/content'
import { headerValue, parseHeader } from '@sekimori/mail/header'
import { type Direction, type Job, type Recipient, withHeader, withHistory } from '@sekimori/mail/job'
import { deliverRemote, type Publication, publication, scan } from '@sekimori/queue/queues'
import { ContentGone } from '@sekimori/store/content'
import type { Directory } from '@sekimori/store/directory'
import type { SigningKey } from '@sekimori/store/dkim-key'

export interface Ports {
  keys(domain: string): Promise<SigningKey[]>
  sign(content: Content, domain: string, keys: SigningKey[]): Promise<string[]>
  /** The ARC set for a mail that is handed on; no lines when it can't have one. */
  seal(job: Job, domain: string, keys: SigningKey[]): Promise<string[]>
  lookup: Directory['lookup']
  /** The header section of the mail. */
  head(content: Content): Promise<Buffer>
  /** Hands the hold on stored content over; false when the content is gone. */
  passContent(id: string, from: string, to: string[]): Promise<boolean>
}

export async function handleSign(job: Job, ports: Ports): Promise<Publication[]> {
  const signed =
    job.forwarded === undefined ? await signedJob(job, ports) : await sealedJob(job, job.forwarded.by, ports)
  const legs = (await partRecipients(job.envelope.recipients, ports)).filter((leg) => leg.recipients.length > 0)
  await passOn(job, legs, ports)
  return legs.map(({ direction, recipients }) => {
    const reached = direction === 'inbound' ? alsoReached(legs) : []
    const part: Job = {
      ...signed,
      direction,
      envelope: { ...signed.envelope, recipients },
      ...(reached.length === 0 ? {} : { reached }),
    }
    return publication(direction === 'inbound' ? scan : deliverRemote, part)
  })
}

async function signedJob(job: Job, ports: Ports): Promise<Job> {
  const domain = await signingDomain(job, ports)
  const keys = await ports.keys(domain)
  if (keys.length === 0) throw new Error(`domain ${domain} has no active DKIM key`)
  const lines = await ports.sign(job.content, domain, keys)
  return withHistory(withHeader(job, lines), 'sign', `signed for ${domain}`)
}

/** The mail is somebody else's: we vouch for what we found out about it, and go on without where we can't. */
async function sealedJob(job: Job, by: string, ports: Ports): Promise<Job> {
  const domain = domainOf(by)
  const lines = await ports.seal(job, domain, await ports.keys(domain))
  return withHistory(withHeader(job, lines), 'seal', lines.length === 0 ? 'not sealed' : `sealed for ${domain}`)
}

/** The domain of the account that sent the mail; our own notices are signed for the domain of their From field. */
async function signingDomain(job: Job, ports: Ports): Promise<string> {
  if (job.session.account !== undefined) return domainOf(job.session.account)
  const from = headerValue(parseHeader(await ports.head(job.content)), 'from') ?? ''
  return domainOf(from.replace(/^.*<|>.*$/g, ''))
}

interface Leg {
  direction: Direction
  /** Whether an alias, a list or an account here may bring the mail to others. */
  handsOn: boolean
  recipients: Recipient[]
}

async function partRecipients(recipients: Recipient[], ports: Ports): Promise<Leg[]> {
  const inbound: Recipient[] = []
  const outbound: Recipient[] = []
  let handsOn = false
  for (const recipient of recipients) {
    const found = await ports.lookup(recipient.address)
    handsOn ||=
      found.kind === 'alias' || found.kind === 'list' || (found.kind === 'account' && found.forwardTo !== undefined)
    if (found.kind === 'foreign') outbound.push(recipient)
    else inbound.push(recipient)
  }
  return [
    { direction: 'inbound', recipients: inbound, handsOn },
    { direction: 'outbound', recipients: outbound, handsOn },
  ]
}

/** Who gets the mail outside anyway, for the leg that may lead there a second time. */
function alsoReached(legs: Leg[]): string[] {
  return legs
    .filter(({ direction, handsOn }) => direction === 'outbound' && handsOn)
    .flatMap(({ recipients }) => recipients.map(({ address }) => address))
}

/** @throws ContentGone: then every recipient must have ended before */
async function passOn(job: Job, legs: Leg[], ports: Ports): Promise<void> {
  if (job.content.kind === 'inline') return
  const holders = legs.map((leg) => contentHolder(job.queueId, leg.direction))
  const isThere = await ports.passContent(job.content.id, contentHolder(job.queueId, job.direction), holders)
  if (!isThere) throw new ContentGone(`content ${job.content.id} is gone`)
}
