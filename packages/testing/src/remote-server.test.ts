// The scripted remote server, spoken to by the dialer and by nodemailer's client.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTransport } from 'nodemailer'
import { eventually } from './eventually.ts'
import { startRemoteServer } from './remote-server.ts'
import { dialSmtp } from './smtp-dialer.ts'
import { makeTestCertificate } from './test-certificate.ts'

const ENVELOPE = { mailFrom: 'a@sender.test', recipients: ['b@remote.test', 'c@remote.test'] }
const MESSAGE = 'Subject: x\r\n\r\n.dot\r\n..two\r\nend\r\n'

test('a mail is recorded as it was sent', async () => {
  await using server = await startRemoteServer()
  await using smtp = await dialSmtp(server)
  await smtp.say('EHLO us.test', 250)
  const waiting = server.received((mail) => mail.recipients.includes('c@remote.test'))
  await smtp.send({ ...ENVELOPE, parameters: 'BODY=8BITMIME' }, MESSAGE)
  const { data, ...rest } = await waiting
  assert.deepEqual(rest, { ...ENVELOPE, tls: false, ehlo: 'us.test', parameters: 'BODY=8BITMIME' })
  assert.equal(data.toString(), MESSAGE)
  await smtp.send({ mailFrom: '', recipients: ['d@remote.test'] }, '')
  assert.deepEqual([server.mails[1]?.mailFrom, server.mails[1]?.data.length], ['', 0])
  await smtp.quit()
})

test('with a certificate it takes mail over STARTTLS, from nodemailer as well', async () => {
  const certificate = await makeTestCertificate('remote.test')
  await using server = await startRemoteServer({ certificate })
  const { host, port } = server
  const tls = { ca: certificate.cert, servername: 'remote.test' }
  const transport = createTransport({ host, port, name: 'us.test', requireTLS: true, tls })
  await transport.sendMail({ envelope: { from: '', to: ENVELOPE.recipients }, raw: MESSAGE })
  transport.close()
  const mail = await server.received()
  assert.deepEqual([mail.mailFrom, mail.tls, mail.data.toString()], ['', true, MESSAGE])
  assert.ok(server.commands.includes('STARTTLS'))
})

test('a client that does not trust the certificate leaves an error on record', async () => {
  await using server = await startRemoteServer({ certificate: await makeTestCertificate('remote.test') })
  const other = await makeTestCertificate('remote.test')
  await using smtp = await dialSmtp(server, { ca: other.cert, servername: 'remote.test' })
  await smtp.say('EHLO us.test', 250)
  await assert.rejects(smtp.starttls(), /handshake failed: .*self-signed certificate/)
  await eventually(() => server.errors.length > 0)
  assert.match(server.errors[0]?.message ?? '', /handshake failed/)
})

test('replies follow the script: per recipient, per attempt, per step', async () => {
  await using server = await startRemoteServer({
    replies: [
      { at: 'RCPT', recipient: 'b@remote.test', reply: '550 5.1.1 No such user' },
      { at: 'message', recipient: 'c@remote.test', reply: '451 4.3.2 Later', times: 1 },
    ],
  })
  await using smtp = await dialSmtp(server)
  await smtp.say('EHLO us.test', 250)
  const only = (recipient: string) => ({ mailFrom: 'a@sender.test', recipients: [recipient] })
  await smtp.say('MAIL FROM:<a@sender.test>', 250)
  assert.equal((await smtp.say('RCPT TO:<b@remote.test>', 550)).enhanced, '5.1.1')
  assert.equal((await smtp.send(only('c@remote.test'), MESSAGE, 451)).enhanced, '4.3.2')
  assert.equal(server.mails.length, 0)
  await smtp.send(only('c@remote.test'), MESSAGE)
  server.script({ at: 'MAIL', reply: '452 4.3.1 Full' })
  server.script({ at: 'DATA', reply: '554 5.7.1 No' })
  await smtp.say('MAIL FROM:<a@sender.test>', 452)
  await smtp.say('RCPT TO:<d@remote.test>', 503)
  server.unscript()
  await smtp.send(only('b@remote.test'), MESSAGE)
  assert.deepEqual(
    server.mails.map((mail) => mail.recipients),
    [['c@remote.test'], ['b@remote.test']],
  )
})

test('it hangs up at 421 and where the script says so, and stays silent where it says so', async () => {
  await using server = await startRemoteServer()
  server.script({ at: 'connect', reply: '421 4.3.2 Not now', times: 1 })
  server.script({ at: 'connect', reply: 'close', times: 1 })
  server.script({ at: 'EHLO', reply: 'silence', times: 1 })
  server.script({ at: 'message', reply: 'close', times: 1 })
  await using refused = await dialSmtp(server, { greeting: 421 })
  await refused.closed()
  await assert.rejects(dialSmtp(server), /closed.* while waiting for a greeting/)
  await using silenced = await dialSmtp(server, { timeoutMs: 1_000 })
  await assert.rejects(silenced.say('EHLO us.test'), /waited 1000 ms in vain for a reply in reply to "EHLO us.test"/)
  await using cut = await dialSmtp(server)
  await cut.say('EHLO us.test', 250)
  await assert.rejects(cut.send(ENVELOPE, MESSAGE), /in reply to the message/)
  assert.equal(server.mails.length, 0)
})

test('waiting in vain names what came instead', async () => {
  await using server = await startRemoteServer({ host: '127.0.0.2' })
  assert.equal(server.host, '127.0.0.2')
  await using smtp = await dialSmtp(server)
  await smtp.say('EHLO us.test', 250)
  await smtp.send(ENVELOPE, MESSAGE)
  await assert.rejects(
    server.received((mail) => mail.mailFrom === '', 20),
    /no such mail in 20 ms; received: <a@sender.test> to b@remote.test, c@remote.test; last commands: .*DATA/,
  )
})
