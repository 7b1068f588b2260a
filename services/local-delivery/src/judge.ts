// Tells each maildrop's owner in plain words what to think of a mail's sender: header lines of the copy, and the trace.
import { type ComparedDomain, compared, resemblance } from '@sekimori/authentication/lookalike'
import { formatVerdict, type SenderVerdict, verdictOf } from '@sekimori/authentication/sender-verdict'
import { verdictText } from '@sekimori/authentication/verdict-text'
import { type Job, withHeader, withHistory } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Acquaintance, Contact } from '@sekimori/store/correspondent'
import type { Member } from '@sekimori/store/directory'
import libmime from 'libmime'

/** The stage under which the trace has the verdict. */
export const VERDICT_STAGE = 'sender-verdict'
const MOST_NAMED = 3
const ENCODED_WORD_LENGTH = 72

export interface JudgePorts {
  /** What the account knows; undefined when it is gone. */
  acquaintance(accountId: number): Promise<Acquaintance | undefined>
  /** Notes that the account had mail from a domain; does not wait. */
  note(contact: Omit<Contact, 'at'>): void
  reportFault(job: Job, error: unknown): void
}

/** The job as it is delivered to this member: with the verdict in its header and history. A fault leaves it as it is. */
export async function judged(job: Job, { accountId }: Member, ports: JudgePorts): Promise<Job> {
  if (job.authentication === undefined) return job
  try {
    const acquaintance = await ports.acquaintance(accountId)
    if (acquaintance === undefined) return job
    const verdict = judge(verdictOf(job.authentication, job.session), acquaintance)
    const isConfirmed = verdict.kind === 'confirmed' || verdict.kind === 'partly'
    if (isConfirmed && verdict.from !== undefined)
      ports.note({ account: accountId, domain: compared(verdict.from).registrable, isWrittenTo: false })
    return withVerdict(job, verdict, acquaintance.locale)
  } catch (error) {
    if (error instanceof DependencyAway) throw error
    ports.reportFault(job, error)
    return job
  }
}

/** Adds the domains that the sender's looks like: those that the account knew before it. */
export function judge(verdict: SenderVerdict, acquaintance: Acquaintance): SenderVerdict {
  const { from, kind } = verdict
  if (from === undefined || kind === 'own' || kind === 'system') return verdict
  const sender = compared(from)
  const known = acquaintance.known.map((one) => ({ ...one, compared: comparedOnce(one.domain) }))
  const itself = known.find((one) => one.compared.registrable === sender.registrable)
  // Whom somebody writes to, he knows.
  if (itself?.isWrittenTo) return verdict
  const before = itself === undefined ? known : known.filter((one) => one.firstSeenAt < itself.firstSeenAt)
  const candidates = [comparedOnce(acquaintance.domain), ...before.map((one) => one.compared)]
  if (candidates[0]!.registrable === sender.registrable) return verdict
  const resembles = candidates.filter((one) => resemblance(sender, one) !== undefined).map((one) => one.registrable)
  return { ...verdict, resembles: [...new Set(resembles)].slice(0, MOST_NAMED) }
}

const MOST_COMPARED = 20_000
const comparedDomains = new Map<string, ComparedDomain>()

/** Taking a domain apart costs more than comparing it, and the same ones come again and again. */
function comparedOnce(domain: string): ComparedDomain {
  const kept = comparedDomains.get(domain)
  if (kept !== undefined) return kept
  if (comparedDomains.size >= MOST_COMPARED) comparedDomains.clear()
  const fresh = compared(domain)
  comparedDomains.set(domain, fresh)
  return fresh
}

function withVerdict(job: Job, verdict: SenderVerdict, locale: 'ja' | 'en'): Job {
  const value = formatVerdict(verdict)
  const lines = [
    `X-Sekimori-Sender-Verdict: ${value.replaceAll('; ', ';\r\n ')}`,
    `X-Sekimori-Sender-Note: ${noteField(verdictText(verdict)[locale])}`,
  ]
  return withHistory(withHeader(job, lines), VERDICT_STAGE, value)
}

/** The text as encoded words (RFC 2047), one a line; text in ASCII only is folded at its blanks. */
function noteField(text: string): string {
  const isPlain = /^[\x20-\x7e]*$/.test(text)
  const words = isPlain
    ? text.match(/\S.{0,70}(?=\s|$)/g)!
    : libmime.encodeWord(text, 'B', ENCODED_WORD_LENGTH).split(' ')
  return words.join('\r\n ')
}
