// Submission over real sockets, with ports as object literals: who gets in, what is taken, and what becomes of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { listenerOptions } from './listener-options.ts'
import { ALICE, certificates, config, dial, listen, loggedIn, portsThatNote } from './testing/submission.ts'

const MAIL = `From: ${ALICE}\r\nTo: bob@example.test\r\nBcc: x@elsewhere.test\r\nSubject: x\r\n\r\nbody\r\n`
const envelope = { mailFrom: ALICE, recipients: ['bob@example.test', 'x@elsewhere.test'] }

test('before TLS, AUTH is neither offered nor accepted; after STARTTLS it is, and TLS from the start is the same', async () => {
  await using listener = await listen(portsThatNote().ports)
  await using client = await dial(listener.port)
  assert.doesNotMatch((await client.say('EHLO client.test', 250)).text, /AUTH/)
  await client.say(`AUTH PLAIN ${Buffer.from(`\0${ALICE}\0right`).toString('base64')}`, 538)
  await client.starttls()
  assert.match((await client.say('EHLO client.test', 250)).text, /^AUTH PLAIN LOGIN$/m)
  await client.authLogin(ALICE, 'right')
  await using implicit = await listen(portsThatNote().ports, 'implicit')
  await using other = await loggedIn(implicit.port)
  await other.say('MAIL FROM:<alice@example.test>', 250)
})

test('without a login nothing is taken, and the legacy switch changes only when one may log in', async () => {
  const { ports, jobs } = portsThatNote()
  await using listener = await listen(ports, 'starttls', { PLAINTEXT_AUTH: 'allow' })
  await using client = await dial(listener.port)
  await client.say('EHLO client.test', 250)
  for (const command of [`MAIL FROM:<${ALICE}>`, 'RCPT TO:<bob@example.test>', 'DATA']) await client.say(command, 530)
  await client.authPlain(ALICE, 'right')
  await client.send(envelope, MAIL)
  assert.equal(jobs.length, 1)
})

test('a wrong login is 535, one that can not be checked or has to wait 454, and what is no address is not looked up', async () => {
  const asked: string[] = []
  const { ports } = portsThatNote({
    login: async ({ address, clientAddress, service }) => {
      asked.push(`${address} ${clientAddress} ${service}`)
      if (address === 'away@example.test') throw new DependencyAway('postgres')
      return { kind: address === 'slow@example.test' ? 'slowed' : address === 'busy@example.test' ? 'busy' : 'refused' }
    },
  })
  await using listener = await listen(ports, 'implicit')
  await using client = await dial(listener.port, { tls: 'implicit' })
  await client.say('EHLO client.test', 250)
  assert.equal((await client.authPlain(ALICE, 'wrong', 535)).enhanced, '5.7.8')
  assert.doesNotMatch((await client.authPlain('away@example.test', 'x', 454)).text, /postgres/)
  await client.authPlain('not an address', 'x', 535)
  for (const address of ['slow@example.test', 'busy@example.test'])
    assert.equal((await client.authPlain(address, 'x', 454)).enhanced, '4.7.0')
  assert.deepEqual(
    asked,
    [ALICE, 'away@example.test', 'slow@example.test', 'busy@example.test'].map((name) => `${name} 127.0.0.1 smtp`),
  )
})

test('RFC 4616 2 an account acts as itself only: another authorization identity is 535', async () => {
  await using listener = await listen(portsThatNote().ports, 'implicit')
  await using client = await dial(listener.port, { tls: 'implicit' })
  await client.say('EHLO client.test', 250)
  const plain = (authzid: string) => `AUTH PLAIN ${Buffer.from(`${authzid}\0${ALICE}\0right`).toString('base64')}`
  assert.equal((await client.say(plain('bob@example.test'), 535)).enhanced, '5.7.8')
  await client.say(plain('ALICE@example.test'), 235)
})

test('alice sends as alice: another reverse-path or From is refused', async () => {
  const { ports, jobs } = portsThatNote()
  await using listener = await listen(ports, 'implicit')
  await using client = await loggedIn(listener.port)
  assert.equal((await client.say('MAIL FROM:<bob@example.test>', 553)).enhanced, '5.7.1')
  const refused = await client.send(envelope, MAIL.replace(ALICE, 'bob@example.test'), 550)
  assert.equal(refused.enhanced, '5.7.1')
  assert.equal(jobs.length, 0)
  await client.send(envelope, MAIL)
  assert.equal(jobs.length, 1)
})

test('recipients outside are taken, local ones when they exist', async () => {
  await using listener = await listen(portsThatNote().ports, 'implicit')
  await using client = await loggedIn(listener.port)
  await client.say(`MAIL FROM:<${ALICE}>`, 250)
  assert.equal((await client.say('RCPT TO:<gone@example.test>', 550)).enhanced, '5.1.1')
  assert.equal((await client.say('RCPT TO:<x@bad_domain>')).code >= 500, true)
  assert.equal((await client.say('RCPT TO:<x@[127.0.0.1]>', 553)).enhanced, '5.1.3')
  await client.say('RCPT TO:<x@elsewhere.test>', 250)
})

test('RFC 5321 4.5.1 postmaster without a domain is the postmaster of the account', async () => {
  const { ports, jobs } = portsThatNote({ directory: { lookup: async () => ({ kind: 'foreign' }) } })
  await using listener = await listen(ports, 'implicit')
  await using client = await loggedIn(listener.port)
  await client.send({ mailFrom: ALICE, recipients: ['PostMaster'] }, MAIL)
  assert.deepEqual(jobs[0]!.envelope.recipients, [{ address: 'postmaster@example.test' }])
})

test('an accepted mail is one job, repaired, with the facts of its session', async () => {
  const { ports, jobs } = portsThatNote()
  await using listener = await listen(ports, 'implicit')
  await using client = await loggedIn(listener.port)
  const { queueId } = await client.send({ ...envelope, parameters: 'RET=HDRS ENVID=e1' }, MAIL)
  const [job] = jobs as [Job]
  assert.equal(job.queueId, queueId)
  assert.equal(job.direction, 'submission')
  assert.equal(job.messageId, `<${queueId}@mx.test>`)
  assert.deepEqual([job.envelope.mailFrom, job.envelope.ret, job.envelope.envid], [ALICE, 'HDRS', 'e1'])
  assert.deepEqual(
    job.envelope.recipients.map(({ address }) => address),
    envelope.recipients,
  )
  assert.deepEqual(job.session, {
    receivedBy: 'submission',
    clientAddress: '127.0.0.1',
    ehloName: 'client.test',
    account: ALICE,
  })
  assert.match(
    job.added[0]!,
    /^Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby mx\.test with ESMTPSA id \w+\r\n\t\(TLSv1\.3/,
  )
  const text = job.content.kind === 'inline' ? job.content.bytes.toString() : ''
  assert.match(text, new RegExp(`^Date: .*\r\nMessage-ID: <${queueId}@mx\\.test>\r\nFrom: ${ALICE}\r\nTo: bob`))
  assert.ok(!/Bcc/i.test(text) && text.endsWith('\r\n\r\nbody\r\n'))
})

test('a large mail is stored before it is published; one over the limit is refused and leaves nothing', async () => {
  const { ports, jobs, stored } = portsThatNote()
  await using listener = await listen(ports, 'implicit')
  await using client = await loggedIn(listener.port)
  const { queueId } = await client.send(
    envelope,
    `${MAIL}${'x'.repeat(70)}\r\n`.repeat(1) + `${'y'.repeat(70)}\r\n`.repeat(100),
  )
  const content = stored.get(queueId!)!
  assert.deepEqual(jobs[0]!.content, { kind: 'stored', id: queueId, sizeBytes: content.length })
  assert.match(content.toString(), /^Date: [\s\S]*y{70}\r\n$/)
  assert.equal((await client.send(envelope, MAIL + `${'z'.repeat(98)}\r\n`.repeat(1_100), 552)).enhanced, '5.3.4')
  assert.equal(jobs.length, 1)
})

test('a mail that can not be made safe is not accepted', async () => {
  for (const changes of [
    { publish: () => Promise.reject(new DependencyAway('rabbitmq')) },
    { store: () => Promise.reject(new DependencyAway('postgres')) },
  ]) {
    await using listener = await listen(portsThatNote(changes).ports, 'implicit')
    await using client = await loggedIn(listener.port)
    const refused = await client.send(envelope, MAIL + `${'y'.repeat(70)}\r\n`.repeat(100), 451)
    assert.equal(refused.enhanced, '4.3.0')
    assert.doesNotMatch(refused.text, /rabbitmq|postgres/)
    await client.say(`MAIL FROM:<${ALICE}>`, 250)
  }
})

test('the load balancers of the settings are those of both listeners', () => {
  for (const encryption of ['starttls', 'implicit'] as const) {
    const options = listenerOptions({ ...config, PROXY_PROTOCOL_NETWORKS: '10.0.0.0/8' }, encryption, certificates)
    assert.equal(options.proxyNetworks, '10.0.0.0/8')
  }
})
