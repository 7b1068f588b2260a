// Who may send by 587 and 465, and who may read by 110 and 995: nobody without a login, no login without TLS, and
// nobody as somebody else.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Mailbox } from '@sekimori/testing/stack'

test('S1-04 S1-06 S2-15 before TLS 587 offers no AUTH and accepts none', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using smtp = await dialSmtp(stack.endpoints.submission)
  assert.doesNotMatch((await smtp.say('EHLO client.example', 250)).text, /AUTH/i)
  await smtp.authPlain(alice.address, alice.password, 538)
  await smtp.say('AUTH LOGIN', 538)
  assert.equal((await smtp.say(`MAIL FROM:<${alice.address}>`, 530)).enhanced, '5.7.0')
})

test('S1-03 S1-05 S2-14 S2-15 without AUTH 587 and 465 take no mail, also not for local recipients', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using starttls = await dialSmtp(stack.endpoints.submission, { ca: stack.ca })
  await starttls.say('EHLO client.example', 250)
  await starttls.starttls()
  await using smtps = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
  for (const smtp of [starttls, smtps]) {
    await smtp.say('EHLO client.example', 250)
    for (const mailFrom of [alice.address, 'stranger@sender.example']) {
      assert.equal((await smtp.say(`MAIL FROM:<${mailFrom}>`, 530)).enhanced, '5.7.0')
      await smtp.say(`RCPT TO:<${bob.address}>`, 530)
      await smtp.say('DATA', 530)
    }
  }
})

test('S1-03 S1-05 a failed login opens nothing', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
  await smtp.say('EHLO client.example', 250)
  assert.equal((await smtp.authPlain(alice.address, `${alice.password}x`, 535)).enhanced, '5.7.8')
  await smtp.authLogin(alice.address, '', 535)
  await smtp.authPlain(`nobody-${alice.address}`, alice.password, 535)
  await smtp.say(`MAIL FROM:<${alice.address}>`, 530)
})

test('S1-13 the SMTP login is the POP login, and a new password replaces the old one at once', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const changed = { ...alice, password: 'a new password' }
  const dial = async (mailbox: Mailbox, status: '+OK' | '-ERR', code: number) => {
    await using pop3 = await dialPop3(stack.endpoints.pop3s, { tls: 'implicit', ca: stack.ca })
    await pop3.login(mailbox.address, mailbox.password, status)
    await using smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
    await smtp.say('EHLO client.example', 250)
    await smtp.authPlain(mailbox.address, mailbox.password, code)
  }
  await dial(alice, '+OK', 235)
  await dial(alice, '+OK', 235)
  const { status } = await stack.api('PATCH', `/v1/accounts/${alice.address}`, { password: changed.password })
  assert.equal(status, 200)
  // At once, which is a moment after the API's answer, and long before what was remembered would be forgotten anyway.
  await eventually(() => dial(alice, '-ERR', 535).then(() => true), { withinMs: 20_000 })
  await dial(changed, '+OK', 235)
})

test('S1-09 before TLS 110 offers no login and accepts none', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using pop3 = await dialPop3(stack.endpoints.pop3, { ca: stack.ca })
  const capabilities = (await pop3.sayMultiline('CAPA')).body.toString()
  assert.match(capabilities, /^STLS\r$/m)
  assert.doesNotMatch(capabilities, /^(USER|SASL)/m)
  await pop3.say(`USER ${alice.address}`, '-ERR')
  await pop3.say(`PASS ${alice.password}`, '-ERR')
  await pop3.say('AUTH PLAIN', '-ERR')
  await pop3.say('LIST', '-ERR')
  await pop3.stls()
  assert.match((await pop3.sayMultiline('CAPA')).body.toString(), /^USER\r$/m)
  await pop3.login(alice.address, alice.password)
})

test('S1-03 an account can not send as another, in the envelope or in the header', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await using smtp = await stack.dialSubmission(alice)
  for (const mailFrom of [bob.address, 'ceo@bank.example', `x${alice.address}`]) {
    assert.equal((await smtp.say(`MAIL FROM:<${mailFrom}>`, 553)).enhanced, '5.7.1')
  }
  const forgeries = [
    composeMail({ from: bob.address, to: bob.address }),
    composeMail({ from: alice.address, to: bob.address, headers: [`Sender: <${bob.address}>`] }),
    composeMail({ from: `${alice.address}>, <${bob.address}`, to: bob.address }),
    composeMail({ from: alice.address, to: bob.address, headers: [`From: <${bob.address}>`] }),
    composeMail({ from: alice.address, to: bob.address, headers: [`Resent-From: <${bob.address}>`] }),
    Buffer.from(`From: "${alice.address}" <${bob.address}>\r\nSubject: x\r\n\r\nx\r\n`),
    Buffer.from(`From : <${bob.address}>\r\nSubject: x\r\n\r\nx\r\n`),
  ]
  const envelope = { mailFrom: alice.address, recipients: [bob.address] }
  for (const forgery of forgeries) await smtp.send(envelope, forgery, 550)
  await smtp.send(envelope, composeMail({ from: alice.address.toUpperCase(), to: bob.address }))
  await stack.received(bob, 1)
})

test('S1-02 S1-08 a new account can send and read at once, with nothing else to set', async () => {
  const stack = await sharedStack()
  const { status } = await stack.api('POST', '/v1/domains', { name: 'new-customer.example' })
  assert.equal(status, 201)
  const account = { address: 'first@new-customer.example', password: 'correct horse' }
  assert.equal((await stack.api('POST', '/v1/accounts', account)).status, 201)
  await stack.submit(account, [account.address], composeMail({ from: account.address, to: account.address }))
  await stack.received(account, 1)
})

test('an unknown local recipient is refused to an account too: 550 5.1.1', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using smtp = await stack.dialSubmission(alice)
  await smtp.say(`MAIL FROM:<${alice.address}>`, 250)
  assert.equal((await smtp.say(`RCPT TO:<nobody-${alice.address}>`, 550)).enhanced, '5.1.1')
})
