// For tests only: jobs, and ports as objects on which domains have the policies that their names say.
import type { Job, JobHeader } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import type { Publication } from '@sekimori/queue/queues'
import type { Part } from '@sekimori/store/quarantine'
import type { UnscannableRule, VirusPolicy } from '@sekimori/store/virus-policy'
import type { Ports } from '../handler.ts'
import type { Verdict } from '../verdict.ts'

export const ENGINE = 'ClamAV 1.4.6/27000/Mon Nov 16 2026'
export const head = Buffer.from('Subject: Invoice\r\n\r\n')
export const unscannable: Verdict = { kind: 'unscannable', reason: 'encrypted' }

export function jobOf(changes: Partial<Job>, ...addresses: string[]): Job {
  return {
    queueId: 'q1',
    direction: 'inbound',
    acceptedAt: 0,
    envelope: { mailFrom: 'x@sender.example', recipients: addresses.map((address) => ({ address })) },
    session: { receivedBy: 'mx' },
    added: ['Received: here'],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from('mail') },
    ...changes,
  }
}

export const fromAlice = {
  direction: 'submission',
  session: { receivedBy: 'submission', account: 'alice@hold.test' },
} as const

interface SetAside {
  parts: Part[]
  isEnd: boolean
}

/** Ports on which the domains deliver.test, hold.test and refuse.test do so; `notify.` before it: with a notice. */
export function portsFor(verdict: Verdict, changes: Partial<Ports> = {}): Ports & { aside: SetAside[] } {
  const aside: SetAside[] = []
  return {
    aside,
    hostname: 'mail.example.test',
    scan: async () => ({ verdict, engine: ENGINE }),
    head: async () => head,
    policy: async (domain) => policyOf(domain),
    setAside: async (_job, parts, _engine, _head, isEnd) => void aside.push({ parts, isEnd }),
    recall: async () => undefined,
    haveAllEnded: async () => true,
    claimRelease: async () => true,
    ...changes,
  }
}

/** The policy that the domain's name says. */
export function policyOf(domain: string): VirusPolicy {
  const action = /hold|refuse/.exec(domain)?.[0] ?? 'deliver'
  const rule = { action, hasNotice: domain.startsWith('notify.') } as UnscannableRule
  return { encrypted: rule, depth: rule, size: rule, time: rule, damaged: rule }
}

export const onward = (publications: Publication[], queue: string) =>
  publications.filter((publication) => publication.queue.name === queue).map(({ message }) => message as Job)
export const notices = (publications: Publication[]) => onward(publications, 'notify') as unknown as Notice[]
export const addresses = (job: JobHeader | undefined) => job?.envelope.recipients.map(({ address }) => address)
