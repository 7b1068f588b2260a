// The account of a soak: what was accepted against what became of it.
import { fieldsOf } from '@sekimori/testing/mail-text'
import type { RemoteServer } from '@sekimori/testing/remote-server'
import type { AcceptedMail } from './accepted-mails.ts'
import type { End } from './ends.ts'

export interface Report {
  /** Mails that were to be sent, and those that were accepted. */
  asked: number
  mails: number
  /** Recipients of accepted mails. */
  recipients: number
  /** Their ends by outcome. */
  ends: Record<string, number>
  /** Sum of the ends. */
  sum: number
  /** Recipients without an end, and with more than one end or copy. */
  missing: string[]
  double: string[]
  /** Ends that say `sent` or `delivered` without any server, or maildrop, having the mail. */
  lost: string[]
  /** Second copies at the remote servers: the window that SMTP leaves open. */
  copies: number
  kills: Record<string, number>
}

export interface Found {
  ends: End[]
  /** What lies in maildrops. */
  delivered: Omit<End, 'outcome'>[]
  servers: RemoteServer[]
}

const keyOf = ({ queueId, recipient }: Omit<End, 'outcome'>) => `${queueId} ${recipient}`

export function account(
  asked: number,
  accepted: AcceptedMail[],
  { ends, delivered, servers }: Found,
  kills: Record<string, number>,
): Report {
  const wanted = accepted.flatMap(({ queueId, recipients }) => recipients.map((address) => `${queueId} ${address}`))
  const found = Map.groupBy(ends, keyOf)
  const received = receivedBy(servers)
  const kept = Map.groupBy(delivered, keyOf)
  const keysOf = (word: string) => ends.filter(({ outcome }) => outcome === word).map(keyOf)
  const outcomes = Object.entries(Object.groupBy(ends, ({ outcome }) => outcome))
  const more = (groups: Map<string, unknown[]>) => [...groups].filter(([, list]) => list.length > 1).map(([key]) => key)
  return {
    asked,
    mails: accepted.length,
    recipients: wanted.length,
    ends: Object.fromEntries(outcomes.map(([outcome, list]) => [outcome, list!.length])),
    sum: ends.length,
    missing: wanted.filter((key) => !found.has(key)),
    double: [...more(found), ...more(kept)],
    lost: [
      ...keysOf('sent').filter((key) => !received.has(key)),
      ...keysOf('delivered').filter((key) => !kept.has(key)),
    ],
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

/** What does not come out even; nothing when all is well. */
export function faultsOf({ asked, mails, recipients, sum, missing, double, lost, kills }: Report): string[] {
  const unkilled = Object.keys(kills).filter((service) => kills[service] === 0)
  return [
    ...(mails < asked ? [`${asked - mails} mails were not accepted in time`] : []),
    ...(sum === recipients ? [] : [`${sum} ends of ${recipients} recipients`]),
    ...missing.map((key) => `no end: ${key}`),
    ...double.map((key) => `more than one: ${key}`),
    ...lost.map((key) => `nowhere to be found: ${key}`),
    ...unkilled.map((service) => `never killed: ${service}`),
  ]
}

const SHOWN_MOST = 20

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
    `without an end: ${missing.length}; with more than one: ${double.length}; "sent" or "delivered" but nowhere: ${lost.length}`,
    `second copies at remote servers (250 not read or not written): ${copies}`,
    `kills: ${killed.join(', ')}`,
    ...faultsOf(report)
      .slice(0, SHOWN_MOST)
      .map((fault) => `  ! ${fault}`),
  ].join('\n')
}
