// The commands to the letter, one test a section of the standards that the listener claims.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { testListener } from './testing/test-listener.ts'
import { session } from './testing/test-session.ts'

test('RFC 5321 4.1.1.1 EHLO and HELO name the server, begin anew, and need a name', async () => {
  await using s = await session()
  assert.match(s.greeting.text, /^mx\.test /)
  assert.match(s.client.greeting.text, /^mx\.test ESMTP$/)
  await s.check([
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['EHLO again.test', '250'],
    ['RCPT TO:<c@d.test>', '503 5.5.1'],
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['HELO again.test', '250'],
    ['RCPT TO:<c@d.test>', '503 5.5.1'],
    ['EHLO', '501'],
    ['HELO two names', '501'],
    ['EHLO [192.0.2.1]', '250'],
    ['EHLO [IPv6:2001:db8::1]', '250'],
  ])
})

test('RFC 5321 4.1.4 commands out of order are 503 5.5.1', async () => {
  await using listener = await testListener()
  await using client = await dialSmtp(listener.endpoint)
  for (const line of ['MAIL FROM:<a@b.test>', 'RCPT TO:<c@d.test>', 'DATA', 'AUTH PLAIN AGEAYg=='])
    assert.equal((await client.say(line, 503)).enhanced, '5.5.1')
  await client.say('EHLO client.test', 250)
  await client.say('DATA', 503)
  await client.say('MAIL FROM:<a@b.test>', 250)
  await client.say('MAIL FROM:<a@b.test>', 503)
  await client.say('DATA', 503)
})

test('RFC 5321 2.4 commands and keywords are understood in any case', async () => {
  await using s = await session()
  await s.check([
    ['mail from:<a@b.test> body=8bitmime size=10', '250 2.1.0'],
    ['rCpT To:<c@d.test>', '250 2.1.5'],
    ['rset', '250 2.0.0'],
    ['noop', '250 2.0.0'],
    ['quit', '221 2.0.0'],
  ])
})

test('RFC 5321 4.1.1.5 to 4.1.1.10 RSET, VRFY, EXPN, HELP, NOOP and QUIT', async () => {
  await using s = await session()
  await s.check([
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['RSET', '250 2.0.0'],
    ['RCPT TO:<c@d.test>', '503 5.5.1'],
    ['VRFY alice', '252 2.1.5'],
    ['VRFY', '501 5.5.4'],
    ['EXPN staff', '502 5.5.1'],
    ['HELP', '214 2.0.0'],
    ['NOOP anything', '250 2.0.0'],
    ['TURN', '502 5.5.1'],
    ['XCLIENT ADDR=192.0.2.1', '500 5.5.2'],
    ['XFORWARD ADDR=192.0.2.1', '500 5.5.2'],
    ['WIZ x', '500 5.5.2'],
    ['DATA now', '501 5.5.4'],
    ['RSET now', '501 5.5.4'],
    ['QUIT now', '501 5.5.4'],
    ['HELP MAIL', '214 2.0.0'],
    ['QUIT', '221 2.0.0'],
  ])
  await s.client.closed()
})

test('RFC 5321 4.1.1 white space at the end of a command means nothing', async () => {
  await using s = await session()
  await s.check([
    ['NOOP ', '250 2.0.0'],
    ['MAIL FROM:<a@b.test> \t', '250 2.1.0'],
    ['RCPT TO:<c@d.test>\t', '250 2.1.5'],
    ['RSET\t', '250 2.0.0'],
    ['QUIT  ', '221 2.0.0'],
  ])
})

test('RFC 5321 4.1.2 paths: null, source routes, quoted local parts, literals; what is none is 501', async () => {
  await using s = await session({ limits: { maxErrors: 100 } })
  const envelopes = [
    ['<>', '<Postmaster>'],
    ['<@one.test,@two.test:a@b.test>', '<@relay.test:c@d.test>'],
    ['<"a b"@b.test>', '<"c@c"@d.test>'],
    ['<"plain.text"@b.test>', '<"quo\\"te"@d.test>'],
    ['<a@[192.0.2.1]>', '<c@[IPv6:2001:db8::1]>'],
    [`<${'l'.repeat(64)}@b.test>`, `<c@${`${'d'.repeat(61)}.`.repeat(3)}test>`],
  ]
  for (const [from, to] of envelopes) {
    await s.check([
      [`MAIL FROM:${from}`, '250 2.1.0'],
      [`RCPT TO:${to}`, '250 2.1.5'],
    ])
    await s.client.say('DATA', 354)
    await s.client.sendMessage('A: 1\r\n\r\nx\r\n', 250)
  }
  assert.deepEqual(
    s.listener.mails.map(({ mailFrom, recipients }) => [mailFrom, ...recipients]),
    [
      ['', 'Postmaster'],
      ['a@b.test', 'c@d.test'],
      ['"a b"@b.test', '"c@c"@d.test'],
      ['plain.text@b.test', '"quo\\"te"@d.test'],
      ['a@[192.0.2.1]', 'c@[IPv6:2001:db8::1]'],
      [`${'l'.repeat(64)}@b.test`, `c@${`${'d'.repeat(61)}.`.repeat(3)}test`],
    ],
  )
  const wrong = [
    'a@b.test',
    '<a@b.test',
    '<a b@c.test>',
    '<a@b..test>',
    '<a@-b.test>',
    '<a@>',
    '<@b.test>',
    '<a>',
    '<a@b@c.test>',
  ]
  for (const path of [
    ...wrong,
    '<.a@b.test>',
    '<a..a@b.test>',
    '<a@[999.1.1.1]>',
    '<"a@b.test>',
    `<a@${'d.'.repeat(130)}test>`,
  ])
    await s.check([[`MAIL FROM:${path}`, '501 5.1.7']])
  await s.check([
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['RCPT TO:<>', '501 5.1.3'],
    ['RCPT TO:c@d.test', '501 5.1.3'],
    ['RCPT <c@d.test>', '501 5.1.3'],
  ])
})

test('RFC 5321 4.1.1.11 an unknown parameter is 555, a wrong or doubled one 501', async () => {
  await using s = await session({ limits: { maxErrors: 100 } })
  await s.check([
    ['MAIL FROM:<a@b.test> HOLDFOR=10', '555 5.5.4'],
    ['MAIL FROM:<a@b.test> =x', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> SIZE=1 SIZE=2', '501 5.5.4'],
    ['MAIL FROM:<a@b.test> BODY', '501 5.5.4'],
    ['MAIL FROM:<a@b.test>', '250 2.1.0'],
    ['RCPT TO:<c@d.test> RRVS=x', '555 5.5.4'],
  ])
})
