// Port 25 by other people's clients: it takes their mail for accounts here, encrypted, and neither a login nor mail for others.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ClientDirectory, makeClientDirectory } from '@sekimori/testing/client-directory'
import { bodyOf, composeMail, fieldOf, fieldsOf, subjectOf } from '@sekimori/testing/mail-text'
import { PYTHON, runClient, runClientWell } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'

const SENDER = 'stranger@sender.example'
const BODY = Buffer.from('こんにちは、世界。\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n')

interface Sending {
  stack: Stack
  port: number
  directory: ClientDirectory
  recipient: string
  mail: Buffer
}

type Send = (sending: Sending) => Promise<unknown>

const swaks: Send = ({ stack, port, recipient, mail }) =>
  runClientWell(
    'swaks',
    [
      ...[
        '--server',
        '127.0.0.1',
        '--port',
        String(port),
        '--from',
        SENDER,
        '--to',
        recipient,
        '--tls',
        '--tls-verify',
      ],
      ...['--tls-ca-path', stack.endpoints.caCertificate, '--data', '-'],
    ],
    mail.subarray(0, -2), // it puts a line end of its own behind
  )

const msmtp: Send = async ({ port, directory: { ca, write }, recipient, mail }) => {
  const rc = await write('msmtprc', [
    ...['account default', 'host 127.0.0.1', `port ${port}`, `from ${SENDER}`, 'auth off'],
    ...['tls on', 'tls_starttls on', `tls_trust_file ${ca}`],
  ])
  await runClientWell('msmtp', [`--file=${rc}`, recipient], mail)
}

const curl: Send = ({ stack, port, recipient, mail }) =>
  runClientWell(
    'curl',
    [
      ...['--silent', '--show-error', '--ssl-reqd', '--cacert', stack.endpoints.caCertificate],
      ...[
        '--mail-from',
        SENDER,
        '--mail-rcpt',
        recipient,
        '--upload-file',
        '-',
        `smtp://127.0.0.1:${port}/client.example`,
      ],
    ],
    mail,
  )

const smtplib: Send = ({ stack, port, recipient, mail }) => {
  const script = join(import.meta.dirname, 'python', 'smtp_send.py')
  const args = ['starttls', '127.0.0.1', String(port), stack.endpoints.caCertificate, '', '', SENDER, recipient]
  return runClientWell(PYTHON, [script, ...args], mail)
}

for (const [name, send] of Object.entries({ swaks, msmtp, curl, smtplib })) {
  test(`S1-07 ${name} sends to an account over 25 without a login, and to nobody else`, async () => {
    const stack = await sharedStack()
    const bob = await stack.createMailbox()
    await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
    const { port } = stack.endpoints.mx
    const sending = { stack, port, directory, mail: composeMail({ from: SENDER, to: bob.address, body: BODY }) }
    await send({ ...sending, recipient: bob.address })
    const [received] = await stack.received(bob)
    assert.deepEqual(bodyOf(received!), BODY)
    assert.match(fieldsOf(received!, 'Received')[0]!, /with ESMTPS .*TLSv1\.3/s)
    await assert.rejects(async () => send({ ...sending, recipient: 'somebody@elsewhere.example' }), {
      message: name === 'curl' ? /RCPT failed: 550/ : /550.{0,10}5\.7\.1/s,
    })
  })
}

test('S1-07 mutt sends to an account over 25', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
  const rc = await directory.write('muttrc', [
    `set from="${SENDER}" use_envelope_from=yes copy=no send_charset="utf-8" charset="utf-8"`,
    `set smtp_url="smtp://localhost:${stack.endpoints.mx.port}/" ssl_force_tls=yes ssl_starttls=yes`,
    `set certificate_file="${directory.ca}" ssl_ca_certificates_file="${directory.ca}" ssl_usesystemcerts=no`,
  ])
  await runClientWell('mutt', ['-n', '-F', rc, '-s', '請求書', '--', bob.address], 'こんにちは\n.\n..\nthe end\n')
  const [received] = await stack.received(bob)
  assert.equal(subjectOf(received!), '請求書')
  assert.match(fieldOf(received!, 'Received'), /with ESMTPS .*TLSv1\.3/s)
})

test('S1-07 swaks and msmtp find no login on 25, and send no password', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
  const { port } = stack.endpoints.mx
  const login = ['--auth', 'PLAIN', '--auth-user', alice.address, '--auth-password', alice.password]
  const args = ['--server', '127.0.0.1', '--port', String(port), '--from', alice.address, '--to', bob.address, '--tls']
  const bySwaks = await runClient('swaks', [...args, ...login])
  assert.match(bySwaks.transcript, /Host did not advertise authentication/)
  const rc = await directory.write('msmtprc', [
    ...['account default', 'host 127.0.0.1', `port ${port}`, `from ${alice.address}`],
    ...[
      'auth plain',
      `user ${alice.address}`,
      `password ${alice.password}`,
      'tls on',
      `tls_trust_file ${directory.ca}`,
    ],
  ])
  const byMsmtp = await runClient(
    'msmtp',
    [`--file=${rc}`, bob.address],
    composeMail({ from: alice.address, to: bob.address }),
  )
  assert.match(byMsmtp.transcript, /server does not support authentication/)
  assert.deepEqual(await stack.messages(bob), [])
})

test('fetchmail brings the mail of one maildrop into another over 995 and 25', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address, body: BODY }))
  await stack.received(bob)
  await using directory = await makeClientDirectory(stack.endpoints.caCertificate)
  const { pop3s, mx } = stack.endpoints
  const rc = await directory.write('fetchmailrc', [
    'set invisible',
    `poll localhost protocol pop3 port ${pop3s.port} auth password`,
    `  user "${bob.address}" password "${bob.password}" ssl sslcertck sslcertfile "${directory.ca}"`,
    `  fetchall no keep no rewrite smtphost "127.0.0.1/${mx.port}" smtpname "${carol.address}"`,
  ])
  const args = ['--fetchmailrc', rc, '--nodetach', '--nosyslog', '--silent', '--pidfile', `${directory.path}/pid`]
  await runClientWell('fetchmail', [...args, '--idfile', `${directory.path}/ids`])
  const [received] = await stack.received(carol)
  assert.deepEqual(bodyOf(received!), BODY)
  assert.deepEqual(await stack.messages(bob), [])
})
