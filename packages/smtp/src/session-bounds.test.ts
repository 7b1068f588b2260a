// What a client may not do for ever, or too often, or too early: each is bounded and answered with its code.
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { connect } from '@sekimori/testing/line-socket'
import { dialSmtp, type SmtpDialer } from '@sekimori/testing/smtp-dialer'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { linesUntilEnd, shout, testListener } from './testing/test-listener.ts'

/** Long enough for whatever a client of these tests has to do in time, on a machine with better things to do. */
const SHORT_MS = 3_000

async function greeted(endpoint: { host: string; port: number }): Promise<SmtpDialer> {
  const client = await dialSmtp(endpoint)
  await client.say('EHLO client.test', 250)
  return client
}

/** Sends an octet again and again until the server has closed. */
async function trickle(client: SmtpDialer, octet: string): Promise<string> {
  const timer = setInterval(() => void client.raw(octet).catch(() => {}), 20)
  try {
    const { code, enhanced } = await client.hear()
    await client.closed()
    return `${code} ${enhanced}`
  } finally {
    clearInterval(timer)
  }
}

test('RFC 5321 4.5.3.1.4 a line that is too long is answered with 500 5.5.2, and the session goes on', async () => {
  await using listener = await testListener()
  await using client = await greeted(listener.endpoint)
  for (const length of [2_100, 13_000, 60_000]) {
    const { enhanced, text } = await client.say(`NOOP ${'x'.repeat(length)}`, 500)
    assert.deepEqual([enhanced, text], ['5.5.2', 'Line too long'])
  }
  await client.say('NOOP', 250)
})

test('a line without end is answered with 500 5.5.2 and the end of the session', async () => {
  await using listener = await testListener()
  await using client = await greeted(listener.endpoint)
  await client.raw('x'.repeat(70_000))
  assert.equal((await client.hear(500)).enhanced, '5.5.2')
  await client.closed()
})

test('RFC 5321 2.3.8 a command that ends in a bare LF, or holds CR or NUL, is not run', async () => {
  await using listener = await testListener()
  await using client = await greeted(listener.endpoint)
  for (const line of ['MAIL FROM:<a@b.test>\n', 'MAIL FROM:<a@b.test>\rRSET\r\n', 'MAIL\0 FROM:<a@b.test>\r\n']) {
    await client.raw(line)
    assert.equal((await client.hear(500)).enhanced, '5.5.2')
  }
  await client.say('RCPT TO:<c@d.test>', 503)
})

test('a command that the end of the connection cuts off is not run', async () => {
  let senders = 0
  await using listener = await testListener({ decisions: { mailFrom: async () => void senders++ } })
  const socket = await connect(listener.endpoint)
  await socket.readLine()
  await socket.write('EHLO client.test\r\n')
  while (!(await socket.readLine()).startsWith('250 '));
  await socket.write('MAIL FROM:<a@b.test>')
  await socket.end()
  assert.equal(senders, 0)
})

test('RFC 2920 3.1 MAIL, RCPT and DATA in one group are answered in order', async () => {
  await using listener = await testListener()
  await using client = await greeted(listener.endpoint)
  await client.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\n')
  for (const code of [250, 250, 250, 354]) await client.hear(code)
  await client.raw('A: 1\r\n\r\nx\r\n.\r\nRSET\r\nQUIT\r\n')
  for (const code of [250, 250, 221]) await client.hear(code)
  assert.deepEqual(listener.mails[0]?.recipients, ['c@d.test', 'e@f.test'])
})

for (const verb of ['EHLO x.test', 'HELO x.test', 'AUTH PLAIN AGEAYg==', 'VRFY a', 'DATA'])
  test(`RFC 2920 3.1 ${verb.slice(0, 4)} must be the last of a group: 554 5.5.0 and the end`, async () => {
    await using listener = await testListener()
    await using client = await greeted(listener.endpoint)
    await client.say('MAIL FROM:<a@b.test>', 250)
    await client.say('RCPT TO:<c@d.test>', 250)
    await client.raw(`${verb}\r\nA: 1\r\n\r\n.\r\nMAIL FROM:<smuggled@b.test>\r\n`)
    assert.equal((await client.hear(554)).enhanced, '5.5.0')
    await client.closed()
    assert.deepEqual(listener.mails, [])
  })

test('RFC 3030 BDAT is not offered; its octets are never read as commands', async () => {
  await using listener = await testListener()
  await using client = await greeted(listener.endpoint)
  await client.say('MAIL FROM:<a@b.test>', 250)
  await client.say('RCPT TO:<c@d.test>', 250)
  await client.raw('BDAT 22 LAST\r\nMAIL FROM:<x@y.test>\r\n')
  assert.equal((await client.hear(502)).enhanced, '5.5.1')
  await client.closed()
})

test('too many errors end the session with 421 4.7.0; an accepted mail sets the count back', async () => {
  await using listener = await testListener({ limits: { maxErrors: 5 } })
  await using client = await greeted(listener.endpoint)
  for (let i = 0; i < 4; i++) await client.say('XYZZY', 500)
  await client.send({ mailFrom: 'a@b.test', recipients: ['c@d.test'] }, 'A: 1\r\n\r\nx\r\n')
  for (let i = 0; i < 5; i++) await client.say('XYZZY', 500)
  assert.equal((await client.hear(421)).enhanced, '4.7.0')
  await client.closed()
})

test('commands that bring no mail nearer are bounded too', async () => {
  await using listener = await testListener({ limits: { maxIdleCommands: 10 } })
  await using client = await greeted(listener.endpoint)
  for (let i = 0; i < 9; i++) await client.say(i % 2 ? 'NOOP' : 'RSET', 250)
  assert.equal((await client.say('NOOP', 421)).enhanced, '4.7.0')
  await client.closed()
})

test('RFC 5321 4.5.3.1.10 recipients over the limit get 452 4.5.3, and the others their mail', async () => {
  await using listener = await testListener({ smtp: { maxRecipients: 100 } })
  await using client = await greeted(listener.endpoint)
  await client.say('MAIL FROM:<a@b.test>', 250)
  for (let i = 0; i < 100; i++) await client.say(`RCPT TO:<u${i}@d.test>`, 250)
  assert.equal((await client.say('RCPT TO:<more@d.test>', 452)).enhanced, '4.5.3')
  await client.say('DATA', 354)
  await client.sendMessage('A: 1\r\n\r\nx\r\n', 250)
  assert.equal(listener.mails[0]?.recipients.length, 100)
})

suite('limits of time', { concurrency: true }, () => {
  test('a client that talks before the greeting gets 421 4.7.0, a whole line or not', async () => {
    await using listener = await testListener({ smtp: { greetingDelay: SHORT_MS } })
    const early = ['EHLO early.test\r\n', 'E', 'EHLO early.test\n'].map((octets) => shout(listener.endpoint, octets))
    await using patient = await dialSmtp(listener.endpoint)
    await patient.say('EHLO patient.test', 250)
    for (const lines of await Promise.all(early)) assert.match(lines.join(), /^421 4\.7\.0 mx\.test You talk too soon$/)
  })

  test('a command that comes octet by octet has its time as a whole', async () => {
    await using listener = await testListener({ limits: { commandTimeoutMs: SHORT_MS } })
    await using client = await greeted(listener.endpoint)
    assert.equal(await trickle(client, 'N'), '421 4.4.2')
  })

  test('RFC 5321 4.5.3.2.7 a client that says nothing is let go', async () => {
    await using listener = await testListener({ limits: { commandTimeoutMs: SHORT_MS } })
    await using client = await greeted(listener.endpoint)
    assert.equal((await client.hear(421)).enhanced, '4.4.2')
    await client.closed()
  })

  test('a mail that comes octet by octet is given up', async () => {
    await using listener = await testListener({ limits: { commandTimeoutMs: SHORT_MS, dataMinBytesPerSecond: 10_000 } })
    await using client = await greeted(listener.endpoint)
    await client.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
    for (const code of [250, 250, 354]) await client.hear(code)
    assert.equal(await trickle(client, 'x\r\n'), '421 4.4.2')
    assert.deepEqual(listener.mails, [])
  })

  test('a session has an end, between two commands', async () => {
    await using listener = await testListener({ limits: { sessionTimeoutMs: SHORT_MS } })
    await using client = await greeted(listener.endpoint)
    const timer = setInterval(() => void client.raw('NOOP\r\n').catch(() => {}), 50)
    let reply = await client.hear()
    while (reply.code === 250) reply = await client.hear()
    clearInterval(timer)
    assert.deepEqual([reply.code, reply.enhanced], [421, '4.4.2'])
  })

  test('a decision that takes longer than every limit is still answered', async () => {
    const decided = Promise.withResolvers<void>()
    const decisions = { recipient: () => decided.promise }
    await using listener = await testListener({
      decisions,
      limits: { commandTimeoutMs: SHORT_MS, sessionTimeoutMs: SHORT_MS },
    })
    await using client = await dialSmtp(listener.endpoint)
    await client.raw('EHLO client.test\r\n')
    await client.hear(250)
    await client.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\n')
    await client.hear(250)
    setTimeout(() => decided.resolve(), 1.5 * SHORT_MS)
    await client.hear(250)
  })

  test('a TLS handshake that does not come to its end is given up, from the start or after STARTTLS', async () => {
    const certificate = await makeTestCertificate('localhost')
    const limits = { handshakeTimeoutMs: SHORT_MS }
    await using implicit = await testListener({ limits, certificate, smtp: { secure: true } })
    assert.deepEqual(await shout(implicit.endpoint, '\x16\x03\x01'), [])
    await using starttls = await testListener({ limits, certificate, smtp: { disabledCommands: [] } })
    const socket = await connect(starttls.endpoint)
    await socket.readLine()
    await socket.write('STARTTLS\r\n')
    assert.deepEqual(await linesUntilEnd(socket), ['220 2.0.0 Ready to start TLS'])
    await socket.close()
  })
})
