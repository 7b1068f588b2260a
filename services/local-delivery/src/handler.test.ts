// Who gets a copy of a mail, and who hears that it could not be delivered, with ports as object literals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asDelivered } from '@sekimori/mail/delivered'
import type { Job } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { ContentGone } from '@sekimori/store/content'
import type { Lookup, Member } from '@sekimori/store/directory'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import type { TraceEntry } from '@sekimori/store/trace'
import { handleDelivery } from './handler.ts'
import type { Ports } from './ports.ts'

const BOB: Member = { accountId: 1, address: 'bob@example.test' }
const CAROL: Member = { accountId: 2, address: 'carol@example.test' }
const DIRECTORY: Record<string, Lookup> = {
  'bob@example.test': { kind: 'account', ...BOB },
  'carol@example.test': { kind: 'account', ...CAROL },
  'staff@example.test': { kind: 'list', address: 'staff@example.test', name: 'Staff' },
  'all@example.test': { kind: 'list', address: 'all@example.test', name: 'All' },
  'someone@elsewhere.test': { kind: 'foreign' },
}
const MAIL = Buffer.from('X-Virus-Status: forged\r\nSubject: x\r\n\r\nbody\r\n')

function jobTo(recipients: string[], changes: Partial<Job> = {}): Job {
  return {
    queueId: 'q1',
    direction: 'inbound',
    acceptedAt: 1,
    envelope: { mailFrom: 'eve@stranger.test', recipients: recipients.map((address) => ({ address })) },
    session: { receivedBy: 'mx' },
    added: ['X-Virus-Status: clean', 'Received: from x'],
    struck: [0, 24],
    history: [],
    content: { kind: 'inline', bytes: MAIL },
    ...changes,
  }
}

function portsThatNote() {
  const copies: MaildropCopy[] = []
  const ends: TraceEntry[] = []
  const steps: string[] = []
  const ports: Ports = {
    lookup: async (address) => DIRECTORY[address] ?? { kind: 'unknown' },
    members: async (_list, afterId) => [BOB, CAROL].filter(({ accountId }) => accountId > afterId).slice(0, 1),
    outsideMembers: async () => [],
    mayPost: async () => true,
    localOwner: async () => undefined,
    full: async () => new Set(),
    maildropEnds: async () => new Map(),
    passContent: async () => true,
    haveAllEnded: () => assert.fail('the content is there'),
    rewriteSender: async (mailFrom, domain) => `srs=${mailFrom.replace('@', '=')}@${domain}`,
    reverseSender: async () => undefined,
    judged: async (job) => job,
    deliver: async (copy) => {
      copies.push(copy)
      steps.push(`copy ${copy.trace.recipient}`)
    },
    deliverWarning: async (queueId, copy) => void steps.push(`warning of ${queueId} ${copy.trace.recipient}`),
    trace: async (entries) => {
      ends.push(...entries)
      steps.push('trace')
    },
    release: async (id, holder) => void steps.push(`release ${id} ${holder}`),
    head: async () => MAIL,
    content: () => assert.fail('its parts are of no interest'),
  }
  return { ports, copies, ends, steps, receivers: () => copies.map(({ trace }) => trace.recipient).sort() }
}

const endsOf = (ends: TraceEntry[]) => ends.map(({ recipient, stage, outcome }) => `${recipient} ${stage} ${outcome}`)

test('each recipient gets one copy, whose octets are the lines added, then the mail without what was struck', async () => {
  const { ports, copies } = portsThatNote()
  assert.deepEqual(await handleDelivery(jobTo(['bob@example.test', 'carol@example.test']), ports), [])
  assert.equal(copies.length, 2)
  const [copy] = copies as [MaildropCopy]
  assert.equal(copy.contentId, 'q1')
  assert.deepEqual(copy.bytes, MAIL)
  const delivered = Buffer.concat(await Array.fromAsync(asDelivered(copy.added, chunk(copy.bytes!), copy.struck)))
  assert.equal(
    delivered.toString(),
    'Return-Path: <eve@stranger.test>\r\nDelivered-To: bob@example.test\r\nX-Virus-Status: clean\r\nReceived: from x\r\n' +
      'Subject: x\r\n\r\nbody\r\n',
  )
  assert.equal(copy.sizeBytes, delivered.length)
})

test('who is named twice, or is on a list besides, gets one copy all the same', async () => {
  for (const recipients of [
    ['bob@example.test', 'bob@example.test', 'carol@example.test'],
    ['staff@example.test', 'bob@example.test'],
    ['bob@example.test', 'staff@example.test', 'all@example.test'],
  ]) {
    const { ports, receivers } = portsThatNote()
    await handleDelivery(jobTo(recipients), ports)
    assert.deepEqual(receivers(), ['bob@example.test', 'carol@example.test'], recipients.join())
  }
})

test('S1-26 a warning is delivered under the mail that it warns of, and every other mail plainly', async () => {
  const { ports, steps } = portsThatNote()
  await handleDelivery(jobTo(['bob@example.test'], { warning: { queueId: 'infected' } }), ports)
  await handleDelivery(jobTo(['bob@example.test']), ports)
  assert.deepEqual(steps, ['warning of infected bob@example.test', 'copy bob@example.test'])
})

test('a list ends as expanded, and its copies say through which list they came', async () => {
  const { ports, copies, ends } = portsThatNote()
  await handleDelivery(jobTo(['bob@example.test', 'staff@example.test']), ports)
  assert.deepEqual(endsOf(ends), ['staff@example.test list expanded'])
  assert.deepEqual(
    copies.map(({ trace }) => trace.detail),
    [undefined, 'via list staff@example.test'],
  )
})

test('a recipient who is gone is reported to an authenticated sender only', async () => {
  const submitted = { session: { receivedBy: 'submission' as const, account: 'alice@example.test' } }
  const { ports, ends, receivers } = portsThatNote()
  const publications = await handleDelivery(jobTo(['gone@example.test', 'bob@example.test'], submitted), ports)
  assert.deepEqual(receivers(), ['bob@example.test'])
  assert.deepEqual(endsOf(ends), ['gone@example.test maildrop bounced'])
  const [{ queue, message }] = publications as [(typeof publications)[0]]
  const notice = message as unknown as Extract<Notice, { kind: 'undelivered' }>
  assert.equal(queue.name, 'notify')
  assert.equal(notice.action, 'failed')
  assert.deepEqual(notice.recipients, [
    { address: 'gone@example.test', status: '5.1.1', diagnostic: 'No such address here' },
  ])
  assert.ok(!('content' in notice.job))

  const stranger = portsThatNote()
  assert.deepEqual(await handleDelivery(jobTo(['gone@example.test', 'someone@elsewhere.test']), stranger.ports), [])
  assert.deepEqual(endsOf(stranger.ends), [
    'gone@example.test maildrop dropped',
    'someone@elsewhere.test maildrop dropped',
  ])
})

test('nobody is told of mail with a null reverse-path, or when the sender wished so', async () => {
  const session = { receivedBy: 'submission' as const, account: 'alice@example.test' }
  const bounce = jobTo(['gone@example.test'], { session })
  bounce.envelope.mailFrom = ''
  assert.deepEqual(await handleDelivery(bounce, portsThatNote().ports), [])
  for (const notify of [['NEVER'], ['SUCCESS'], ['DELAY', 'SUCCESS']]) {
    const job = jobTo([], { session })
    job.envelope.recipients = [{ address: 'gone@example.test', notify }]
    assert.deepEqual(await handleDelivery(job, portsThatNote().ports), [], notify.join())
  }
  const wished = jobTo([], { session })
  wished.envelope.recipients = [{ address: 'gone@example.test', notify: ['FAILURE'], orcpt: 'rfc822;old@example.test' }]
  const [publication] = await handleDelivery(wished, portsThatNote().ports)
  const { recipients } = publication!.message as unknown as Extract<Notice, { kind: 'undelivered' }>
  assert.equal(recipients[0]!.orcpt, 'rfc822;old@example.test')
})

test('RFC 6856 a copy with UTF-8 in its header knows its size for clients that take ASCII only', async () => {
  const mail = Buffer.from('X-Virus-Status: 偽\r\nSubject: 花\r\n\r\n花\r\n')
  const contents: Job['content'][] = [
    { kind: 'inline', bytes: mail },
    { kind: 'stored', id: 'c1', sizeBytes: mail.length },
  ]
  for (const content of contents) {
    const { ports, copies } = portsThatNote()
    ports.head = async () => mail.subarray(0, mail.lastIndexOf('花'))
    const struck = [0, mail.indexOf('Subject')]
    await handleDelivery(jobTo(['bob@example.test', 'staff@example.test'], { content, struck }), ports)
    assert.equal(copies.length, 2)
    for (const { surrogateBytes, sizeBytes } of copies)
      assert.equal(surrogateBytes! - sizeBytes, '=?utf-8?B?6Iqx?='.length - ('花花'.length / 2) * 3)
  }
  const { ports, copies } = portsThatNote()
  await handleDelivery(jobTo(['bob@example.test']), ports)
  assert.equal(copies[0]!.surrogateBytes, undefined)
})

test('stored content is let go of last, when all copies and ends are written', async () => {
  const stored = jobTo(['bob@example.test', 'staff@example.test'], {
    content: { kind: 'stored', id: 'c1', sizeBytes: 5_000_000 },
  })
  const { ports, copies, steps } = portsThatNote()
  await handleDelivery(stored, ports)
  assert.deepEqual(steps, ['copy bob@example.test', 'copy carol@example.test', 'trace', 'release c1 q1/inbound'])
  assert.equal(copies[0]!.contentId, 'c1')
  assert.equal(copies[0]!.bytes, undefined)
  assert.equal(copies[0]!.sizeBytes, copies[0]!.added.length + 5_000_000 - 24)
  const away = portsThatNote()
  away.ports.deliver = () => Promise.reject(new DependencyAway('postgres'))
  await assert.rejects(handleDelivery(stored, away.ports), DependencyAway)
  assert.deepEqual(away.steps, [])
})

test('what is handed on is not passed over when its content is gone and it has no end', async () => {
  const { ports } = portsThatNote()
  const lookup: Ports['lookup'] = async (address) =>
    address === 'alias@example.test'
      ? { kind: 'alias', address, targets: ['someone@elsewhere.test'] }
      : (DIRECTORY[address] ?? { kind: 'unknown' })
  const stored = jobTo(['alias@example.test'], { content: { kind: 'stored', id: 'c1', sizeBytes: 5 } })
  const asked: string[] = []
  const after = (hasEnded: boolean): Ports => ({
    ...ports,
    lookup,
    passContent: async () => false,
    haveAllEnded: async ({ envelope }) => {
      asked.push(...envelope.recipients.map(({ address }) => address))
      return hasEnded
    },
  })
  assert.deepEqual(await handleDelivery(stored, after(true)), [])
  await assert.rejects(handleDelivery(stored, after(false)), ContentGone)
  assert.deepEqual(asked, ['someone@elsewhere.test', 'someone@elsewhere.test'])
})

test('a report that is written again after its content was let go of goes without the header of the mail', async () => {
  const { ports } = portsThatNote()
  ports.head = () => Promise.reject(new ContentGone('c1'))
  const stored = jobTo(['gone@example.test'], {
    session: { receivedBy: 'submission', account: 'alice@example.test' },
    content: { kind: 'stored', id: 'c1', sizeBytes: 5 },
  })
  const [publication] = await handleDelivery(stored, ports)
  assert.deepEqual(publication!.message.content, { kind: 'inline', bytes: Buffer.alloc(0) })
})

test('a reverse-path with line breaks can not add header lines', async () => {
  const { ports, copies } = portsThatNote()
  const job = jobTo(['bob@example.test'])
  job.envelope.mailFrom = 'x\r\nEvil: 1>@y.test'
  await handleDelivery(job, ports)
  assert.match(copies[0]!.added.toString(), /^Return-Path: <xEvil:1@y\.test>\r\nDelivered-To/)
})

async function* chunk(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
