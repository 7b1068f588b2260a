// RFC 2034: every reply has an enhanced status code of its own class, but those to EHLO and HELO, the greeting, and 3xx.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { SmtpReply } from './reply.ts'
import { testListener } from './testing/test-listener.ts'

const LINES = [
  ...['NOOP', 'RSET', 'RSET x', 'HELP', 'VRFY a', 'VRFY', 'EXPN a', 'TURN', 'XYZZY', '', 'MAIL', 'RCPT', 'DATA'],
  ...['STARTTLS x', 'AUTH', 'AUTH NONE', 'AUTH PLAIN !', 'AUTH PLAIN AGEAYg=', 'AUTH PLAIN AAA=', 'AUTH PLAIN', '*'],
  ...['AUTH LOGIN', '', 'AUTH LOGIN YQ==', '*', 'AUTH PLAIN AGVycm9yQGIudGVzdAB4', `NOOP ${'x'.repeat(13_000)}`],
  ...['MAIL FROM:a@b.test', 'MAIL FROM:<a@b.test> X=1', 'MAIL FROM:<a@b.test> SIZE=9999', 'MAIL FROM:<a@b.test> SIZE'],
  ...[
    'MAIL FROM:<a@b.test> BODY=X',
    'MAIL FROM:<a@b.test> REQUIRETLS',
    'MAIL FROM:<\u00e9@b.test>',
    'RCPT TO:<a@b.test>',
  ],
  ...['MAIL FROM:<a@b.test> RET=X', 'MAIL FROM:<a@b.test> AUTH=+', 'MAIL FROM:<a@b.test> SMTPUTF8=1'],
  ...[
    'MAIL FROM:<a@b.test>',
    'MAIL FROM:<a@b.test>',
    'AUTH PLAIN AGEAYg==',
    'DATA',
    'RCPT TO:<>',
    'RCPT TO:<u@d.test> X',
  ],
  ...['RCPT TO:<u@d.test> NOTIFY=X', 'RCPT TO:<u@d.test> ORCPT=x', 'RCPT TO:<error@d.test>', 'RCPT TO:<1@d.test>'],
  ...['RCPT TO:<2@d.test>', 'DATA x', 'RSET', 'AUTH PLAIN AGEAYg==', 'AUTH PLAIN AGEAYg==', 'QUIT x', 'QUIT'],
]

test('RFC 2034 3 and 4 every reply has an enhanced status code that suits its code', async () => {
  const certificate = await makeTestCertificate('localhost')
  const fault = async ({ address, username }: { address?: string; username?: string | undefined }) => {
    if (`${address ?? username}`.startsWith('error')) throw new SmtpReply(451, '4.3.0', 'Later')
    return { address: username }
  }
  await using listener = await testListener({
    certificate,
    decisions: { authenticate: fault, recipient: async (address) => void (await fault(address)) },
    limits: { maxErrors: 1_000 },
    smtp: { disabledCommands: [], size: 1_000, maxRecipients: 1 },
  })
  await using client = await dialSmtp(listener.endpoint)
  assert.equal(client.greeting.enhanced, undefined)
  assert.equal((await client.say('EHLO', 501)).enhanced, undefined)
  assert.equal((await client.say('MAIL FROM:<a@b.test>', 503)).enhanced, '5.5.1')
  assert.equal((await client.say('EHLO client.test', 250)).enhanced, undefined)
  for (const line of LINES) {
    const { code, enhanced } = await client.say(line)
    if (code === 334) assert.equal(enhanced, undefined, line)
    else assert.match(`${code} ${enhanced}`, /^([245])\d\d \1\.\d{1,3}\.\d{1,3}$/, line)
    // "Other" or "undefined" status tells a client nothing.
    if (code >= 400) assert.doesNotMatch(enhanced!, /^[45]\.0\.0$/, line)
  }
})
