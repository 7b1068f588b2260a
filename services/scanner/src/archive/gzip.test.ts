import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, gzipSync } from 'node:zlib'
import { gzip, MARKER, zip } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'

const member = (flags: number, fields: Buffer, bytes = MARKER) =>
  Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), fields, deflateRawSync(bytes), Buffer.alloc(8)])

test('a file is found whatever the header holds, and whatever its check sum is', () => {
  const extra = Buffer.concat([Buffer.from([5, 0]), Buffer.from('extra')])
  const fields: [number, Buffer][] = [
    [0, Buffer.alloc(0)],
    [4, extra],
    [8, Buffer.from('name\0')],
    [16, Buffer.from('comment\0')],
    [2, Buffer.alloc(2)],
    [30, Buffer.concat([extra, Buffer.from('name\0comment\0'), Buffer.alloc(2)])],
  ]
  for (const [flags, bytes] of fields) assert.equal(markersIn(findingsIn(member(flags, bytes))).length, 1, `${flags}`)
})

test('members are read each for itself and all together', () => {
  const [first, second] = [MARKER.subarray(0, 100), MARKER.subarray(100)]
  const findings = findingsIn(Buffer.concat([gzipSync(first), gzipSync(second)]))
  const found = findings.map((finding) => (finding.kind === 'leaf' ? finding.bytes.toString() : finding.reason))
  assert.deepEqual(found, [first.toString(), second.toString(), MARKER.toString()])
})

test('an archive in a field of the header is opened, too', () => {
  const hidden = zip({ name: 'marker', bytes: MARKER })
  const length = Buffer.alloc(2)
  length.writeUInt16LE(hidden.length)
  const findings = findingsIn(member(4, Buffer.concat([length, hidden]), Buffer.from('decoy')))
  assert.deepEqual([markersIn(findings).length, reasonsIn(findings)], [1, []])
})

test('an archive behind a member is opened', () => {
  const findings = findingsIn(Buffer.concat([gzipSync('decoy'), zip({ name: 'marker', bytes: MARKER })]))
  assert.deepEqual([markersIn(findings).length, reasonsIn(findings)], [1, []])
})

test('a second member that is cut is damage', () => {
  const cut = gzip({ name: 'marker', bytes: MARKER }).subarray(0, 40)
  assert.deepEqual(reasonsIn(findingsIn(Buffer.concat([gzipSync('decoy'), cut]))), ['damaged'])
})
