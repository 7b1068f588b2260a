// The extensions to the letter, one test a section of the standards that the listener claims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialSmtp, type SmtpDialer } from '@sekimori/testing/smtp-dialer'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { testListener } from './testing/test-listener.ts'
import { session } from './testing/test-session.ts'

test('RFC 1870 6 SIZE is offered; what is declared too large is 552 5.3.4', async () => {
  await using s = await session({ smtp: { size: 1_000 } })
  assert.match(s.greeting.text, /^SIZE 1000$/m)
  await s.check([
    ['MAIL FROM:<a@b.test> SIZE=1001', '552 5.3.4'],
    ['MAIL FROM:<a@b.test> SIZE=x', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> SIZE=1000', '250 2.1.0'],
    ['RCPT TO:<c@d.test>', '250 2.1.5'],
  ])
  await s.client.say('DATA', 354)
  assert.equal((await s.client.sendMessage(`A: 1\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(20), 552)).enhanced, '5.3.4')
  await s.client.say('NOOP', 250)
})

test('RFC 1870 6.3 the size declared is an estimate: what is larger, but not too large, is taken', async () => {
  await using s = await session({ smtp: { size: 1_000 } })
  await s.client.send(
    { mailFrom: 'a@b.test', recipients: ['c@d.test'], parameters: 'SIZE=1' },
    `A: 1\r\n\r\n${'x'.repeat(900)}`,
  )
  assert.equal(s.listener.mails.length, 1)
})

test('RFC 6152 2 BODY is 7BIT or 8BITMIME; RFC 3030 BINARYMIME is not offered', async () => {
  await using s = await session()
  assert.match(s.greeting.text, /^8BITMIME$/m)
  assert.doesNotMatch(s.greeting.text, /CHUNKING|BINARYMIME/)
  await s.check([
    ['MAIL FROM:<a@b.test> BODY=BINARYMIME', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> BODY=8BITMIME', '250 2.1.0'],
  ])
})

test('RFC 6531 3.4 an address beyond ASCII needs SMTPUTF8', async () => {
  await using s = await session()
  assert.match(s.greeting.text, /^SMTPUTF8$/m)
  await s.check([
    ['MAIL FROM:<関@b.test>', '553 5.6.7'],
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['RCPT TO:<守@d.test>', '553 5.6.7'],
    ['RSET', '250 2.0.0'],
    ['MAIL FROM:<関@例え.test> SMTPUTF8', '250 2.1.0'],
    ['RCPT TO:<守@d.test>', '250 2.1.5'],
    ['RSET', '250 2.0.0'],
    ['MAIL FROM:<a@b.test> SMTPUTF8=yes', '501 5.5.4'],
  ])
})

test('RFC 3461 4 NOTIFY, ORCPT, RET and ENVID are taken, and looked at', async () => {
  await using s = await session({ limits: { maxErrors: 100 } })
  assert.match(s.greeting.text, /^DSN$/m)
  await s.check([
    ['MAIL FROM:<a@b.test> RET=SOME', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> ENVID=a+ZZ', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> ENVID=a+0D+0A', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> ENVID=a+E9', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> ENVID=é', '501 5.5.4'],
    [`MAIL FROM:<a@b.test> ENVID=${'x'.repeat(101)}`, '501 5.5.4'],
    ['MAIL FROM:<a@b.test> RET=HDRS ENVID=QQ+2B314159', '250 2.1.0'],
    ['RCPT TO:<c@d.test> NOTIFY=NEVER,DELAY', '501 5.5.4'],
    ['RCPT TO:<c@d.test> NOTIFY=SOMETIMES', '501 5.5.4'],
    ['RCPT TO:<c@d.test> ORCPT=c@d.test', '501 5.5.4'],
    ['RCPT TO:<c@d.test> ORCPT=rfc822;é@d.test', '501 5.5.4'],
    ['RCPT TO:<c@d.test> ORCPT=rfc822;+E9@d.test', '501 5.5.4'],
    [`RCPT TO:<c@d.test> ORCPT=rfc822;${'x'.repeat(500)}`, '501 5.5.4'],
    ['RCPT TO:<c@d.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;c+2Bx@d.test', '250 2.1.5'],
  ])
})

test('RFC 4954 6 AUTH before TLS is 538 5.7.11', async () => {
  const certificate = await makeTestCertificate('localhost')
  await using listener = await testListener({ certificate, smtp: { disabledCommands: [], allowInsecureAuth: false } })
  await using client = await dialSmtp(listener.endpoint)
  assert.doesNotMatch((await client.say('EHLO client.test', 250)).text, /AUTH/)
  assert.equal((await client.say('AUTH PLAIN AGEAYg==', 538)).enhanced, '5.7.11')
})

test('RFC 4954 4 AUTH: initial response or not, cancelled, no base64, twice, in a transaction, too long', async () => {
  await using s = await session({ limits: { maxErrors: 100 } })
  assert.match(s.greeting.text, /^AUTH (?=.*PLAIN)(?=.*LOGIN)/m)
  const plain = Buffer.from('\0a@b.test\0secret').toString('base64')
  await s.check([
    ['AUTH', '501 5.5.4'],
    ['AUTH NONESUCH', '504 5.5.4'],
    ['AUTH PLAIN not_base64', '501 5.5.2'],
    ['AUTH PLAIN =', '501 5.5.4'],
    ['AUTH PLAIN', '334'],
    ['*', '501 5.7.0'],
    ['AUTH PLAIN', '334'],
    ['%%%', '501 5.5.2'],
    ['AUTH LOGIN', '334'],
    ['YUBiLnRlc3Q=', '334'],
    ['*', '501 5.7.0'],
    ['AUTH LOGIN', '334'],
    ['A'.repeat(20_000), '500 5.5.6'],
    ['NOOP', '250 2.0.0'],
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    [`AUTH PLAIN ${plain}`, '503 5.5.1'],
    ['RSET', '250 2.0.0'],
    ['AUTH PLAIN', '334'],
    [plain, '235 2.7.0'],
    [`AUTH PLAIN ${plain}`, '503 5.5.1'],
    ['MAIL FROM:<a@b.test> AUTH=<>', '250 2.1.0'],
  ])
})

test('RFC 3207 4.2 STARTTLS takes no parameter, is offered once, and what was said before is forgotten', async () => {
  const certificate = await makeTestCertificate('localhost')
  await using listener = await testListener({ certificate, smtp: { disabledCommands: [] } })
  await using client = await dialSmtp(listener.endpoint, { ca: certificate.cert, servername: 'localhost' })
  assert.match((await client.say('EHLO client.test', 250)).text, /^STARTTLS$/m)
  await client.say('STARTTLS now', 501)
  await client.say('MAIL FROM:<a@b.test>', 250)
  await client.starttls()
  await client.say('RCPT TO:<c@d.test>', 503)
  const encrypted = await client.say('EHLO client.test', 250)
  assert.doesNotMatch(encrypted.text, /STARTTLS/)
  await client.say('STARTTLS', 503)
})

test('RFC 8689 4.2 REQUIRETLS is offered and taken over TLS only', async () => {
  const certificate = await makeTestCertificate('localhost')
  await using listener = await testListener({ certificate, smtp: { disabledCommands: [] } })
  await using client: SmtpDialer = await dialSmtp(listener.endpoint, { ca: certificate.cert, servername: 'localhost' })
  assert.doesNotMatch((await client.say('EHLO client.test', 250)).text, /REQUIRETLS/)
  assert.equal((await client.say('MAIL FROM:<a@b.test> REQUIRETLS', 530)).enhanced, '5.7.0')
  await client.starttls()
  assert.match((await client.say('EHLO client.test', 250)).text, /^REQUIRETLS$/m)
  await client.say('MAIL FROM:<a@b.test> REQUIRETLS=1', 501)
  await client.say('MAIL FROM:<a@b.test> REQUIRETLS', 250)
})
