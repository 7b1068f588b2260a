// The SMTP dialer against smtp-server, a server written by others.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Endpoint } from './line-socket.ts'
import { dialSmtp } from './smtp-dialer.ts'
import { makeTestCertificate } from './test-certificate.ts'

interface Taken extends AsyncDisposable {
  endpoint: Endpoint
  messages: Buffer[]
  logins: string[]
  errors: Error[]
}

async function serve(options: SMTPServerOptions): Promise<Taken> {
  const messages: Buffer[] = []
  const logins: string[] = []
  const errors: Error[] = []
  const server = new SMTPServer({
    disableReverseLookup: true,
    onAuth: ({ method, username, password }, _session, callback) => {
      logins.push(`${method} ${username} ${password}`)
      callback(password === 'wrong' ? new Error('no') : null, { user: username ?? '' })
    },
    onData: (stream, _session, callback) => {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        messages.push(Buffer.concat(chunks))
        callback(null, 'Ok: queued as 4F2A')
      })
    },
    ...options,
    hideSTARTTLS: options.cert === undefined,
  })
  server.on('error', (error) => errors.push(error))
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const dispose = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { endpoint: { host: '127.0.0.1', port }, messages, logins, errors, [Symbol.asyncDispose]: dispose }
}

/** Answers each line received by the next of `replies`. */
async function serveLines(...replies: string[]): Promise<Endpoint & AsyncDisposable> {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write(replies.shift() ?? '')
    socket.on('data', () => socket.write(replies.shift() ?? ''))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dispose = async () => void server.close()
  return { host: '127.0.0.1', port, [Symbol.asyncDispose]: dispose }
}

test('a whole session: STARTTLS, AUTH LOGIN and PLAIN, a dot-stuffed message, its queue id', async () => {
  const certificate = await makeTestCertificate('127.0.0.1')
  await using server = await serve({ ...certificate })
  await using smtp = await dialSmtp(server.endpoint, { ca: certificate.cert })
  assert.match((await smtp.say('EHLO us.test', 250)).text, /^STARTTLS$/m)
  await smtp.starttls()
  await smtp.say('EHLO us.test', 250)
  await smtp.authLogin('alice@example.test', 'secret')
  const message = '.one\r\n..two\r\nthree\r\n.\r\n'
  const reply = await smtp.send({ mailFrom: 'a@b.test', recipients: ['c@d.test'] }, message)
  assert.deepEqual([reply.code, reply.queueId], [250, '4F2A'])
  assert.equal(server.messages[0]?.toString(), message)
  await smtp.quit()
  await using second = await dialSmtp(server.endpoint)
  await second.say('EHLO us.test', 250)
  await second.starttls()
  await second.say('EHLO us.test', 250)
  await second.authPlain('bob@example.test', 'wrong', 535)
  assert.deepEqual(server.logins, ['LOGIN alice@example.test secret', 'PLAIN bob@example.test wrong'])
})

test('implicit TLS, and a certificate for another name is refused', async () => {
  const certificate = await makeTestCertificate('mail.test')
  await using server = await serve({ ...certificate, secure: true })
  await using smtp = await dialSmtp(server.endpoint, { tls: 'implicit', ca: certificate.cert, servername: 'mail.test' })
  await smtp.say('EHLO us.test', 250)
  await assert.rejects(dialSmtp(server.endpoint, { tls: 'implicit', ca: certificate.cert }), /does not match|altnames/)
})

test('40 MB go through unchanged', async () => {
  await using server = await serve({ authOptional: true, disabledCommands: ['STARTTLS'] })
  await using smtp = await dialSmtp(server.endpoint)
  const lines = `.${'x'.repeat(70)}\r\n${`${'y'.repeat(76)}\r\n`.repeat(99)}`
  const message = Buffer.from(lines.repeat(Math.ceil((40 * 1024 * 1024) / lines.length)))
  await smtp.say('EHLO us.test', 250)
  await smtp.send({ mailFrom: '', recipients: ['c@d.test'] }, message)
  assert.ok(server.messages[0]?.equals(message))
})

test('several replies at once are heard one by one', async () => {
  await using server = await serve({ authOptional: true })
  await using smtp = await dialSmtp(server.endpoint)
  await smtp.raw('EHLO us.test\r\nNOOP\r\nVRFY x\r\n')
  assert.ok((await smtp.hear(250)).lines.length > 3)
  await smtp.hear(250)
  await smtp.hear(252)
})

test('enhanced codes and texts are told apart', async () => {
  await using server = await serveLines('220-one\r\n220 two\r\n', '550-5.1.1 No such\r\n550 5.1.1 user\r\n', '250\r\n')
  await using smtp = await dialSmtp(server)
  assert.deepEqual(smtp.greeting, { code: 220, text: 'one\ntwo', lines: ['220-one', '220 two'] })
  const { code, enhanced, text } = await smtp.say('x')
  assert.deepEqual([code, enhanced, text], [550, '5.1.1', 'No such\nuser'])
  assert.deepEqual(await smtp.say('y', 250), { code: 250, text: '', lines: ['250'] })
})

test('a failure says what was expected, of what, and what came', async () => {
  await using server = await serveLines('220 hi\r\n', '550 5.1.1 no\r\n', '535 no\r\n', 'hello\r\n')
  await using smtp = await dialSmtp(server, { timeoutMs: 1_000 })
  await assert.rejects(smtp.say('RCPT TO:<b@d.test>', 250), {
    message: 'expected 250 in reply to "RCPT TO:<b@d.test>", got "550 5.1.1 no"',
    actual: 550,
    expected: 250,
  })
  await assert.rejects(smtp.authPlain('a', 'secret'), (error: Error) => !/secret|AHMA/.test(error.message))
  await assert.rejects(smtp.say('NOOP'), /"hello" is no line of an SMTP reply/)
  await assert.rejects(smtp.say('NOOP'), /waited \d+ ms in vain for a reply in reply to "NOOP"/)
})

test('a reply that mixes codes, and bytes sent along with the 220 of STARTTLS, are failures', async () => {
  await using mixed = await serveLines('220-hi\r\n250 there\r\n')
  await assert.rejects(dialSmtp(mixed), /code changed from "220-hi" to "250 there"/)
  await using early = await serveLines('220 hi\r\n', '220 go\r\n250 early\r\n')
  await using smtp = await dialSmtp(early)
  await assert.rejects(smtp.starttls(), /bytes came before TLS: "250 early/)
})

test('a refusal that comes before the whole message is sent is the reply', async () => {
  const server = net.createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.write('220 hi\r\n')
    socket.once('data', () => socket.end('552 5.3.4 Too big\r\n'))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await using smtp = await dialSmtp({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  assert.equal((await smtp.sendMessage(Buffer.alloc(8_000_000, 'x'), 552)).enhanced, '5.3.4')
  await smtp.closed()
  server.close()
})
