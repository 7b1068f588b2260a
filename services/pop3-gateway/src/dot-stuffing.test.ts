// Dot-stuffing and TOP give the same octets however a message is cut into chunks.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dotStuffed } from './dot-stuffing.ts'
import { topOf } from './top.ts'

async function textOf(parts: AsyncIterable<Buffer>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(parts)).toString('latin1')
}

async function* inChunks(text: string, ...cuts: number[]): AsyncIterable<Buffer> {
  let from = 0
  for (const cut of [...cuts, text.length]) {
    yield Buffer.from(text.slice(from, cut))
    from = cut
  }
}

async function assertAtEveryCut(
  text: string,
  through: (message: AsyncIterable<Buffer>) => AsyncIterable<Buffer>,
  expected: string,
): Promise<void> {
  for (let first = 0; first <= text.length; first++) {
    for (let second = first; second <= text.length; second++) {
      assert.equal(await textOf(through(inChunks(text, first, second))), expected, `cut at ${first} and ${second}`)
    }
  }
}

test('dots at the start of a line are doubled', async () => {
  await assertAtEveryCut('.\r\n..a\r\n.b.\r\n\r\n.', dotStuffed, '..\r\n...a\r\n..b.\r\n\r\n..\r\n.\r\n')
})

test('a dot behind a bare LF is doubled too, so that no reader sees an end too early', async () => {
  await assertAtEveryCut('a\n.\nb\r\n', dotStuffed, 'a\n..\nb\r\n.\r\n')
})

test('a message is ended on a line of its own', async () => {
  await assertAtEveryCut('a', dotStuffed, 'a\r\n.\r\n')
  await assertAtEveryCut('', dotStuffed, '.\r\n')
  await assertAtEveryCut('a\r', dotStuffed, 'a\r\r\n.\r\n')
})

test('TOP stops behind the last line asked for', async () => {
  const text = 'a: 1\r\n b\r\n\r\nx\r\n\r\ny'
  await assertAtEveryCut(text, (message) => topOf(message, 0), 'a: 1\r\n b\r\n\r\n')
  await assertAtEveryCut(text, (message) => topOf(message, 1), 'a: 1\r\n b\r\n\r\nx\r\n')
  await assertAtEveryCut(text, (message) => topOf(message, 2), 'a: 1\r\n b\r\n\r\nx\r\n\r\n')
  await assertAtEveryCut(text, (message) => topOf(message, 3), text)
})

test('TOP of a message without a body is the whole message', async () => {
  await assertAtEveryCut('a: 1\r\nb: 2\r\n', (message) => topOf(message, 0), 'a: 1\r\nb: 2\r\n')
  await assertAtEveryCut('\r\nx\r\n', (message) => topOf(message, 0), '\r\n')
  await assertAtEveryCut('\r\rx\r\n\r\ny', (message) => topOf(message, 0), '\r\rx\r\n\r\n')
})

test('TOP takes a line of one octet for what it is', async () => {
  await assertAtEveryCut('x\n: 1\n\nbody\n', (message) => topOf(message, 0), 'x\n: 1\n\n')
})

test('TOP reads no further than it has to', async () => {
  async function* message(): AsyncIterable<Buffer> {
    yield Buffer.from('a: 1\r\n\r\nx\r\n')
    assert.fail('read on')
  }
  assert.equal(await textOf(topOf(message(), 1)), 'a: 1\r\n\r\nx\r\n')
})
