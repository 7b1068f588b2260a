// Jobs, ports and a reader of notices for the tests of the notifier.

import { parseHeader } from '@sekimori/mail/header'
import type { Job, JobHeader } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import type { Publication } from '@sekimori/queue/queues'
import type { Lookup, NoticePreference } from '@sekimori/store/directory'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import libmime from 'libmime'
import type { Ports } from '../handler.ts'

export const HEAD =
  'From: Eve <eve@stranger.test>\r\nTo: bob@example.test\r\nSubject: invoice\r\nDate: Mon, 2 Mar 2026 10:00:00 +0900\r\n\r\n'

export function jobOf(changes: Partial<JobHeader> & { to?: string[] } = {}): JobHeader {
  const { to = ['bob@example.test'], ...others } = changes
  return {
    queueId: '01hqxyz0abcdefghjkmnpq',
    direction: 'inbound',
    acceptedAt: Date.UTC(2026, 2, 2),
    envelope: { mailFrom: 'eve@stranger.test', recipients: to.map((address) => ({ address })) },
    session: { receivedBy: 'mx' },
    added: [],
    struck: [],
    history: [],
    ...others,
  }
}

/** Submitted by alice. */
export const SUBMITTED: Partial<JobHeader> = {
  direction: 'submission',
  session: { receivedBy: 'submission', account: 'alice@example.test' },
}

export function infected(job: JobHeader, head = HEAD): Notice {
  return { kind: 'infected', signature: 'Eicar-Test', job, content: { kind: 'inline', bytes: Buffer.from(head) } }
}

/** Accounts alice, bob and carol of example.test; the list staff@ has bob and carol. Only the switch decides. */
export function portsThatNote(
  preferences: Record<string, Partial<NoticePreference>> = {},
  changes: Partial<Ports> = {},
) {
  const ends: TraceEntry[] = []
  const accounts = ['alice@example.test', 'bob@example.test', 'carol@example.test']
  const ports: Ports = {
    hostname: 'mx.test',
    localVirusWarning: 'both',
    lookup: async (address): Promise<Lookup> => {
      if (address === 'staff@example.test') return { kind: 'list', address, name: 'Staff' }
      if (accounts.includes(address)) return { kind: 'account', accountId: accounts.indexOf(address), address }
      return { kind: address.endsWith('@example.test') ? 'unknown' : 'foreign' }
    },
    members: async () => accounts.slice(1).map((address, accountId) => ({ accountId, address })),
    preference: async (address) =>
      accounts.includes(address) ? { locale: 'en', hasVirusWarning: true, ...preferences[address] } : undefined,
    head: async (content) => (content.kind === 'inline' ? content.bytes : Buffer.alloc(0)),
    trace: async (entries) => void ends.push(...entries),
    decide: async ({ job }, parties) => {
      const known = parties.flatMap((party) => {
        const choice = { locale: 'en' as const, hasVirusWarning: true, ...preferences[party.address] }
        return accounts.includes(party.address) ? [{ ...party, ...choice }] : []
      })
      const isSilent = (party: (typeof known)[number]) => !party.hasVirusWarning && !party.isListMember
      const silent = known.filter(isSilent)
      ends.push(...silent.map(({ address }) => traceEntry(job, address, 'warning', 'dropped')))
      return new Map(known.filter((party) => !isSilent(party)).map(({ address, locale }) => [address, locale]))
    },
    countInfected: async () => undefined,
    infectedLimit: { mails: 30, windowMinutes: 10 },
    ...changes,
  }
  return { ports, ends }
}

/** A notice as its reader gets it. */
export function readNotice({ queue, message }: Publication) {
  const job = message as Job
  const text = job.content.kind === 'inline' ? job.content.bytes.toString('latin1') : ''
  const fields = Object.fromEntries(
    parseHeader(Buffer.from(text, 'latin1')).map(({ name, value }) => [name, unfolded(value)]),
  )
  const body = text.slice(text.indexOf('\r\n\r\n') + 4)
  return { queue: queue.name, job, fields, text, body: decoded(fields['content-transfer-encoding'], body) }
}

/** A body with its transfer encoding undone, as UTF-8. */
export function decoded(encoding: string | undefined, body: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8')
  const octets = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(octets, 'latin1').toString('utf8')
}

function unfolded(value: string): string {
  return libmime.decodeWords(value.replace(/\r\n(?=[ \t])/g, '').trim())
}
