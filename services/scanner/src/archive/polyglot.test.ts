// Files that are more than one archive, depending on who reads them; and files that only look so.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { rar5 } from '@sekimori/testing/rar-archive'
import { MARKER, type SampleFile, storedCab, storedZip, tar } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'
import { deflated, stored, zipOf } from './sample-zip.ts'

const decoy: SampleFile = { name: 'decoy', bytes: Buffer.from('decoy') }
const hidden = zipOf([deflated(MARKER)])
/** Has the headers of the hidden archive, and something else for a file. */
const lookalike = Buffer.from(hidden).fill('x', 40, 60)

test('an archive in a part of another that is no file is found, even when a file begins as it does', () => {
  for (const file of [decoy, { name: 'lookalike', bytes: lookalike }]) {
    const findings = findingsIn(rar5([file], 'none', 15, hidden))
    assert.equal(markersIn(findings).length, 1, file.name)
  }
})

test('a file may be two archives from its start', () => {
  const zip = zipOf([{ ...deflated(MARKER), name: 'a'.repeat(90), extra: Buffer.alloc(600) }])
  const block = tar(decoy).subarray(0, 512)
  // The name of the tar member begins with the local header of a ZIP entry.
  block.set(zip.subarray(0, 100))
  block.fill(' ', 148, 156)
  block.write(
    `${block
      .reduce((sum, octet) => sum + octet, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  const both = Buffer.concat([block, Buffer.from('decoy'.padEnd(512, '\0')), Buffer.alloc(1_024)])
  const found = findingsIn(both).flatMap((finding) => (finding.kind === 'leaf' ? [finding.bytes.toString()] : []))
  assert.ok(found.includes('decoy'))
})

/** Incompressible, and longer than the pieces into which formats cut what they store. */
const noise = (seed: number) =>
  Buffer.from(Uint32Array.from({ length: 50_000 }, (_, i) => Math.imul(i + seed, 0x9e3779b1) ^ (i << 7)).buffer)

test('an archive that shows through the stored pieces of another is read once, and undamaged', () => {
  const files = [1, 2, 3].map((seed) => stored(noise(seed), { name: `${seed}` }))
  const inner = zipOf([...files, deflated(MARKER)])
  const stream = deflateRawSync(inner, { level: 0 })
  const inPieces = zipOf([{ stream, says: { method: 8, packedBytes: stream.length, sizeBytes: inner.length } }])
  const wrapped = [inPieces, storedCab({ name: 'x', bytes: inner }), storedZip({ name: 'x', bytes: inner })]
  for (const bytes of [...wrapped, rar5([{ name: 'x', bytes: inner }]), tar({ name: 'x', bytes: inner })]) {
    const findings = findingsIn(bytes)
    assert.deepEqual(
      markersIn(findings).map(({ depth }) => depth),
      [2],
    )
    assert.deepEqual(reasonsIn(findings), [])
  }
})
