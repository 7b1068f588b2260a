// Several mails over one session with a server.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Outcome } from './outcome.ts'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const KEEP_MS = 60_000
const count = (commands: string[], verb: string) => commands.filter((line) => line.startsWith(verb)).length
const kinds = (outcomes: Map<string, Outcome>) =>
  outcomes
    .values()
    .map(({ kind }) => kind)
    .toArray()
const job = () => outboundJob([BOB])
const keeping = (outside: Outside) => outside.ports({}, {}, KEEP_MS)

test('the next mail goes over the session that is open, without a new handshake', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', { certificate: await makeTestCertificate('remote.test') })
  const ports = keeping(outside)
  for (let mails = 0; mails < 3; mails++) assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['sent'])
  assert.equal(server.mails.length, 3)
  assert.deepEqual([count(server.commands, 'STARTTLS'), count(server.commands, 'RSET')], [1, 0])
})

test('mails at the same time have sessions of their own', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  const ports = keeping(outside)
  await Promise.all([outside.deliver(job(), ports), outside.deliver(job(), ports)])
  assert.deepEqual([server.mails.length, count(server.commands, 'EHLO')], [2, 2])
})

test('a session that the server has closed, or ends with 421, costs the mail nothing', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  for (const reply of ['421 4.7.0 enough for today', 'close']) {
    const ports = keeping(outside)
    assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['sent'])
    server.script({ at: 'MAIL', reply, times: 1 })
    assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['sent'], reply)
  }
  assert.equal(server.mails.length, 4)
})

test('a mail that the server may have taken before the session broke is not offered again at once', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  const ports = keeping(outside)
  await outside.deliver(job(), ports)
  server.script({ at: 'message', reply: 'close', times: 1 })
  assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['deferred'])
  assert.equal(server.mails.length, 1)
})

test('after a refusal the next mail gets a session of its own', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  const ports = keeping(outside)
  server.script({ at: 'RCPT', reply: '550 5.1.1 nobody', times: 1 })
  assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['rejected'])
  assert.deepEqual(kinds(await outside.deliver(job(), ports)), ['sent'])
  assert.equal(count(server.commands, 'EHLO'), 2)
})

test('a session that nobody needs ends with QUIT', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test')
  await outside.deliver(job(), outside.ports({}, {}, 50))
  await eventually(() => server.commands.at(-1) === 'QUIT')
})

test('mail that demands more of the server does not go over a session that was opened for less', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('remote.test', { certificate: await makeTestCertificate('remote.test') })
  const ports = keeping(outside)
  await outside.deliver(job(), ports)
  const strict = await outside.deliver(job(), ports, new AbortController().signal, { floor: 'verified' })
  assert.deepEqual([kinds(strict), server.mails.length], [['deferred'], 1])
})

test('domains that share their servers each count the session, once, however many of their mails go over it', async () => {
  await using outside = await openOutside()
  await outside.startMx('remote.test', { certificate: await makeTestCertificate('remote.test') })
  const { dns } = outside
  for (const domain of ['other.test', 'third.test'])
    dns.set(domain, 'MX', [{ exchange: 'mx2.remote.test', priority: 10 }])
  const ports = keeping(outside)
  await outside.deliver(outboundJob([BOB, 'eve@other.test']), ports)
  await outside.deliver(outboundJob([BOB, 'eve@third.test']), ports)
  await outside.deliver(outboundJob(['eve@third.test']), ports)
  const counted = outside.tlsResults.map(({ policyDomain, fault }) => `${policyDomain} ${fault ?? 'successful'}`)
  assert.deepEqual(counted, ['remote.test successful', 'other.test successful', 'third.test successful'])
})

test('the session of a TLS report is in no further report', async () => {
  await using outside = await openOutside()
  await outside.startMx('remote.test')
  const text = 'From: a@example.test\r\nTLS-Required: No\r\nTLS-Report-Domain: remote.test\r\n\r\nreport\r\n'
  const counted = async (receivedBy: 'internal' | 'submission') => {
    const report = outboundJob([BOB], { session: { receivedBy } }, text)
    assert.deepEqual(kinds(await outside.deliver(report)), ['sent'])
    return outside.tlsResults.length
  }
  assert.deepEqual([await counted('internal'), await counted('submission')], [0, 1])
})
