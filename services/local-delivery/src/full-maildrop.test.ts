// A maildrop without room: whose mail it refuses, and that what was decided stays when the job comes again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import type { TraceEntry } from '@sekimori/store/trace'
import { handleDelivery } from './handler.ts'
import type { Ports } from './ports.ts'

const BOB = { accountId: 1, address: 'bob@example.test', quotaBytes: 100 }
const job: Job = {
  queueId: 'q1',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'alice@example.test', recipients: [{ address: BOB.address }] },
  session: { receivedBy: 'submission', account: 'alice@example.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\nbody\r\n') },
}
const fromOutside: Job = { ...job, session: { receivedBy: 'mx' } }

/** What becomes of the mail; `before` is what the trace says of it. */
async function fate(mail: Job, isFull: boolean, before?: string): Promise<string[]> {
  const said: string[] = []
  const ports: Partial<Ports> = {
    lookup: async () => ({ kind: 'account', ...BOB }),
    full: async () => new Set(isFull ? [BOB.accountId] : []),
    maildropEnds: async () => new Map(before === undefined ? [] : [[BOB.address, before]]),
    judged: async (judged) => judged,
    head: async () => Buffer.from('Subject: x\r\n\r\n'),
    deliver: async ({ trace }: MaildropCopy) => void said.push(trace.outcome),
    trace: async (entries: TraceEntry[]) => void said.push(...entries.map(({ outcome }) => outcome)),
  }
  const publications = await handleDelivery(mail, ports as Ports)
  return [...said, ...publications.map(({ queue }) => queue.name)]
}

test('a full maildrop refuses mail of who has logged in, who is told; accepted mail from outside gets in', async () => {
  assert.deepEqual(await fate(job, true), ['bounced', 'notify'])
  assert.deepEqual(await fate(fromOutside, true), ['delivered'])
  assert.deepEqual(await fate(job, false), ['delivered'])
})

test('when the job comes again, what was decided stays: its own copy may have filled the maildrop, its owner made room', async () => {
  assert.deepEqual(await fate(job, true, 'delivered'), ['delivered'])
  assert.deepEqual(await fate(job, false, 'bounced'), ['bounced', 'notify'])
})
