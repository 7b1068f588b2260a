import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newSalt, recordKey, sealChunks, unsealChunk } from './quarantine-seal.ts'

const key = recordKey(randomBytes(32), newSalt(), 'q1/inbound/held')

async function seal(...chunks: string[]): Promise<Buffer[]> {
  const input = (async function* () {
    for (const chunk of chunks) yield Buffer.from(chunk)
  })()
  return Array.fromAsync(sealChunks(key, input))
}

test('sealed chunks open again in their places, and show nothing', async () => {
  const sealed = await seal('one', 'two', 'three')
  assert.equal(sealed.length, 3)
  assert.doesNotMatch(Buffer.concat(sealed).toString('latin1'), /one|two|three/)
  const opened = sealed.map((bytes, seq) => unsealChunk(key, bytes, seq, seq === 2).toString())
  assert.deepEqual(opened, ['one', 'two', 'three'])
})

test('content without octets has one chunk, so that its absence shows', async () => {
  const [only, ...more] = await seal()
  assert.deepEqual(more, [])
  assert.equal(unsealChunk(key, only!, 0, true).length, 0)
})

test('a chunk that was changed, moved, made the last one or sealed with another key does not open', async () => {
  const [first, second] = await seal('one', 'two')
  const changed = Buffer.from(first!)
  changed[0]! ^= 1
  assert.throws(() => unsealChunk(key, changed, 0, false))
  assert.throws(() => unsealChunk(key, first!, 1, false))
  assert.throws(() => unsealChunk(key, first!, 0, true), 'cut off after it')
  assert.throws(() => unsealChunk(key, second!, 1, false), 'something would follow')
  const salt = newSalt()
  const master = randomBytes(32)
  for (const other of [recordKey(master, salt, 'q2/inbound/held'), recordKey(master, newSalt(), 'q1/inbound/held')])
    assert.throws(() => unsealChunk(other, first!, 0, false))
})

test('a key belongs to one master key, salt and record', () => {
  const [master, salt] = [randomBytes(32), newSalt()]
  const same = recordKey(master, salt, 'a')
  assert.deepEqual(recordKey(master, salt, 'a'), same)
  for (const other of [
    recordKey(master, salt, 'b'),
    recordKey(master, newSalt(), 'a'),
    recordKey(randomBytes(32), salt, 'a'),
  ])
    assert.notDeepEqual(other, same)
})
