// An account sends as itself only, whatever the From field is made of (RFC 6409 section 6.1).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import { SmtpReply } from '@sekimori/smtp/reply'
import { checkHeaderFrom, checkMailFrom, requireAccount } from './sender-policy.ts'

const alice = { id: 1, address: 'alice@example.test' }

function refusalOf(header: string): string {
  const head = Buffer.from(`${header}\r\nSubject: x\r\n\r\n`)
  try {
    checkHeaderFrom(alice, head, parseHeader(head))
    return 'accepted'
  } catch (error) {
    if (!(error instanceof SmtpReply)) throw error
    return `${error.responseCode} ${error.enhancedCode}`
  }
}

test('the own address is taken in every spelling', () => {
  for (const from of [
    'alice@example.test',
    'Alice <alice@example.test>',
    '"Smith, Alice (x)" <Alice@EXAMPLE.Test>',
    '=?UTF-8?B?44Ki44Oq44K5?= <alice@example.test>',
    '"bob@example.test" <alice@example.test>',
    '"<bob@example.test>" <alice@example.test>',
    '(comment) alice@example.test (another)',
    'Friends: alice@example.test;',
    'Alice\r\n <alice@example.test>',
    '<@relay.test:alice@example.test>',
  ])
    assert.equal(refusalOf(`From: ${from}`), 'accepted', from)
  assert.equal(refusalOf('From: alice@example.test\r\nSender: alice@example.test'), 'accepted')
  assert.equal(refusalOf('Reply-To: bob@example.test'), 'accepted')
})

test('another address is refused, alone or beside the own one, in every kind of syntax', () => {
  for (const from of [
    'bob@example.test',
    'Alice <bob@example.test>',
    '"alice@example.test" <bob@example.test>',
    'alice@example.test <bob@example.test>',
    'alice@example.test, bob@example.test',
    'bob@example.test, alice@example.test',
    'alice@example.test,\r\n bob@example.test',
    'alice@example.test; bob@example.test',
    '<alice@example.test> <bob@example.test>',
    '<bob@example.test> <alice@example.test>',
    '<bob@example.test> (alice@example.test)',
    'bob@example.test (<alice@example.test>)',
    'alice@example.test (<bob@example.test>)',
    'alice@example.test (never closed <bob@example.test>',
    'Friends: alice@example.test, bob@example.test;',
    'Friends: bob@example.test;, alice@example.test',
    'a: b: bob@example.test;',
    'alice@example.test@evil.test',
    'alice@evil.test',
    'alice+tag@example.test',
    'alice@еxample.test',
    'alice@example.test.evil.test',
  ])
    assert.equal(refusalOf(`From: ${from}`), '550 5.7.1', from)
})

test('a field without an address, or that can not be read, is refused', () => {
  for (const from of [
    '',
    'alice',
    'undisclosed-recipients:;',
    '<>',
    '=?UTF-8?Q?alice=40example.test?=',
    'alice@example.test\0',
    `${'x'.repeat(9_000)} <alice@example.test>`,
  ])
    assert.equal(refusalOf(`From: ${from}`), '550 5.7.1', from.slice(0, 60))
})

test('Sender and the Resent- fields are held to the same', () => {
  for (const name of ['Sender', 'Resent-From', 'Resent-Sender', 'FROM ', 'from\t'])
    assert.equal(refusalOf(`${name}: bob@example.test`), '550 5.7.1', name)
  assert.equal(
    refusalOf('From: alice@example.test\r\nResent-From: alice@example.test\r\nResent-From: bob@example.test'),
    '550 5.7.1',
  )
})

test('there is one From field, for every reader', () => {
  for (const header of [
    'From: alice@example.test\r\nFrom: alice@example.test',
    'From: alice@example.test\nFrom: bob@example.test',
    'From: alice@example.test\rFrom: bob@example.test',
    'From: bob@example.test\rFrom: alice@example.test',
    'X-Note: y\r From: bob@example.test\r\nFrom: alice@example.test',
    ' From: bob@example.test',
    '\tFrom: bob@example.test\r\nFrom: alice@example.test',
  ])
    assert.equal(refusalOf(header), '550 5.6.0', JSON.stringify(header))
})

test('hostile fields are answered in little time', () => {
  for (const part of ['(', '<', 'a:', '"', 'a@b,', 'a@b ', '@', '"\\']) {
    const before = process.cpuUsage()
    refusalOf(`From: ${part.repeat(250_000 / part.length)}`)
    assert.ok(process.cpuUsage(before).user < 500_000, part)
  }
})

test('the reverse-path is the own address or null', () => {
  for (const mailFrom of ['alice@example.test', 'ALICE@example.TEST', '']) checkMailFrom(alice, mailFrom)
  for (const mailFrom of ['bob@example.test', 'alice@example.test@x', 'alice'])
    assert.throws(() => checkMailFrom(alice, mailFrom), { responseCode: 553, enhancedCode: '5.7.1' })
})

test('without a login there is no account', () => {
  assert.equal(requireAccount(alice), alice)
  for (const nobody of [undefined, null]) assert.throws(() => requireAccount(nobody), { responseCode: 530 })
})
