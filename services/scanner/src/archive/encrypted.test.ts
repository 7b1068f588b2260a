import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rar5 } from '@sekimori/testing/rar-archive'
import { encrypted, open } from '../testing/sample-encrypted.ts'
import { MARKER, markerFile, zip } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'
import { stored, zipOf } from './sample-zip.ts'

for (const [name, bytes] of Object.entries(encrypted)) {
  test(`encrypted: ${name}`, () => {
    assert.deepEqual(reasonsIn(findingsIn(bytes)), ['encrypted'])
    assert.deepEqual(markersIn(findingsIn(bytes)), [])
  })

  test(`encrypted, in an archive and behind a stub: ${name}`, () => {
    assert.deepEqual(reasonsIn(findingsIn(zip({ name: 'x', bytes }))), ['encrypted'])
    const isArchive = !/document|PDF|OpenD|workb|presen/i.test(name)
    const behindStub = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(5_000, 'stub'), bytes])
    if (isArchive) assert.deepEqual(reasonsIn(findingsIn(behindStub)), ['encrypted'])
  })
}

for (const [name, bytes] of Object.entries(open))
  test(`not encrypted: ${name}`, () => assert.deepEqual(reasonsIn(findingsIn(bytes)), []))

test('beside an encrypted file, one that is not is found', () => {
  const mixed = zipOf([stored(Buffer.alloc(100, 7), { says: { flags: 1, crc: 1 } }), stored(MARKER)])
  for (const bytes of [mixed, Buffer.concat([rar5([markerFile]), rar5([markerFile], 'files')])]) {
    assert.deepEqual(reasonsIn(findingsIn(bytes)), ['encrypted'])
    assert.equal(markersIn(findingsIn(bytes)).length, 1)
  }
})
