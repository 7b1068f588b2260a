import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lzh } from '@sekimori/testing/lzh-archive'
import { rar5 } from '@sekimori/testing/rar-archive'
import { ole, tnef } from './sample-documents.ts'
import { MARKER, markerFile, zip } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'
import { stored, zipOf } from './sample-zip.ts'

test('the attachments of winmail.dat are found, and the archives in them', () => {
  assert.deepEqual(
    markersIn(findingsIn(tnef(MARKER))).map(({ depth }) => depth),
    [0],
  )
  assert.deepEqual(
    markersIn(findingsIn(tnef(zip(markerFile)))).map(({ depth }) => depth),
    [1],
  )
  const embedded = Buffer.concat([Buffer.alloc(40, 1), tnef(MARKER)])
  assert.deepEqual(markersIn(findingsIn(tnef(embedded, 0x00069005))).length, 1)
  assert.deepEqual(reasonsIn(findingsIn(tnef(MARKER))), [])
})

test('a winmail.dat that is cut is damage, and what is there is found', () => {
  const findings = findingsIn(tnef(Buffer.concat([zip(markerFile), Buffer.alloc(500)])).subarray(0, -200))
  assert.deepEqual(reasonsIn(findings), ['damaged'])
  assert.equal(markersIn(findings).length, 1)
})

test('wrappings that are no archives do not count as levels, but end', () => {
  let bytes = MARKER
  for (let level = 0; level < 20; level++) bytes = tnef(bytes)
  assert.deepEqual(
    markersIn(findingsIn(bytes)).map(({ depth }) => depth),
    [0],
  )
  for (let level = 0; level < 20; level++) bytes = tnef(bytes)
  assert.deepEqual(reasonsIn(findingsIn(bytes)), ['depth'])
})

test('an archive in an object of an Office document is opened', () => {
  const embedded = ole({ '\x01Ole10Native': Buffer.concat([Buffer.alloc(30, 2), rar5([markerFile])]) })
  const document = zipOf([
    stored(Buffer.from('<Types/>'), { name: '[Content_Types].xml' }),
    stored(embedded, { name: 'word/embeddings/oleObject1.bin' }),
  ])
  const findings = findingsIn(document)
  assert.deepEqual([markersIn(findings).length, reasonsIn(findings)], [1, []])
})

test('what programs open as a whole is handed out as a whole, too: documents and executables', () => {
  const document = zipOf([stored(Buffer.from('<Types/>'), { name: '[Content_Types].xml' })])
  const program = Buffer.concat([Buffer.from('MZ'), Buffer.alloc(3_000, 'stub'), lzh([markerFile])])
  const plain = zipOf([stored(MARKER)])
  const findings = findingsIn(rar5([document, program, plain].map((bytes, i) => ({ name: `${i}`, bytes }))))
  const isFound = (whole: Buffer) => findings.some((finding) => finding.kind === 'leaf' && finding.bytes.equals(whole))
  assert.deepEqual([document, program, plain].map(isFound), [true, true, false])
})
