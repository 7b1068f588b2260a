// The same service by other people's clients: swaks, curl, and Python's smtplib and poplib.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodyOf, composeMail } from '@sekimori/testing/mail-text'
import { PYTHON, runClient, runClientWell } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const BODY = Buffer.from('こんにちは、世界。\r\n.dot\r\n..two dots\r\n\r\nthe end\r\n')

/** Sends a mail by the client and reads it back over 995. */
async function checkSending(send: (stack: Stack, from: Mailbox, to: Mailbox, mail: Buffer) => Promise<unknown>) {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await send(stack, alice, bob, composeMail({ from: alice.address, to: bob.address, body: BODY }))
  const [received] = await stack.received(bob)
  assert.deepEqual(bodyOf(received!), BODY)
}

/** Sends a mail and reads it by the client. */
async function checkFetching(fetch: (stack: Stack, mailbox: Mailbox) => Promise<Buffer>) {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.submit(alice, [bob.address], composeMail({ from: alice.address, to: bob.address, body: BODY }))
  const [expected] = await stack.received(bob)
  assert.deepEqual(await fetch(stack, bob), expected)
}

const swaks = (stack: Stack, port: number, from: Mailbox, to: Mailbox, ...args: string[]) => [
  ...['--server', '127.0.0.1', '--port', String(port), '--from', from.address, '--to', to.address],
  ...['--auth-user', from.address, '--auth-password', from.password, '--tls-verify'],
  ...['--tls-ca-path', stack.endpoints.caCertificate, '--data', '-', ...args],
]

/** swaks puts a line end of its own behind what it is given. */
function withoutLastLineEnd(mail: Buffer): Buffer {
  return mail.subarray(0, -2)
}

test('S1-01 S1-06 S1-13 swaks sends over 587 with STARTTLS and AUTH LOGIN', async () => {
  await checkSending((stack, alice, bob, mail) => {
    const { port } = stack.endpoints.submission
    return runClientWell('swaks', swaks(stack, port, alice, bob, '--tls', '--auth', 'LOGIN'), withoutLastLineEnd(mail))
  })
})

test('S1-10 S2-18 swaks sends over 465 with AUTH PLAIN', async () => {
  await checkSending((stack, alice, bob, mail) => {
    const { port } = stack.endpoints.smtps
    return runClientWell(
      'swaks',
      swaks(stack, port, alice, bob, '--tls-on-connect', '--auth', 'PLAIN'),
      withoutLastLineEnd(mail),
    )
  })
})

test('S1-05 swaks with a wrong password is refused with 535', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const { port } = stack.endpoints.submission
  const args = swaks(stack, port, { ...alice, password: 'wrong' }, bob, '--tls')
  const run = await runClient('swaks', args, composeMail({ from: alice.address, to: bob.address }))
  assert.equal(run.code, 28, run.transcript)
  assert.match(run.transcript, /535 5\.7\.8/)
  assert.deepEqual(await stack.messages(bob), [])
})

for (const [mode, listener] of [
  ['starttls', 'submission'],
  ['ssl', 'smtps'],
] as const) {
  test(`S1-01 S1-10 smtplib sends over ${listener} (${mode})`, async () => {
    await checkSending((stack, alice, bob, mail) => {
      const { host, port } = stack.endpoints[listener]
      const login = [stack.endpoints.caCertificate, alice.address, alice.password]
      const script = join(import.meta.dirname, 'python', 'smtp_send.py')
      return runClientWell(PYTHON, [script, mode, host, String(port), ...login, alice.address, bob.address], mail)
    })
  })
}

for (const [mode, listener] of [
  ['stls', 'pop3'],
  ['ssl', 'pop3s'],
] as const) {
  test(`S1-01 S1-09 S2-19 poplib reads over ${listener} (${mode})`, async () => {
    await checkFetching(async (stack, mailbox) => {
      const { host, port } = stack.endpoints[listener]
      const login = [stack.endpoints.caCertificate, mailbox.address, mailbox.password]
      const script = join(import.meta.dirname, 'python', 'pop3_fetch.py')
      const { stdout } = await runClientWell(PYTHON, [script, mode, host, String(port), ...login])
      return Buffer.from(stdout.toString(), 'base64')
    })
  })
}

for (const [scheme, listener] of [
  ['smtp', 'submission'],
  ['smtps', 'smtps'],
] as const) {
  test(`S1-01 S1-10 curl sends over ${scheme}`, async () => {
    await checkSending((stack, alice, bob, mail) => {
      const { port } = stack.endpoints[listener]
      const args = curl(stack, alice, `${scheme}://127.0.0.1:${port}/client.example`)
      const envelope = ['--mail-from', alice.address, '--mail-rcpt', bob.address, '--upload-file', '-']
      return runClientWell('curl', [...args, ...envelope], mail)
    })
  })
}

for (const [scheme, listener] of [
  ['pop3', 'pop3'],
  ['pop3s', 'pop3s'],
] as const) {
  test(`S1-01 S1-09 S2-19 curl reads over ${scheme}`, async () => {
    await checkFetching(async (stack, mailbox) => {
      const { port } = stack.endpoints[listener]
      const { stdout } = await runClientWell('curl', curl(stack, mailbox, `${scheme}://127.0.0.1:${port}/1`))
      return stdout
    })
  })
}

function curl(stack: Stack, { address, password }: Mailbox, url: string): string[] {
  const { caCertificate } = stack.endpoints
  return ['--silent', '--show-error', '--ssl-reqd', '--cacert', caCertificate, '--user', `${address}:${password}`, url]
}
