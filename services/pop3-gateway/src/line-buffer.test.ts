// Lines come out the same however the octets come in, and no line can bloat the process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineBuffer } from './line-buffer.ts'

function linesOf(chunks: string[], maxOctets: number): string[] {
  const buffer = new LineBuffer(maxOctets)
  const lines: string[] = []
  for (const chunk of chunks) {
    buffer.push(Buffer.from(chunk))
    for (let line = buffer.next(); line !== undefined; line = buffer.next()) {
      lines.push(line.kind === 'line' ? line.octets.toString() : `<${line.kind}>`)
    }
  }
  return lines
}

test('lines are the same at every cut', () => {
  const text = 'one\r\n\r\ntwo\nabcdefgh\r\nabcdefghi\r\nthree\r\nunfinished'
  const expected = ['one', '', 'two', 'abcdefgh', '<too-long>', 'three']
  for (let cut = 0; cut <= text.length; cut++) {
    assert.deepEqual(linesOf([text.slice(0, cut), text.slice(cut)], 8), expected, `cut at ${cut}`)
  }
  assert.deepEqual(linesOf([...text], 8), expected)
})

test('an endless line is one fault and is not kept', () => {
  const buffer = new LineBuffer(8)
  for (let i = 0; i < 1_000; i++) {
    buffer.push(Buffer.alloc(1_000, 'x'))
    assert.equal(buffer.next(), undefined)
  }
  buffer.push(Buffer.from('\r\nafter\r\n'))
  assert.deepEqual(buffer.next(), { kind: 'too-long' })
  assert.deepEqual(buffer.next(), { kind: 'line', octets: Buffer.from('after') })
})

test('clearing forgets whole, half and endless lines', () => {
  const buffer = new LineBuffer(8)
  buffer.push(Buffer.from('one\r\ntw'))
  buffer.clear()
  buffer.push(Buffer.from('o\r\nxxxxxxxxxxxxxxx'))
  assert.deepEqual(buffer.next(), { kind: 'line', octets: Buffer.from('o') })
  assert.equal(buffer.next(), undefined)
  buffer.clear()
  buffer.push(Buffer.from('three\r\n'))
  assert.deepEqual(buffer.next(), { kind: 'line', octets: Buffer.from('three') })
})
