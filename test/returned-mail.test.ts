// Mail that can't be delivered: its sender gets a delivery status notification (RFC 3464), and nobody else does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSignatures } from '@sekimori/testing/dkim-check'
import { bodyOf, composeMail, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

/** Sends to the addresses; resolves to the one notification that comes back, and to the queue id. */
async function returned(
  stack: Stack,
  alice: Mailbox,
  recipients: string[],
): Promise<{ dsn: string; mail: Buffer; queueId: string }> {
  const message = composeMail({ from: alice.address, to: recipients.join(', '), subject: 'the original' })
  const queueId = await stack.submit(alice, recipients, message)
  const [mail] = await stack.received(alice, 1)
  return { dsn: bodyOf(mail!).toString('latin1'), mail: mail!, queueId }
}

test('a 550 of the remote server comes back to the sender as a DSN with that reply', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox({ locale: 'en' })
  const to = `nobody@${stack.createRemoteDomain()}`
  stack.remote.script({ at: 'RCPT', recipient: to, reply: '550 5.1.1 Nobody of that name' })
  const { dsn, mail, queueId } = await returned(stack, alice, [to])
  assert.match(fieldOf(mail, 'Content-Type'), /^multipart\/report;.*report-type=["]?delivery-status/)
  assert.equal(fieldOf(mail, 'Return-Path'), '<>')
  assert.equal(fieldOf(mail, 'Auto-Submitted'), 'auto-replied')
  assert.equal(subjectOf(mail), 'Your mail could not be delivered')
  assert.match(dsn, /^Content-Type: message\/delivery-status/m)
  assert.match(dsn, new RegExp(`^Final-Recipient: rfc822; ${to}\r$`, 'm'))
  assert.match(dsn, /^Action: failed\r$/m)
  assert.match(dsn, /^Status: 5\.1\.1\r$/m)
  assert.match(dsn, /^Diagnostic-Code: smtp; 550 5\.1\.1 Nobody of that name\r$/m)
  assert.match(dsn, /^Subject: the original\r$/m)
  const checks = await checkSignatures(mail, stack.dns.address)
  assert.deepEqual(
    checks.map(({ isValid }) => isValid),
    [true, true],
  )
  assert.equal((await stack.ended(queueId))[0]!.outcome, 'bounced')
  assert.ok(stack.remote.mails.every(({ recipients }) => !recipients.includes(to)))
})

test('one refused recipient does not keep the mail from the others, and only he is named', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  const [bad, good] = [`nobody@${domain}`, `friend@${domain}`]
  stack.remote.script({ at: 'RCPT', recipient: bad, reply: '550 5.1.1 Nobody of that name' })
  const { dsn, queueId } = await returned(stack, alice, [bad, good])
  assert.deepEqual(dsn.match(/^Final-Recipient: .*$/gm), [`Final-Recipient: rfc822; ${bad}`])
  const ends = await stack.ended(queueId, 2)
  assert.deepEqual(
    ends.map(({ recipient, outcome }) => `${recipient} ${outcome}`).sort(),
    [`${bad} bounced`, `${good} sent`].sort(),
  )
  assert.equal(stack.remote.mails.filter(({ recipients }) => recipients.includes(good)).length, 1)
})

test('a message refused with 554 after DATA comes back', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const to = `friend@${stack.createRemoteDomain()}`
  stack.remote.script({ at: 'message', recipient: to, reply: '554 5.7.1 Not wanted' })
  const { dsn } = await returned(stack, alice, [to])
  assert.match(dsn, /^Status: 5\.7\.1\r$/m)
})

test('a domain that takes no mail (null MX) is not even tried: 5.1.10', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  stack.dns.set(domain, 'MX', [{ exchange: '', priority: 0 }])
  stack.dns.set(domain, 'A', ['127.0.0.1'])
  const { dsn } = await returned(stack, alice, [`friend@${domain}`])
  assert.match(dsn, /^Status: 5\.1\.10\r$/m)
  assert.ok(stack.remote.mails.every(({ recipients }) => !recipients.includes(`friend@${domain}`)))
})

test('a domain that does not exist: 5.1.2, in the language of the account', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox({ locale: 'ja' })
  const to = `friend@no-such-domain-${alice.address.split('@')[0]}.test`
  const { dsn, mail } = await returned(stack, alice, [to])
  assert.match(dsn, /^Status: 5\.1\.2\r$/m)
  assert.equal(subjectOf(mail), 'メールをお届けできませんでした')
})

test('a mail with a null reverse-path is never answered', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const to = `nobody@${stack.createRemoteDomain()}`
  stack.remote.script({ at: 'RCPT', recipient: to, reply: '550 5.1.1 Nobody of that name' })
  await using smtp = await stack.dialSubmission(alice)
  const receipt = composeMail({ from: alice.address, to })
  const { queueId } = await smtp.send({ mailFrom: '', recipients: [to] }, receipt)
  assert.equal((await stack.ended(queueId!))[0]!.outcome, 'bounced')
  await stack.submit(alice, [alice.address], composeMail({ from: alice.address, to: alice.address, subject: 'marker' }))
  assert.deepEqual((await stack.received(alice, 1)).map(subjectOf), ['marker'])
})

test('a mail that has passed more than fifty servers goes round in circles: 5.4.6, without a dialogue', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const to = `friend@${stack.createRemoteDomain()}`
  const headers = Array.from({ length: 51 }, (_, hop) => `Received: from a by b${hop}; Thu, 1 Jan 2026 00:00:00 +0000`)
  const queueId = await stack.submit(alice, [to], composeMail({ from: alice.address, to, headers }))
  const [end] = await stack.ended(queueId)
  assert.equal(end!.outcome, 'bounced')
  assert.match(end!.detail!, /^5\.4\.6 /)
  assert.match(bodyOf((await stack.received(alice, 1))[0]!).toString('latin1'), /^Status: 5\.4\.6\r$/m)
  assert.ok(stack.remote.mails.every(({ recipients }) => !recipients.includes(to)))
})
