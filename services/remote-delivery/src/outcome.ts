// What replies and failures mean for a recipient (RFC 5321 section 4.2, RFC 3463): sent, rejected for good, or deferred.
import type { RemoteReply, TlsSession } from '@sekimori/mail/remote-reply'

/** The mail did not go out. `diagnostic` is the reply, or our words for what failed, on one line. */
export interface Failure {
  kind: 'rejected' | 'deferred'
  /** Enhanced status code; its class fits the kind. */
  status: string
  diagnostic: string
  /** Name and address of the server that was spoken to. */
  remoteMta?: string
  /** Of an encrypted session. */
  tls?: TlsSession
}

/** The server took the mail; `reply` is its last reply, `tls` that of an encrypted session. */
export interface Sent {
  kind: 'sent'
  reply: string
  remoteMta: string
  tls?: TlsSession
  /** The server knows RFC 3461 and was told what the sender wants to hear. */
  isDsnPassedOn?: true
}

export type Outcome = Sent | Failure

/** The command that a reply answers. */
export type Step = 'greeting' | 'EHLO' | 'STARTTLS' | 'AUTH' | 'MAIL' | 'RCPT' | 'DATA' | 'message'

const REPLY = /^(?<code>[2-5]\d\d)(?:[ -](?:[245]\.(?<detail>\d{1,3}\.\d{1,3})(?= |$))?|$)/
const MOST_CHARACTERS = 500

export function rejected(status: string, diagnostic: string): Failure {
  return { kind: 'rejected', status, diagnostic: oneLine(diagnostic) }
}

export function deferred(status: string, diagnostic: string): Failure {
  return { kind: 'deferred', status, diagnostic: oneLine(diagnostic) }
}

/** What a reply means that did not let the dialogue go on. */
export function replyFailure(reply: string, step: Step): Failure {
  const text = oneLine(reply)
  const { code = '', detail } = REPLY.exec(text)?.groups ?? {}
  const isPermanent = code.startsWith('5') && !isTemporaryAllTheSame(code, detail, step)
  const statusClass = isPermanent ? 5 : 4
  const status = `${statusClass}.${detail ?? '0.0'}`
  return { kind: isPermanent ? 'rejected' : 'deferred', status, diagnostic: text }
}

/** Codes of class 5 that say nothing about the mail itself. */
function isTemporaryAllTheSame(code: string, detail: string | undefined, step: Step): boolean {
  // Our login at the smarthost is our operator's to mend, not the sender's.
  if (step === 'AUTH') return true
  // 503, bad sequence of commands: the session went wrong, a new one may not.
  if (code === '503') return true
  // RFC 5321 section 4.5.3.1.10: 552 for "too many recipients" is to be taken as 452.
  return code === '552' && step === 'RCPT' && (detail === undefined || detail === '5.3')
}

/** A failure as the trace and the schedule keep it. */
export function describeFailure({ status, diagnostic, remoteMta }: Failure): string {
  return `${status} ${remoteMta === undefined ? '' : `${remoteMta}: `}${diagnostic}`
}

/** A delivery as the trace keeps it. */
export function describeSent({ reply, remoteMta, tls }: Sent): string {
  return `${remoteMta}: ${oneLine(reply)} (${tls === undefined ? 'not encrypted' : describeTls(tls)})`
}

function describeTls({ version, cipher, peer, verification }: TlsSession): string {
  return `${version} ${cipher}, ${peer} ${verification}`
}

/** The same in fields of their own. */
export function remoteReply(outcome: Outcome): RemoteReply {
  const { remoteMta, tls } = outcome
  return {
    reply: outcome.kind === 'sent' ? oneLine(outcome.reply) : outcome.diagnostic,
    ...(remoteMta === undefined ? {} : { server: remoteMta }),
    ...(tls === undefined ? {} : { tls }),
  }
}

/** The failure that counts when several servers of one destination failed: as long as one of them may work later, wait. */
export function decisiveFailure(failures: readonly [Failure, ...Failure[]]): Failure {
  return failures.find(({ kind }) => kind === 'deferred') ?? failures[0]
}

/** A reply of several lines on one, without control characters, cut to a length that fits a DSN and a log. */
export function oneLine(text: string): string {
  const [first = '', ...others] = text.split(/\r?\n/)
  const code = /^\d{3}(?=[ -])/.exec(first)?.[0]
  const rest = others.map((line) => (code !== undefined && line.startsWith(code) ? line.slice(code.length + 1) : line))
  const joined = [code === undefined ? first : `${code} ${first.slice(4)}`, ...rest].join(' ')
  return joined
    .replace(/[\p{Cc}\p{Cs}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
    .slice(0, MOST_CHARACTERS)
}
