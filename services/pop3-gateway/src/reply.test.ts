// Replies are cut into batches that memory does not notice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { err, listing } from './reply.ts'

test('a long listing comes in batches, whole and in order', () => {
  const lines = Array.from({ length: 100_000 }, (_, index) => `${index + 1} 12345`)
  const batches = [...listing('All', lines)('en')]
  assert.equal(batches.join(''), `+OK All\r\n${lines.join('\r\n')}\r\n.\r\n`)
  assert.ok(batches.length > 10 && batches.every((batch) => batch.length < 40_000))
})

test('lines are made while they are sent, not before', () => {
  let made = 0
  function* lines() {
    for (; made < 100_000; made++) yield `${made} 12345`
  }
  const [first] = listing('All', lines())('en')
  assert.ok(first!.startsWith('+OK All\r\n0 12345\r\n'))
  assert.ok(made < 5_000)
})

test('a response code stands in front of the text', () => {
  assert.equal(err('No')('en'), '-ERR No\r\n')
  assert.equal(err('No', 'IN-USE')('ja'), '-ERR [IN-USE] No\r\n')
})
