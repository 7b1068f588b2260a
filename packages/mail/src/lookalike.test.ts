import assert from 'node:assert/strict'
import { test } from 'node:test'
import { skeleton } from './lookalike.ts'

test('names that a reader takes for one another have one skeleton', () => {
  for (const other of [
    'MAIL.example.test',
    'mаil.example.test',
    'mail.exаmple.test',
    'xn--mil-6cd.example.test',
    'ｍａｉｌ.example.test',
    'mail。example。test',
    'mai\u200bl.example.test',
    'máil.example.test',
    'rnail.example.test',
    'mai1.example.test',
    'maiӏ.example.test',
  ])
    assert.equal(skeleton(other), skeleton('mail.example.test'), other)
})

test('names that differ to the eye have different ones', () => {
  const names = ['mail.example.test', 'mail2.example.test', 'mail.example.com', 'mx.example.test', 'mail.sample.test']
  assert.equal(new Set(names.map(skeleton)).size, names.length)
})
