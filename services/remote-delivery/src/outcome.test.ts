import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  decisiveFailure,
  deferred,
  describeFailure,
  describeSent,
  oneLine,
  rejected,
  replyFailure,
  type Step,
} from './outcome.ts'

const replies: [string, Step, string, string][] = [
  ['550 5.1.1 No such user', 'RCPT', 'rejected', '5.1.1'],
  ['550 No such user', 'RCPT', 'rejected', '5.0.0'],
  ['551 User not local; please try <bob@other.test>', 'RCPT', 'rejected', '5.0.0'],
  ['553 5.1.3 bad syntax', 'RCPT', 'rejected', '5.1.3'],
  ['450 4.2.1 Mailbox busy', 'RCPT', 'deferred', '4.2.1'],
  ['451 Greylisted, come back later', 'RCPT', 'deferred', '4.0.0'],
  ['452 4.5.3 Too many recipients', 'RCPT', 'deferred', '4.5.3'],
  ['452 4.2.2 Over quota', 'RCPT', 'deferred', '4.2.2'],
  ['552 Too many recipients', 'RCPT', 'deferred', '4.0.0'],
  ['552 5.5.3 Too many recipients', 'RCPT', 'deferred', '4.5.3'],
  ['552 5.2.2 Mailbox full', 'RCPT', 'rejected', '5.2.2'],
  ['552 Message size exceeds fixed limit', 'MAIL', 'rejected', '5.0.0'],
  ['552 5.3.4 Message too big', 'message', 'rejected', '5.3.4'],
  ['554 5.7.1 Spam', 'message', 'rejected', '5.7.1'],
  ['554 no SMTP service here', 'greeting', 'rejected', '5.0.0'],
  ['521 mx.example.test does not accept mail', 'greeting', 'rejected', '5.0.0'],
  ['421 4.3.2 Shutting down', 'greeting', 'deferred', '4.3.2'],
  ['421 Too busy', 'message', 'deferred', '4.0.0'],
  ['503 5.5.1 Bad sequence', 'DATA', 'deferred', '4.5.1'],
  ['530 5.7.0 Must issue STARTTLS first', 'MAIL', 'rejected', '5.7.0'],
  ['535 5.7.8 Bad credentials', 'AUTH', 'deferred', '4.7.8'],
  ['454 4.7.0 TLS not available', 'STARTTLS', 'deferred', '4.7.0'],
  ['550 4.7.1 class and code disagree', 'RCPT', 'rejected', '5.7.1'],
  ['450 5.7.1 class and code disagree', 'RCPT', 'deferred', '4.7.1'],
  ['550 5.7.1234 no status at all', 'RCPT', 'rejected', '5.0.0'],
  ['550', 'RCPT', 'rejected', '5.0.0'],
  ['550-5.1.1 The account\r\n550-5.1.1 does not exist\r\n550 5.1.1 here', 'RCPT', 'rejected', '5.1.1'],
  ['250 not what was wanted', 'greeting', 'deferred', '4.0.0'],
  ['999 nonsense', 'RCPT', 'deferred', '4.0.0'],
  ['nonsense', 'RCPT', 'deferred', '4.0.0'],
  ['', 'message', 'deferred', '4.0.0'],
]
for (const [reply, step, kind, status] of replies) {
  test(`${step} answered by ${JSON.stringify(reply)} means ${kind} ${status}`, () => {
    const failure = replyFailure(reply, step)
    assert.deepEqual([failure.kind, failure.status], [kind, status])
  })
}

test('a reply of many lines is kept on one, without control characters, in bounded length', () => {
  assert.equal(oneLine('550-5.1.1 The account\r\n550-does not\r\n550 exist'), '550 5.1.1 The account does not exist')
  assert.equal(oneLine('550 a\0b\x1b[31mred\u2028x'), '550 a b [31mred x')
  assert.equal(oneLine(`550 ${'x'.repeat(100_000)}`).length, 500)
  assert.equal(oneLine('550 だめです'), '550 だめです')
})

test('one server that may work later outweighs others that refused', () => {
  const refused = rejected('5.0.0', '554 no')
  const down = deferred('4.4.1', 'connection refused')
  assert.equal(decisiveFailure([refused, down]), down)
  assert.equal(decisiveFailure([refused]), refused)
})

test('the trace shows who said what', () => {
  const failure = { ...rejected('5.1.1', '550 5.1.1 no'), remoteMta: 'mx.remote.test[192.0.2.1]' }
  assert.equal(describeFailure(failure), '5.1.1 mx.remote.test[192.0.2.1]: 550 5.1.1 no')
  assert.equal(describeFailure(deferred('4.4.3', 'DNS')), '4.4.3 DNS')
  const sent = { kind: 'sent', reply: '250 2.0.0 Ok', remoteMta: 'mx.remote.test[192.0.2.1]' } as const
  assert.equal(describeSent(sent), 'mx.remote.test[192.0.2.1]: 250 2.0.0 Ok (not encrypted)')
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', peer: 'CN=mx', verification: 'trusted' }
  assert.match(describeSent({ ...sent, tls }), /\(TLSv1\.3 TLS_AES_128_GCM_SHA256, CN=mx trusted\)$/)
})
