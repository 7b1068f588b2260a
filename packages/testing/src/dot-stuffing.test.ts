import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotStuff, dotUnstuff } from './dot-stuffing.ts'

const CASES: [plain: string, stuffed: string][] = [
  ['', ''],
  ['a\r\n', 'a\r\n'],
  ['.', '..\r\n'],
  ['.\r\n..\r\n.a.\r\n', '..\r\n...\r\n..a.\r\n'],
  ['a\n.b\r.c', 'a\n.b\r.c\r\n'],
  ['a\r\n\r\n.\r\nb', 'a\r\n\r\n..\r\nb\r\n'],
]

test('dots that begin a line are doubled, and the last line ended; nothing else changes', () => {
  for (const [plain, stuffed] of CASES) assert.equal(dotStuff(Buffer.from(plain)).toString(), stuffed)
})

test('what was stuffed comes back, but for the end of the last line', () => {
  for (const [plain, stuffed] of CASES)
    assert.equal(dotUnstuff(Buffer.from(stuffed)).toString().replace(/\r\n$/, ''), plain.replace(/\r\n$/, ''))
})
