import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MARKER, zipWithMethod } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'
import { deflated, stored, zipOf } from './sample-zip.ts'

const other = stored(Buffer.from('some other file'), { name: 'other.txt' })
const marker = deflated(MARKER)
const storedMarker = stored(MARKER)
const HIDING = { encrypted: 1, lengthsFollow: 8 }
const descriptor = Buffer.concat([Buffer.from('PK\x07\x08', 'latin1'), Buffer.alloc(12)])
const cutDirectory = (zip: Buffer) => zip.subarray(0, zip.indexOf('PK\x01\x02'))

/** Archives in which some common tool finds the marker. */
const lies: Record<string, Buffer> = {
  'no central directory': cutDirectory(zipOf([other, marker])),
  'a central directory without the entry': zipOf([other, { ...marker, only: 'local' }]),
  'a local header that says "stored"': zipOf([other, deflated(MARKER, { local: { method: 0 } })]),
  'a directory that says "stored"': zipOf([other, deflated(MARKER, { directory: { method: 0 } })]),
  'a local header that says "deflated"': zipOf([other, stored(MARKER, { local: { method: 8 } })]),
  'an unknown method in the local header': zipOf([deflated(MARKER, { local: { method: 77 } }), other]),
  'a local header without its signature': zipOf([deflated(MARKER, { local: { signature: 'XXXX' } }), other]),
  'a local header with lengths of 0': zipOf([stored(MARKER, { local: { packedBytes: 0, sizeBytes: 0 } }), other]),
  'a local header with lengths of 4 GB': zipOf([
    deflated(MARKER, { local: { packedBytes: 0xffffffff, sizeBytes: 0xffffffff } }),
    other,
  ]),
  'a directory with lengths of 0': zipOf([deflated(MARKER, { directory: { packedBytes: 0, sizeBytes: 0 } })]),
  'a wrong check sum': zipOf([deflated(MARKER, { says: { crc: 1 } })]),
  'a local header that says "encrypted"': zipOf([deflated(MARKER, { local: { flags: HIDING.encrypted } })]),
  'a directory that says "encrypted"': zipOf([deflated(MARKER, { directory: { flags: HIDING.encrypted } })]),
  'lengths behind a deflated file': zipOf([
    {
      ...marker,
      stream: Buffer.concat([marker.stream, descriptor]),
      local: { flags: HIDING.lengthsFollow, packedBytes: 0 },
    },
    other,
  ]),
  'lengths behind a stored file': cutDirectory(
    zipOf([
      {
        ...storedMarker,
        stream: Buffer.concat([MARKER, descriptor]),
        local: { flags: HIDING.lengthsFollow, packedBytes: 0 },
      },
      other,
    ]),
  ),
  'a stub before it, offsets from the archive': Buffer.concat([
    Buffer.alloc(3_000, 'MZ stub '),
    zipOf([other, marker]),
  ]),
  'a stub before it, offsets from the file': Buffer.concat([
    Buffer.alloc(3_000, 'MZ stub '),
    zipOf([other, deflated(MARKER, { local: { signature: 'XXXX' } })], undefined, 3_000),
  ]),
  'a stub before it, no local signature': Buffer.concat([
    Buffer.alloc(3_000, 'MZ stub '),
    zipOf([other, deflated(MARKER, { local: { signature: 'XXXX' } })]),
  ]),
  'text behind it': Buffer.concat([zipOf([marker]), Buffer.from('text '.repeat(500))]),
  'another archive before it': Buffer.concat([zipOf([other]), zipOf([marker])]),
  'another archive behind it': Buffer.concat([zipOf([marker]), zipOf([other])]),
  'itself in the comment of another': zipOf([other], zipOf([marker])),
  'itself in an extra field of another': zipOf([{ ...other, extra: zipOf([marker]) }]),
  'two entries of one name': zipOf([{ ...other, name: 'a.txt' }, marker]),
  'a directory that leads into a stored file': (() => {
    const inner = cutDirectory(zipOf([marker]))
    const cover = stored(inner, { name: 'c', only: 'local' as const })
    return zipOf([cover, { ...marker, only: 'directory' as const, directory: { offset: 31 } }])
  })(),
}

for (const [name, bytes] of Object.entries(lies))
  test(`a file is found in a ZIP archive with ${name}`, () => {
    const findings = findingsIn(bytes)
    assert.ok(markersIn(findings).length > 0, JSON.stringify(findings))
    assert.deepEqual(reasonsIn(findings), [])
  })

test('a file is found behind an entry that says that it is as long as both', () => {
  const cover = stored(Buffer.from('x'), { name: 'cover', local: { packedBytes: 200, sizeBytes: 200 } })
  assert.ok(markersIn(findingsIn(zipOf([cover, marker]))).length > 0)
})

test('methods that only 7-Zip knows are unpacked, with a directory and without', () => {
  for (const method of ['Deflate64', 'BZip2', 'LZMA', 'PPMd', 'xz']) {
    const zip = zipWithMethod(method)
    for (const bytes of [zip, cutDirectory(zip)]) {
      const findings = findingsIn(bytes)
      assert.deepEqual([markersIn(findings).length, reasonsIn(findings)], [1, []], method)
    }
  }
})

test('a stream that no header can make sense of is damage', () => {
  const broken: Buffer[] = [
    zipOf([stored(MARKER, { says: { method: 8 } })]),
    zipOf([stored(MARKER, { says: { method: 77 } })]),
    zipOf([deflated(MARKER)]).subarray(0, 50),
    Buffer.from('PK\x03\x04 and nothing else', 'latin1'),
  ]
  for (const bytes of broken) assert.deepEqual(reasonsIn(findingsIn(bytes)), ['damaged'])
})

test('of a stream that breaks, what comes out before is handed out', () => {
  const long = Buffer.concat([MARKER, Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * i * 7) >> 5))])
  const entry = deflated(long)
  entry.stream.fill(0xff, entry.stream.length - 1_000)
  const findings = findingsIn(zipOf([entry]))
  assert.deepEqual(reasonsIn(findings), ['damaged'])
  assert.ok(
    findings.some((finding) => finding.kind === 'leaf' && finding.bytes.subarray(0, MARKER.length).equals(MARKER)),
  )
})

test('an archive in a stored file counts as a level of its own', () => {
  const inner = zipOf([storedMarker])
  const findings = findingsIn(zipOf([stored(inner, { name: 'inner' }), other]))
  assert.deepEqual(
    markersIn(findings).map(({ depth }) => depth),
    [2],
  )
})
