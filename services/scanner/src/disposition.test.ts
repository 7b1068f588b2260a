// Mail that can't be looked into, by domain and direction; ports are objects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handleScan } from './handler.ts'
import {
  addresses,
  ENGINE,
  fromAlice,
  head,
  jobOf,
  notices,
  onward,
  portsFor,
  unscannable,
} from './testing/scan-ports.ts'

test('S1-24 mail that can not be looked into is delivered unless a domain says otherwise, and its header says so', async () => {
  const ports = portsFor(unscannable)
  const published = await handleScan(jobOf({}, 'bob@deliver.test'), ports)
  assert.equal(published.length, 1)
  const [job] = onward(published, 'authenticate')
  assert.match(job!.added[0]!, /^X-Virus-Status: unscannable \(encrypted\);/)
  assert.equal(job?.history[0]?.outcome, `unscannable (encrypted) by ${ENGINE}`)
  assert.deepEqual(ports.aside, [])
})

test('each recipient gets what the own domain wants', async () => {
  const ports = portsFor(unscannable)
  const job = jobOf({}, 'a@deliver.test', 'b@hold.test', 'c@refuse.test', 'd@deliver.test')
  const published = await handleScan(job, ports)
  assert.deepEqual(onward(published, 'authenticate').map(addresses), [['a@deliver.test', 'd@deliver.test']])
  assert.deepEqual(notices(published), [], 'nobody asked for notices, and a stranger gets none')
  const reason = 'encrypted' as const
  assert.deepEqual(ports.aside, [
    {
      parts: [
        { kind: 'held', reason, recipients: [{ address: 'b@hold.test' }] },
        { kind: 'refused', reason, recipients: [{ address: 'c@refuse.test' }], isReturned: false },
      ],
      isEnd: false,
    },
  ])
})

test('when nobody gets the mail its content is given up', async () => {
  const ports = portsFor(unscannable)
  assert.deepEqual(await handleScan(jobOf({}, 'b@hold.test', 'c@refuse.test'), ports), [])
  assert.equal(ports.aside[0]?.isEnd, true)
})

test('recipients are told of each action where their domain wants it', async () => {
  const job = jobOf({}, 'a@notify.deliver.test', 'b@notify.hold.test', 'c@notify.refuse.test', 'd@hold.test')
  const told = notices(await handleScan(job, portsFor(unscannable)))
  assert.deepEqual(
    told.map((notice) => [notice.kind, 'action' in notice && notice.action, addresses(notice.job)]),
    [
      ['unscannable', 'deliver', ['a@notify.deliver.test']],
      ['unscannable', 'hold', ['b@notify.hold.test']],
      ['unscannable', 'refuse', ['c@notify.refuse.test']],
    ],
  )
  assert.ok(told.every(({ content }) => content.kind === 'inline' && content.bytes.equals(head)))
})

test('what an account sends follows the policy of its domain, not of the recipients', async () => {
  const ports = portsFor(unscannable)
  const recipients = ['a@deliver.test', 'x@elsewhere.example']
  assert.deepEqual(await handleScan(jobOf(fromAlice, ...recipients), ports), [])
  assert.deepEqual(
    ports.aside[0]?.parts.map(({ kind }) => kind),
    ['held'],
  )
  assert.deepEqual(ports.aside[0]?.parts[0]?.recipients.length, 2)
  const carol = { ...fromAlice, session: { receivedBy: 'submission' as const, account: 'carol@deliver.test' } }
  const [passed] = onward(await handleScan(jobOf(carol, 'b@hold.test'), ports), 'sign')
  assert.deepEqual(addresses(passed), ['b@hold.test'])
})

test('a sender is told that a mail is held, but not that it went out', async () => {
  const from = (account: string) => ({ ...fromAlice, session: { receivedBy: 'submission' as const, account } })
  const told = async (account: string) =>
    notices(await handleScan(jobOf(from(account), 'x@elsewhere.example'), portsFor(unscannable))).map(
      ({ kind }) => kind,
    )
  assert.deepEqual(await told('a@notify.hold.test'), ['unscannable'])
  assert.deepEqual(await told('a@notify.deliver.test'), [])
})

test('refused mail comes back to an authenticated sender with 5.7.1, once for all recipients that want it', async () => {
  const ports = portsFor(unscannable)
  const session = { receivedBy: 'submission' as const, account: 'a@refuse.test' }
  const job = jobOf(
    { direction: 'submission', session },
    'x@elsewhere.example',
    'y@elsewhere.example',
    'z@elsewhere.example',
  )
  job.envelope.recipients[1]!.notify = ['NEVER']
  const told = notices(await handleScan(job, ports))
  assert.equal(told.length, 1)
  const [notice] = told
  assert.ok(notice?.kind === 'undelivered' && notice.action === 'failed')
  assert.deepEqual(
    notice.recipients.map(({ address, status }) => [address, status]),
    [
      ['x@elsewhere.example', '5.7.1'],
      ['z@elsewhere.example', '5.7.1'],
    ],
  )
  assert.deepEqual(
    ports.aside.map(({ parts, isEnd }) => [parts[0]?.kind === 'refused' && parts[0].isReturned, isEnd]),
    [[true, true]],
  )
})

test('a local sender hears of a refusal by the recipient domain; the null reverse-path never does', async () => {
  const session = { receivedBy: 'submission' as const, account: 'alice@deliver.test' }
  const [notice] = notices(await handleScan(jobOf({ session }, 'b@refuse.test'), portsFor(unscannable)))
  assert.equal(notice?.kind, 'undelivered')
  const silent = jobOf({ session }, 'b@refuse.test')
  silent.envelope.mailFrom = ''
  assert.deepEqual(await handleScan(silent, portsFor(unscannable)), [])
})

test('our own notices are never held, refused or told of', async () => {
  const ports = portsFor(unscannable)
  const published = await handleScan(jobOf({ session: { receivedBy: 'internal' } }, 'b@notify.hold.test'), ports)
  assert.deepEqual(
    published.map(({ queue }) => queue.name),
    ['authenticate'],
  )
  assert.deepEqual(ports.aside, [])
})
