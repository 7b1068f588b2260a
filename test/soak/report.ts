// The account of a soak: what was accepted against what became of it.
import { fieldsOf } from '@sekimori/testing/mail-text'
import type { RemoteServer } from '@sekimori/testing/remote-server'
import type { AcceptedMail } from './accepted-mails.ts'
import type { End } from './soak.ts'

export interface Report {
  mails: number
  /** Recipients of accepted mails. */
  recipients: number
  /** Their ends by outcome. */
  ends: Record<string, number>
  /** Sum of the ends. */
  sum: number
  /** Recipients without an end, and with more than one. */
  missing: string[]
  double: string[]
  /** Ends that say `sent` without any server having the mail. */
  lost: string[]
  /** Second copies at the remote servers: the window that SMTP leaves open. */
  copies: number
  kills: Record<string, number>
}

export function account(
  accepted: AcceptedMail[],
  ends: End[],
  servers: RemoteServer[],
  kills: Record<string, number>,
): Report {
  const wanted = accepted.flatMap(({ queueId, recipients }) => recipients.map((address) => `${queueId} ${address}`))
  const found = Map.groupBy(ends, ({ queueId, recipient }) => `${queueId} ${recipient}`)
  const received = receivedBy(servers)
  const sent = ends
    .filter(({ outcome }) => outcome === 'sent')
    .map(({ queueId, recipient }) => `${queueId} ${recipient}`)
  const outcomes = Object.entries(Object.groupBy(ends, ({ outcome }) => outcome))
  return {
    mails: accepted.length,
    recipients: wanted.length,
    ends: Object.fromEntries(outcomes.map(([outcome, list]) => [outcome, list!.length])),
    sum: ends.length,
    missing: wanted.filter((key) => !found.has(key)),
    double: [...found].filter(([, list]) => list.length > 1).map(([key]) => key),
    lost: sent.filter((key) => !received.has(key)),
    copies: [...received].reduce((sum, [key, count]) => sum + (found.has(key) ? count - 1 : 0), 0),
    kills,
  }
}

/** Copies by queue id (of our Received field) and recipient. */
function receivedBy(servers: RemoteServer[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { data, recipients } of servers.flatMap(({ mails }) => mails)) {
    const queueId = /\bid (\S+?);?\s/.exec(fieldsOf(data, 'Received').join('\n').concat('\n'))?.[1]
    for (const recipient of recipients) {
      const key = `${queueId} ${recipient}`
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
  return counts
}

/** The report as text. */
export function render(report: Report): string {
  const { mails, recipients, ends, sum, missing, double, lost, copies, kills } = report
  const counts = Object.entries(ends).map(([outcome, count]) => `  ${outcome}: ${count}`)
  const killed = Object.entries(kills).map(([service, count]) => `${service} ${count}`)
  return [
    `mails accepted: ${mails}`,
    `recipients accepted: ${recipients}`,
    `sum of ends: ${sum}${sum === recipients ? ' (equal)' : ' (NOT EQUAL)'}`,
    ...counts,
    `without an end: ${missing.length}; with more than one: ${double.length}; "sent" but received by nobody: ${lost.length}`,
    `second copies at remote servers (250 not read or not written): ${copies}`,
    `kills: ${killed.join(', ')}`,
    ...[...missing, ...double, ...lost].slice(0, 20).map((key) => `  ! ${key}`),
  ].join('\n')
}
