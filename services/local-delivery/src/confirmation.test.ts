// Who hears that a mail has arrived, with ports as object literals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import type { Lookup } from '@sekimori/store/directory'
import { confirmations } from './confirmation.ts'
import { failedAddress, overQuota } from './failure.ts'

const SUCCESS = ['SUCCESS', 'FAILURE']
const account = (address: string): Lookup => ({ kind: 'account', accountId: 1, address })
const DIRECTORY: Record<string, Lookup> = {
  'bob@example.test': account('bob@example.test'),
  'bob+tag@example.test': account('bob@example.test'),
  'carol@example.test': account('carol@example.test'),
  'away@example.test': {
    ...account('away@example.test'),
    forwardTo: ['x@elsewhere.test'],
    keepsNoCopy: true,
  } as Lookup,
  'staff@example.test': { kind: 'list', address: 'staff@example.test', name: 'Staff' },
  'alias@example.test': { kind: 'alias', address: 'alias@example.test', targets: ['bob@example.test'] },
}
const ports = {
  lookup: async (address: string) => DIRECTORY[address] ?? ({ kind: 'unknown' } as const),
  head: async () => Buffer.from('Subject: x\r\n\r\n'),
}

const recipients = [
  { address: 'bob@example.test', notify: SUCCESS, orcpt: 'rfc822;b@example.test' },
  { address: 'staff@example.test', notify: ['success'] },
  { address: 'alias@example.test', notify: SUCCESS },
  { address: 'away@example.test', notify: SUCCESS },
  { address: 'gone@example.test', notify: SUCCESS },
  { address: 'carol@example.test', notify: ['FAILURE'] },
]
const job: Job = {
  queueId: 'q1',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'alice@example.test', recipients },
  session: { receivedBy: 'submission', account: 'alice@example.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\nbody\r\n') },
}

async function told(changes: Partial<Job> = {}, failed: string[] = []): Promise<string[]> {
  const publications = await confirmations(
    { ...job, ...changes },
    failed.map((address) => overQuota(job, address)),
    ports,
  )
  const notices = publications.map(({ message }) => message as unknown as Extract<Notice, { kind: 'undelivered' }>)
  return notices.map((notice) => [notice.action, ...notice.recipients.map(({ address }) => address)].join(' ')).sort()
}

test('who asked to hear of success does: of maildrops and lists, and of what goes on to others', async () => {
  assert.deepEqual(await told(), [
    'delivered bob@example.test staff@example.test',
    'expanded alias@example.test',
    'relayed away@example.test',
  ])
  const [first] = await confirmations(job, [failedAddress(job, { kind: 'dead', address: 'x', because: 'loop' })], ports)
  const { recipients: named } = first!.message as unknown as Extract<Notice, { kind: 'undelivered' }>
  assert.equal(named[0]!.orcpt, 'rfc822;b@example.test')
})

test('strangers never, nor anybody of a mail with a null reverse-path, or of whom it did not reach', async () => {
  assert.deepEqual(await told({ session: { receivedBy: 'mx' } }), [])
  assert.deepEqual(await told({ envelope: { ...job.envelope, mailFrom: '' } }), [])
  const tagged = [{ address: 'bob+tag@example.test', notify: SUCCESS }]
  const toTag = { envelope: { ...job.envelope, recipients: tagged } }
  assert.deepEqual(await told(toTag), ['delivered bob+tag@example.test'])
  assert.deepEqual(await told(toTag, ['bob@example.test']), [])
})
