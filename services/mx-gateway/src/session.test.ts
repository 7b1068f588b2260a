// Port 25 over real sockets, with ports as object literals: local recipients only, no AUTH, mail kept as it came.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { createLog } from '@sekimori/runtime/log'
import { listenSmtp } from '@sekimori/smtp/listener'
import { dialSmtp, type SmtpDialer } from '@sekimori/testing/smtp-dialer'
import { fixedCertificates, makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Config } from './config.ts'
import { listenerOptions } from './listener-options.ts'
import type { Ports } from './ports.ts'
import { inboundDecisions } from './session.ts'

const certificate = await makeTestCertificate('localhost')
const config = {
  MAIL_HOSTNAME: 'mx.test',
  BIND_ADDRESS: '127.0.0.1',
  MX_PORT: 0,
  DRAIN_TIMEOUT_MS: 1_000,
  MAX_MESSAGE_BYTES: 100_000,
  INLINE_CONTENT_MAX_BYTES: 2_000,
  MAX_RECIPIENTS: 10,
  MAX_SESSIONS: 10,
  BARE_LF: 'refuse',
  MAX_LINE_BYTES: 32_768,
  COMMAND_TIMEOUT_MS: 60_000,
  HANDSHAKE_TIMEOUT_MS: 60_000,
  DATA_MIN_BYTES_PER_SECOND: 500,
  SESSION_TIMEOUT_MS: 600_000,
  MAX_ERRORS: 20,
  GREETING_DELAY_MS: 0,
} as Config
const MAIL = 'From: x@stranger.test\r\nBcc: y\r\nMessage-ID: <1@stranger.test>\r\n\r\nbody \xe9\r\n'
const ENVELOPE = { mailFrom: 'x@stranger.test', recipients: ['bob@example.test'] }

async function listen(changes: Partial<Ports> = {}) {
  const jobs: Job[] = []
  const ports: Ports = {
    admission: { admit: () => undefined, leave: () => {} },
    directory: {
      lookup: async (address) => {
        if (address === 'bob@example.test') return { kind: 'account', accountId: 2, address }
        if (address === 'staff@example.test') return { kind: 'list', address, name: 'Staff' }
        return { kind: address.endsWith('@example.test') ? 'unknown' : 'foreign' }
      },
    },
    lookupAddresses: async () => [],
    greylistAge: async () => 0,
    mayPost: async () => true,
    full: async () => new Set(),
    reverseSender: async () => ({ kind: 'none' }),
    store: async (_queueId, input) => Buffer.concat(await Array.fromAsync(input)).length,
    publish: async (job) => void jobs.push(job),
    dmarcPolicy: async () => 'record',
    verify: () => assert.fail('nothing is verified where nothing is enforced'),
    note: async () => {},
    traceRefusal: async () => {},
    release: async () => {},
    reportFault: (_job, error) => assert.fail(error as Error),
    ...changes,
  }
  const log = createLog('test', 'silent')
  const listener = await listenSmtp(
    listenerOptions(config, fixedCertificates(certificate)),
    inboundDecisions(config, ports),
    log,
  )
  return { listener, jobs, dial: () => greeted(listener.port) }
}

async function greeted(port: number): Promise<SmtpDialer> {
  const client = await dialSmtp({ host: '127.0.0.1', port }, { ca: certificate.cert, servername: 'localhost' })
  await client.say('EHLO relay.stranger.test', 250)
  return client
}

test('S1-07 AUTH is never offered nor accepted, with TLS or without', async () => {
  const { listener, dial } = await listen()
  await using _ = listener
  await using client = await dial()
  for (const step of ['clear', 'tls']) {
    if (step === 'tls') await client.starttls()
    assert.doesNotMatch((await client.say('EHLO relay.stranger.test', 250)).text, /AUTH/, step)
    await client.say('AUTH PLAIN AGFAYgBj', 500)
    await client.say('AUTH LOGIN', 500)
  }
})

test('S1-03 mail is taken for local accounts and lists, and for nobody else', async () => {
  const { listener, dial } = await listen()
  await using _ = listener
  await using client = await dial()
  await client.say('MAIL FROM:<>', 250)
  await client.say('RCPT TO:<bob@example.test>', 250)
  await client.say('RCPT TO:<staff@example.test>', 250)
  assert.equal((await client.say('RCPT TO:<gone@example.test>', 550)).enhanced, '5.1.1')
  for (const foreign of [
    'x@elsewhere.test',
    'x@example.test.elsewhere.test',
    'bob%example.test@elsewhere.test',
    'postmaster@elsewhere.test',
  ])
    assert.equal((await client.say(`RCPT TO:<${foreign}>`, 550)).enhanced, '5.7.1', foreign)
})

test('a sender address of ours is no login: relaying stays refused', async () => {
  const { listener, dial } = await listen()
  await using _ = listener
  await using client = await dial()
  await client.say('MAIL FROM:<bob@example.test>', 250)
  assert.equal((await client.say('RCPT TO:<x@elsewhere.test>', 550)).enhanced, '5.7.1')
})

test('while the directory can not be asked the client is told to come again', async () => {
  const { listener, dial } = await listen({
    directory: { lookup: () => Promise.reject(new DependencyAway('postgres')) },
  })
  await using _ = listener
  await using client = await dial()
  await client.say('MAIL FROM:<x@stranger.test>', 250)
  const reply = await client.say('RCPT TO:<bob@example.test>', 451)
  assert.equal(reply.enhanced, '4.3.0')
  assert.doesNotMatch(reply.text, /postgres/)
})

test('an accepted mail is kept octet for octet, with a Received line and the facts of its session', async () => {
  const { listener, jobs, dial } = await listen()
  await using _ = listener
  await using client = await dial()
  const { queueId } = await client.send(ENVELOPE, Buffer.from(MAIL, 'latin1'))
  const [job] = jobs as [Job]
  assert.equal(job.queueId, queueId)
  assert.equal(job.direction, 'inbound')
  assert.equal(job.messageId, '<1@stranger.test>')
  assert.deepEqual(job.session, { receivedBy: 'mx', clientAddress: '127.0.0.1', ehloName: 'relay.stranger.test' })
  assert.deepEqual(job.content, { kind: 'inline', bytes: Buffer.from(MAIL, 'latin1') })
  assert.match(
    job.added[0]!,
    /^Received: from relay\.stranger\.test[\s\S]*with ESMTP id [\s\S]*for <bob@example\.test>;/,
  )
})

test('a mail that has gone round a hundred times is a loop', async () => {
  const { listener, jobs, dial } = await listen()
  await using _ = listener
  await using client = await dial()
  await client.send(ENVELOPE, 'Received: x\r\n'.repeat(100) + MAIL)
  const refused = await client.send(ENVELOPE, 'Received: x\r\n'.repeat(101) + MAIL, 554)
  assert.equal(refused.enhanced, '5.4.6')
  assert.equal(jobs.length, 1)
})

test('a mail that can not be made safe is not accepted', async () => {
  const { listener, dial } = await listen({ publish: () => Promise.reject(new DependencyAway('rabbitmq')) })
  await using _ = listener
  await using client = await dial()
  assert.equal((await client.send(ENVELOPE, MAIL, 451)).enhanced, '4.3.0')
  assert.equal((await client.send(ENVELOPE, `${MAIL}${`${'z'.repeat(98)}\r\n`.repeat(1_100)}`, 552)).enhanced, '5.3.4')
})

test('the load balancers of the settings are those of the listener', () => {
  const options = listenerOptions({ ...config, PROXY_PROTOCOL_NETWORKS: '10.0.0.0/8' }, fixedCertificates(certificate))
  assert.equal(options.proxyNetworks, '10.0.0.0/8')
})
