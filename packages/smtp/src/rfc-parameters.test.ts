// The parameters of MAIL and RCPT: whose they are, where they are taken, and for how long they hold.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Envelope } from '@sekimori/mail/job'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { Decisions } from './listener.ts'
import { SmtpReply } from './reply.ts'
import { envelopeOf } from './session-facts.ts'
import { testListener } from './testing/test-listener.ts'
import { session } from './testing/test-session.ts'

test('RFC 6533 3 an original recipient beyond ASCII is said to be UTF-8, and needs SMTPUTF8 unless its letters are embedded', async () => {
  await using s = await session()
  await s.check([
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['RCPT TO:<c@d.test> ORCPT=utf-8;\\x{E9}@d.test', '250 2.1.5'],
    ['RCPT TO:<c@d.test> ORCPT=utf-8;é@d.test', '553 5.6.7'],
    ['RSET', '250 2.0.0'],
    ['MAIL FROM:<a@b.test> SMTPUTF8', '250 2.1.0'],
    ['RCPT TO:<c@d.test> ORCPT=rfc822;é@d.test', '501 5.5.4'],
    ['RCPT TO:<c@d.test> ORCPT=utf-8;é@d.test', '250 2.1.5'],
  ])
})

test('RFC 5321 4.1.1.11 parameters of DSN and AUTH are 555 where these are not offered', async () => {
  await using s = await session({ smtp: { hideDSN: true, disabledCommands: ['STARTTLS', 'AUTH'] } })
  assert.doesNotMatch(s.greeting.text, /^(DSN|AUTH)/m)
  await s.check([
    ['MAIL FROM:<a@b.test> RET=HDRS', '555 5.5.4'],
    ['MAIL FROM:<a@b.test> ENVID=x', '555 5.5.4'],
    ['MAIL FROM:<a@b.test> AUTH=<>', '555 5.5.4'],
    ['MAIL FROM:<a@b.test> SIZE=1 BODY=8BITMIME', '250 2.1.0'],
    ['RCPT TO:<c@d.test> NOTIFY=NEVER', '555 5.5.4'],
    ['RCPT TO:<c@d.test> ORCPT=rfc822;c@d.test', '555 5.5.4'],
  ])
})

test('RFC 5321 2.4 local parts tell case, domains do not: who is named twice is one recipient, with what was said last', async () => {
  const taken: Envelope[] = []
  const data: Decisions['data'] = async (stream, current) => {
    taken.push(envelopeOf(current))
    for await (const _ of stream);
    return 'id'
  }
  await using s = await session({ decisions: { data }, smtp: { maxRecipients: 3 } })
  for (let mail = 0; mail < 2; mail++) {
    await s.check([
      ['MAIL FROM:<a@b.test>', '250 2.1.0'],
      ['RCPT TO:<Foo@d.test>', '250 2.1.5'],
      ['RCPT TO:<foo@d.test> NOTIFY=NEVER', '250 2.1.5'],
      ['RCPT TO:<bar@d.test>', '250 2.1.5'],
      ['RCPT TO:<Foo@D.test> NOTIFY=SUCCESS', '250 2.1.5'],
      ['RCPT TO:<BAR@d.test>', '452 4.5.3'],
    ])
    await s.client.say('DATA', 354)
    await s.client.sendMessage('A: 1\r\n\r\nx\r\n', 250)
  }
  assert.equal(taken.length, 2)
  for (const { recipients } of taken)
    assert.deepEqual(recipients, [
      { address: 'Foo@d.test', notify: ['SUCCESS'] },
      { address: 'foo@d.test', notify: ['NEVER'] },
      { address: 'bar@d.test' },
    ])
})

test('RFC 5321 4.2 RFC 6531 3.7.4 a reply is ASCII, unless the client has asked for SMTPUTF8', async () => {
  const decisions = { recipient: async () => Promise.reject(new SmtpReply(550, '5.7.1', 'Not for 関@例え.test')) }
  await using s = await session({ decisions })
  for (const [parameter, text] of [
    ['', 'Not for ?@??.test'],
    [' SMTPUTF8', 'Not for 関@例え.test'],
  ] as const) {
    await s.client.say(`MAIL FROM:<a@b.test>${parameter}`, 250)
    assert.equal((await s.client.say('RCPT TO:<c@d.test>', 550)).text, text)
    await s.client.say('RSET', 250)
  }
})

test('RFC 5321 4.1.1.2 what a refused MAIL asked for does not hold for the next one', async () => {
  const taken: Envelope[] = []
  const refuseFirst = async ({ address }: { address: string }) => {
    if (address === 'first@b.test') throw new SmtpReply(550, '5.7.1', 'Not you')
  }
  const data: Decisions['data'] = async (stream, current) => {
    taken.push(envelopeOf(current))
    for await (const _ of stream);
    return 'id'
  }
  const certificate = await makeTestCertificate('localhost')
  const decisions = { mailFrom: refuseFirst, data }
  await using listener = await testListener({ certificate, smtp: { disabledCommands: [] }, decisions })
  await using client = await dialSmtp(listener.endpoint, { ca: certificate.cert, servername: 'localhost' })
  await client.say('EHLO client.test', 250)
  await client.starttls()
  await client.say('EHLO client.test', 250)
  await client.say('MAIL FROM:<first@b.test> REQUIRETLS SMTPUTF8 BODY=8BITMIME RET=HDRS ENVID=x', 550)
  await client.say('MAIL FROM:<second@b.test>', 250)
  await client.say('RCPT TO:<守@d.test>', 553)
  await client.say('RCPT TO:<c@d.test>', 250)
  await client.say('DATA', 354)
  await client.sendMessage('A: 1\r\n\r\nx\r\n', 250)
  assert.deepEqual(taken, [{ mailFrom: 'second@b.test', recipients: [{ address: 'c@d.test' }], bodyType: '7bit' }])
})
