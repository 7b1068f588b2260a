import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toPresentation, toQueryName, toReverseName } from './name.ts'

test('a name is asked in lower case, as A-labels, without its final dot', () => {
  assert.equal(toQueryName('_DMARC.Example.TEST.'), '_dmarc.example.test')
  assert.equal(toQueryName('_dmarc.関守.example'), '_dmarc.xn--39sz56k.example')
  assert.equal(toQueryName('a。b．example'), 'a.b.example')
  assert.equal(toQueryName('user name!.example'), 'user name!.example')
})

test('what can not be a question is told apart', () => {
  const impossible = [
    '',
    '.',
    'a..b',
    '.a',
    `${'a'.repeat(64)}.b`,
    `${'abc.'.repeat(64)}de`,
    'a\nb',
    'a\0b',
    '１２７.b',
  ]
  for (const name of impossible) assert.equal(toQueryName(name), undefined, JSON.stringify(name))
  assert.equal(toQueryName(`${'abc.'.repeat(63)}d`)?.length, 253)
})

test('nothing unprintable comes out of an answer', () => {
  assert.equal(toPresentation('MX.example.test'), 'MX.example.test')
  assert.equal(toPresentation('a\r\nb c.é'), 'a\\013\\010b\\032c.\\195\\169')
  assert.equal(toPresentation('.'), '')
})

test('addresses become names under in-addr.arpa and ip6.arpa', () => {
  assert.equal(toReverseName('192.0.2.7'), '7.2.0.192.in-addr.arpa')
  assert.equal(toReverseName('::ffff:192.0.2.7'), '7.2.0.192.in-addr.arpa')
  const ip6 = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa'
  assert.equal(toReverseName('2001:db8::1'), ip6)
  assert.equal(toReverseName('2001:0db8:0:0:0:0:0:1'), ip6)
  assert.equal(toReverseName('::')?.length, 72)
  assert.equal(toReverseName('mail.example'), undefined)
})
