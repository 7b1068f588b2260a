// What is signed for whom and where it goes next, with ports as object literals.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { ContentGone } from '@sekimori/store/content'
import type { Lookup } from '@sekimori/store/directory'
import type { SigningKey } from '@sekimori/store/dkim-key'
import { handleSign, type Ports } from './handler.ts'

const KEY: SigningKey = {
  selector: 'ed1',
  algorithm: 'ed25519-sha256',
  privateKey: generateKeyPairSync('ed25519').privateKey,
}

function jobTo(recipients: string[], changes: Partial<Job> = {}): Job {
  return {
    queueId: 'q1',
    direction: 'submission',
    acceptedAt: 1,
    envelope: {
      mailFrom: 'alice@example.test',
      recipients: recipients.map((address) => ({ address, notify: ['FAILURE'] })),
      envid: 'e1',
    },
    session: { receivedBy: 'submission', account: 'alice@example.test' },
    added: ['Received: from x'],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from('From: alice@example.test\r\n\r\nbody\r\n') },
    ...changes,
  }
}

function portsThatNote(changes: Partial<Ports> = {}) {
  const signedFor: string[] = []
  const passed: unknown[] = []
  const ports: Ports = {
    keys: async () => [KEY],
    sign: async (_content, domain) => {
      signedFor.push(domain)
      return [`DKIM-Signature: d=${domain}`]
    },
    seal: async (_job, domain) => [`ARC-Seal: d=${domain}`],
    lookup: async (address): Promise<Lookup> =>
      address === 'bob@example.test'
        ? { kind: 'account', accountId: 1, address }
        : { kind: address.endsWith('@example.test') ? 'unknown' : 'foreign' },
    head: async () => Buffer.from('From: =?UTF-8?B?44Oh?= <MAILER-DAEMON@other.test>\r\n\r\n'),
    passContent: async (...holds) => {
      passed.push(holds)
      return true
    },
    ...changes,
  }
  return { ports, signedFor, passed }
}

const routesOf = (publications: Awaited<ReturnType<typeof handleSign>>) =>
  publications.map(({ queue, message }) => {
    const { direction, envelope } = message as Job
    return `${queue.name} ${direction} ${envelope.recipients.map(({ address }) => address).join()}`
  })

test('local recipients get the mail as inbound, others by SMTP, each leg with its own recipients', async () => {
  const cases: [string[], string[]][] = [
    [['bob@example.test'], ['scan inbound bob@example.test']],
    [['x@elsewhere.test'], ['deliver-remote outbound x@elsewhere.test']],
    [
      ['x@elsewhere.test', 'bob@example.test', 'y@elsewhere.test'],
      ['scan inbound bob@example.test', 'deliver-remote outbound x@elsewhere.test,y@elsewhere.test'],
    ],
    // It was there when the mail was accepted: local delivery tells the sender.
    [['gone@example.test'], ['scan inbound gone@example.test']],
  ]
  for (const [recipients, routes] of cases)
    assert.deepEqual(routesOf(await handleSign(jobTo(recipients), portsThatNote().ports)), routes)
})

test('every leg carries the signatures on top, and the whole rest of the job', async () => {
  const job = jobTo(['bob@example.test', 'x@elsewhere.test'])
  for (const { message } of await handleSign(job, portsThatNote().ports)) {
    const leg = message as Job
    assert.deepEqual(leg.added, ['DKIM-Signature: d=example.test', 'Received: from x'])
    assert.deepEqual(leg.envelope.recipients[0]!.notify, ['FAILURE'])
    assert.equal(leg.envelope.envid, 'e1')
    assert.deepEqual([leg.queueId, leg.session, leg.content], [job.queueId, job.session, job.content])
    assert.equal(leg.history.at(-1)?.outcome, 'signed for example.test')
  }
})

test('mail of an account is signed for the domain of the account, our own notices for that of their From', async () => {
  const account = portsThatNote()
  await handleSign(jobTo(['bob@example.test']), account.ports)
  const notice = portsThatNote()
  await handleSign(jobTo(['bob@example.test'], { session: { receivedBy: 'internal' } }), notice.ports)
  assert.deepEqual([...account.signedFor, ...notice.signedFor], ['example.test', 'other.test'])
})

test('without a key, or a signature, nothing leaves', async () => {
  await assert.rejects(
    handleSign(jobTo(['bob@example.test']), portsThatNote({ keys: async () => [] }).ports),
    /no active DKIM key/,
  )
  const broken = portsThatNote({ sign: () => Promise.reject(new Error('bad key')) })
  await assert.rejects(handleSign(jobTo(['bob@example.test']), broken.ports), /bad key/)
  assert.deepEqual(broken.passed, [])
  const away = portsThatNote({ lookup: () => Promise.reject(new DependencyAway('postgres')) })
  await assert.rejects(handleSign(jobTo(['bob@example.test']), away.ports), DependencyAway)
})

test('the hold on stored content goes over to the legs, and inline content has none', async () => {
  const content = { kind: 'stored' as const, id: 'c1', sizeBytes: 9 }
  const mixed = portsThatNote()
  await handleSign(jobTo(['bob@example.test', 'x@elsewhere.test'], { content }), mixed.ports)
  assert.deepEqual(mixed.passed, [['c1', 'q1/submission', ['q1/inbound', 'q1/outbound']]])
  const local = portsThatNote()
  await handleSign(jobTo(['bob@example.test'], { content }), local.ports)
  assert.deepEqual(local.passed, [['c1', 'q1/submission', ['q1/inbound']]])
  const inline = portsThatNote()
  await handleSign(jobTo(['bob@example.test']), inline.ports)
  assert.deepEqual(inline.passed, [])
})

test('a job whose content is gone goes nowhere, and is not passed over in silence', async () => {
  const content = { kind: 'stored' as const, id: 'c1', sizeBytes: 9 }
  const { ports } = portsThatNote({ passContent: async () => false })
  await assert.rejects(handleSign(jobTo(['bob@example.test'], { content }), ports), ContentGone)
})
