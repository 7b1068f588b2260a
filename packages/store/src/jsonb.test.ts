// Strangers choose these texts: whatever they choose, a row of it can be written.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { storableText, toJsonb } from './jsonb.ts'

test('NUL and half surrogate pairs are taken out, what only looks like an escape stays', () => {
  const odd = { a: 'x\0y', b: ['\ud83d', '\\u0000', '"\\'], c: { d: '\udc00z' }, e: 7 }
  assert.deepEqual(JSON.parse(toJsonb(odd)), {
    a: 'xy',
    b: ['\ufffd', '\\u0000', '"\\'],
    c: { d: '\ufffdz' },
    e: 7,
  })
  assert.ok(!/\\u(0000|d83d|dc00)(?!")/.test(toJsonb({ a: 'x\0y', b: '\ud83d' })))
})

test('a cut through a surrogate pair leaves no half of it', () => {
  assert.equal(storableText('ab😀cd', 3), 'ab\ufffd')
  assert.equal(storableText('ab😀cd'), 'ab😀cd')
})
