// Mail to other servers: to the MX that DNS names, signed, tried again while there is hope, returned when there is none.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSignatures } from '@sekimori/testing/dkim-check'
import { bodyOf, composeMail, fieldsOf } from '@sekimori/testing/mail-text'
import { startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'

const BODY = Buffer.from('.\r\nこんにちは\r\n..\r\n\r\n')

/** Submits a mail to one remote address; resolves to its queue id. */
async function send(stack: Stack, to: string): Promise<string> {
  const alice = await stack.createMailbox()
  return stack.submit(alice, [to], composeMail({ from: alice.address, to, body: BODY }))
}

test('S2-08 a mail goes to the MX that DNS names, signed, octet for octet, once', async () => {
  const stack = await sharedStack()
  const domain = stack.createRemoteDomain()
  // Were the domain's own address used, the mail would go there.
  await using decoy = await startRemoteServer({ host: '127.0.0.2', port: stack.remote.port })
  stack.dns.set(domain, 'A', ['127.0.0.2'])
  const alice = await stack.createMailbox()
  const to = `friend@${domain}`
  const mail = composeMail({ from: alice.address, to, body: BODY })
  const queueId = await stack.submit(alice, [to], mail)
  const [end] = await stack.ended(queueId)
  assert.equal(end!.outcome, 'sent')
  const received = stack.remote.mails.filter(({ recipients }) => recipients.includes(to))
  assert.equal(received.length, 1)
  assert.equal(received[0]!.mailFrom, alice.address)
  assert.deepEqual(bodyOf(received[0]!.data), BODY)
  const checks = await checkSignatures(received[0]!.data, stack.dns.address)
  assert.deepEqual(
    checks.map(({ isValid }) => isValid),
    [true, true],
  )
  assert.equal(decoy.mails.length, 0)
})

test('S1-12 S2-17 a server that offers STARTTLS gets the mail encrypted', async () => {
  const stack = await sharedStack()
  const certificate = await makeTestCertificate('mx.elsewhere.test')
  await using remote = await startRemoteServer({ host: '127.0.0.3', port: stack.remote.port, certificate })
  const domain = stack.createRemoteDomain()
  stack.dns.set(`mx.${domain}`, 'A', ['127.0.0.3'])
  await send(stack, `friend@${domain}`)
  const { tls } = await remote.received()
  assert.equal(tls, true)
})

test('when the best MX does not answer, the next one is used', async () => {
  const stack = await sharedStack()
  const domain = stack.createRemoteDomain()
  stack.dns.set(domain, 'MX', [
    { exchange: `down.${domain}`, priority: 5 },
    { exchange: `mx.${domain}`, priority: 10 },
  ])
  stack.dns.set(`down.${domain}`, 'A', ['127.0.0.99'])
  await send(stack, `friend@${domain}`)
  await stack.remote.received(({ recipients }) => recipients.includes(`friend@${domain}`))
})

for (const at of ['connect', 'MAIL', 'RCPT', 'DATA', 'message'] as const) {
  test(`a 451 at ${at} is not the end: the mail is tried again and arrives once`, async () => {
    const stack = await sharedStack()
    await using remote = await startRemoteServer({
      host: '127.0.0.4',
      port: stack.remote.port,
      replies: [{ at, reply: at === 'connect' ? '421 4.3.2 later' : '451 4.3.2 later', times: 2 }],
    })
    const domain = stack.createRemoteDomain()
    stack.dns.set(`mx.${domain}`, 'A', ['127.0.0.4'])
    const queueId = await send(stack, `friend@${domain}`)
    const [end] = await stack.ended(queueId)
    assert.equal(end!.outcome, 'sent')
    assert.equal(remote.mails.length, 1)
    assert.deepEqual(bodyOf(remote.mails[0]!.data), BODY)
  })
}

test('a server that is down, and a DNS server that fails, are waited for', async () => {
  const stack = await sharedStack()
  const [down, unresolved] = [stack.createRemoteDomain(), stack.createRemoteDomain()]
  stack.dns.set(`mx.${down}`, 'A', ['127.0.0.5'])
  stack.dns.fail(unresolved, 'SERVFAIL')
  const waiting = [await send(stack, `friend@${down}`), await send(stack, `friend@${unresolved}`)]
  const marker = await send(stack, `friend@${stack.createRemoteDomain()}`)
  await stack.ended(marker)
  for (const queueId of waiting) assert.deepEqual(await stack.trace(queueId), [])
  await using remote = await startRemoteServer({ host: '127.0.0.5', port: stack.remote.port })
  stack.dns.heal(unresolved)
  await remote.received(() => true)
  for (const queueId of waiting) assert.equal((await stack.ended(queueId))[0]!.outcome, 'sent')
})

test('a mail to several domains, and to an account here, reaches each of them once', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const [one, two] = [stack.createRemoteDomain(), stack.createRemoteDomain()]
  // Whether A and a are one person only their own server knows.
  const recipients = [`a@${one}`, `A@${one}`, `c@${two}`, bob.address]
  const queueId = await stack.submit(alice, recipients, composeMail({ from: alice.address, to: recipients.join(', ') }))
  assert.equal((await stack.ended(queueId, 4)).length, 4)
  await stack.received(bob, 1)
  const sent = stack.remote.mails
    .filter(({ data }) => fieldsOf(data, 'Received').some((line) => line.includes(queueId)))
    .flatMap((mail) => mail.recipients)
  assert.deepEqual(sent.sort(), recipients.slice(0, 3).sort())
})
