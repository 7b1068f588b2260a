// What a sender may ask of notifications (RFC 3461): NOTIFY, RET, ENVID, ORCPT; and one notification for all who failed.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { bodyOf, composeMail, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

let stack: Stack
before(async () => {
  stack = await sharedStack()
})

interface Sending {
  mail?: string
  rcpt: [string, string][]
  body?: Buffer
}

/** Submits with parameters; resolves to the queue id. */
async function submit(alice: Mailbox, { mail = '', rcpt, body }: Sending): Promise<string> {
  await using smtp = await stack.dialSubmission(alice)
  await smtp.say(`MAIL FROM:<${alice.address}>${mail}`, 250)
  for (const [to, parameters] of rcpt) await smtp.say(`RCPT TO:<${to}>${parameters}`, 250)
  await smtp.say('DATA', 354)
  const message = composeMail({ from: alice.address, to: rcpt[0]![0], ...(body === undefined ? {} : { body }) })
  return (await smtp.sendMessage(message)).queueId!
}

const refuse = (recipient: string) => stack.remote.script({ at: 'RCPT', recipient, reply: '550 5.1.1 Nobody here' })
const finalRecipients = (dsn: Buffer) =>
  bodyOf(dsn)
    .toString('latin1')
    .match(/^Final-Recipient: .*$/gm)

/** Fails if anything but the marker comes. */
async function nothingComes(alice: Mailbox): Promise<void> {
  await stack.submit(alice, [alice.address], composeMail({ from: alice.address, to: alice.address, subject: 'marker' }))
  assert.deepEqual((await stack.received(alice, 1)).map(subjectOf), ['marker'])
}

test('NOTIFY=NEVER: nobody is told of a failure', async () => {
  const alice = await stack.createMailbox()
  const to = `nobody@${stack.createRemoteDomain()}`
  refuse(to)
  const queueId = await submit(alice, { rcpt: [[to, ' NOTIFY=NEVER']] })
  assert.equal((await stack.ended(queueId))[0]!.outcome, 'bounced')
  await nothingComes(alice)
})

test('NOTIFY=SUCCESS and a server without DSN: the sender hears that the mail was relayed', async () => {
  for (const [locale, subject] of [
    ['en', 'Your mail was handed over'],
    ['ja', 'メールを相手先のサーバーに引き渡しました'],
  ] as const) {
    const alice = await stack.createMailbox({ locale })
    const to = `friend@${stack.createRemoteDomain()}`
    await submit(alice, { mail: ' ENVID=QQ314159', rcpt: [[to, ` NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;${to}`]] })
    const [dsn] = await stack.received(alice, 1)
    assert.equal(subjectOf(dsn!), subject)
    const text = bodyOf(dsn!).toString('latin1')
    assert.match(text, /^Action: relayed\r$/m)
    assert.match(text, /^Status: 2\.0\.0\r$/m)
    assert.match(text, /^Original-Envelope-Id: QQ314159\r$/m)
    assert.match(text, new RegExp(`^Original-Recipient: rfc822;${to}\r$`, 'm'))
  }
})

test('NOTIFY=SUCCESS for somebody here: the sender hears that the mail was delivered', async () => {
  const [alice, bob] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox()]
  await submit(alice, { mail: ' ENVID=QQ271828', rcpt: [[bob.address, ` NOTIFY=SUCCESS ORCPT=rfc822;${bob.address}`]] })
  const [dsn] = await stack.received(alice, 1)
  assert.equal(subjectOf(dsn!), 'Your mail was delivered')
  const text = bodyOf(dsn!).toString('latin1')
  assert.match(text, /^Action: delivered\r$/m)
  assert.match(text, /^Original-Envelope-Id: QQ271828\r$/m)
  assert.match(text, new RegExp(`^Original-Recipient: rfc822;${bob.address}\r$`, 'm'))
  assert.equal((await stack.received(bob, 1)).length, 1)
})

test('other servers are offered no notifications, as none are sent to strangers', async () => {
  await using smtp = await stack.dialMx()
  const { text } = await smtp.say('EHLO relay.sender.example', 250)
  assert.doesNotMatch(text, /^DSN$/m)
  await using submission = await stack.dialSmtps(await stack.createMailbox())
  assert.match((await submission.say('EHLO client.example', 250)).text, /^DSN$/m)
})

test('a server with DSN is told what the sender wants, and we tell nothing ourselves', async () => {
  await using remote = await startRemoteServer({ host: '127.0.0.71', port: stack.remote.port, extensions: ['DSN'] })
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  stack.dns.set(`mx.${domain}`, 'A', [remote.host])
  const to = `friend@${domain}`
  await submit(alice, { mail: ' RET=FULL ENVID=Q+2B1', rcpt: [[to, ` NOTIFY=SUCCESS ORCPT=rfc822;${to}`]] })
  await remote.received()
  assert.match(remote.mails[0]!.parameters, /\bRET=FULL ENVID=Q\+2B1\b/)
  const [command] = remote.commands.filter((line) => line.startsWith('RCPT TO:'))
  assert.equal(command, `RCPT TO:<${to}> NOTIFY=SUCCESS ORCPT=rfc822;${to}`)
  await nothingComes(alice)
})

test('RET decides whether the whole mail comes back', async () => {
  const body = Buffer.from('the body of it\r\n')
  for (const [ret, isWhole] of [
    [' RET=FULL', true],
    [' RET=HDRS', false],
    ['', false],
  ] as const) {
    const alice = await stack.createMailbox()
    const to = `nobody@${stack.createRemoteDomain()}`
    refuse(to)
    await submit(alice, { mail: ret, rcpt: [[to, '']], body })
    const [dsn] = await stack.received(alice, 1)
    const text = bodyOf(dsn!).toString('latin1')
    assert.equal(text.includes('the body of it'), isWhole, ret)
    assert.equal(/^Content-Type: message\/rfc822/m.test(text), isWhole, ret)
    assert.equal(fieldOf(dsn!, 'Return-Path'), '<>')
  }
})

test('recipients that fail together, at several domains, are named in one notification', async () => {
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  const recipients = [`one@${domain}`, `two@${domain}`, `three@${stack.createRemoteDomain()}`]
  for (const recipient of recipients) refuse(recipient)
  const queueId = await submit(alice, { rcpt: recipients.map((recipient) => [recipient, '']) })
  await stack.ended(queueId, 3)
  const [dsn] = await stack.received(alice, 1)
  assert.deepEqual(finalRecipients(dsn!)!.sort(), recipients.map((one) => `Final-Recipient: rfc822; ${one}`).sort())
  await stack.submit(alice, [alice.address], composeMail({ from: alice.address, to: alice.address, subject: 'marker' }))
  assert.equal((await stack.received(alice, 2)).length, 2)
})

test('recipients of several domains that the same server takes go in one transaction', async () => {
  const alice = await stack.createMailbox()
  const [one, two] = [stack.createRemoteDomain(), stack.createRemoteDomain()]
  stack.dns.set(two, 'MX', [{ exchange: `mx.${one}`, priority: 10 }])
  const recipients = [`a@${one}`, `b@${two}`]
  await submit(alice, { rcpt: recipients.map((recipient) => [recipient, '']) })
  const received = await stack.remote.received((mail) => mail.recipients.includes(recipients[0]!))
  assert.deepEqual(received.recipients.sort(), recipients)
})

test('a mail with octets beyond ASCII comes back from a server without 8BITMIME, one in ASCII arrives', async () => {
  await using old = await startRemoteServer({ host: '127.0.0.72', port: stack.remote.port, without: ['8BITMIME'] })
  const alice = await stack.createMailbox({ locale: 'en' })
  const domain = stack.createRemoteDomain()
  stack.dns.set(`mx.${domain}`, 'A', [old.host])
  const bodies: [string, Buffer][] = [
    ['ascii', Buffer.from('plain\r\n')],
    ['utf8', Buffer.from('こんにちは\r\n')],
  ]
  for (const [name, body] of bodies)
    await submit(alice, { mail: ' BODY=8BITMIME', rcpt: [[`${name}@${domain}`, '']], body })
  const [dsn] = await stack.received(alice, 1)
  assert.match(bodyOf(dsn!).toString('latin1'), /^Status: 5\.6\.3\r$/m)
  assert.deepEqual(finalRecipients(dsn!), [`Final-Recipient: rfc822; utf8@${domain}`])
  const { parameters } = await old.received((mail) => mail.recipients.includes(`ascii@${domain}`))
  assert.doesNotMatch(parameters, /8BITMIME/)
  assert.equal(old.mails.length, 1)
})
