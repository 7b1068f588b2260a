import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lh5, lzh } from '@sekimori/testing/lzh-archive'
import { rar4, rar5 } from '@sekimori/testing/rar-archive'
import { behindStub, wrappings } from '../testing/sample-wrappings.ts'
import { MARKER, type SampleFile } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'

function nested(wrap: (file: SampleFile) => Buffer, depth: number): Buffer {
  let bytes = MARKER
  for (let level = 0; level < depth; level++) bytes = wrap({ name: `level-${level}.bin`, bytes })
  return bytes
}

for (const [format, wrap] of Object.entries(wrappings)) {
  test(`${format}: the marker is found at each depth from 1 to 9, and nothing is in the way`, () => {
    let bytes = MARKER
    for (let depth = 1; depth <= 9; depth++) {
      bytes = wrap({ name: `level-${depth}.bin`, bytes })
      const findings = findingsIn(bytes)
      assert.deepEqual(
        markersIn(findings).map((leaf) => leaf.depth),
        [depth],
      )
      assert.deepEqual(reasonsIn(findings), [])
    }
  })
}

test('archives of each format are found behind a stub', () => {
  for (const [format, wrap] of Object.entries(wrappings)) {
    if (format === 'lzma') continue // can be told only at the start of a file
    const findings = findingsIn(behindStub(wrap({ name: 'marker.txt', bytes: MARKER })))
    assert.deepEqual([format, markersIn(findings).map(({ depth }) => depth), reasonsIn(findings)], [format, [1], []])
  }
})

test('several archives in one file are all opened', () => {
  const formats = Object.entries(wrappings).filter(([format]) => format !== 'lzma')
  for (const [i, [format, wrap]] of formats.entries()) {
    const [, another] = formats[(i + 3) % formats.length]!
    const first = wrap({ name: 'decoy', bytes: Buffer.from(`decoy in ${format}`) })
    const findings = findingsIn(behindStub(first, another({ name: 'marker', bytes: MARKER })))
    assert.deepEqual([format, markersIn(findings).length], [format, 1])
    assert.ok(
      findings.some((finding) => finding.kind === 'leaf' && finding.bytes.equals(Buffer.from(`decoy in ${format}`))),
    )
  }
})

test('a compressed LZH file is unpacked', () => {
  assert.equal(markersIn(findingsIn(lh5)).length, 1)
})

test('formats within one another count a level each', () => {
  const order = Object.keys(wrappings)
  for (let start = 0; start < order.length; start++) {
    let bytes = MARKER
    for (let level = 0; level < 7; level++) {
      const wrap = wrappings[order[(start + level * 5) % order.length]!]!
      bytes = wrap({ name: 'x.bin', bytes })
    }
    const findings = findingsIn(bytes)
    assert.deepEqual(
      markersIn(findings).map((leaf) => leaf.depth),
      [7],
    )
    assert.deepEqual(reasonsIn(findings), [])
  }
})

test('beyond the depth of the setting nothing is opened, and that is said', () => {
  for (const [depth, reasons] of [
    [7, []],
    [8, ['depth']],
  ] as const) {
    const findings = findingsIn(nested(wrappings.zip!, depth), { depth: 7 })
    assert.equal(markersIn(findings).length, depth === 7 ? 1 : 0)
    assert.deepEqual(reasonsIn(findings), reasons)
  }
  assert.deepEqual(reasonsIn(findingsIn(nested(wrappings['rar 5']!, 16))), [])
  assert.deepEqual(reasonsIn(findingsIn(nested(wrappings['rar 5']!, 17))), ['depth'])
})

test('files of one archive do not hide one another, whatever they are called', () => {
  const files = ['a', 'a', '../a', '/a', 'a/b', 'con', '', '\0', '../../../../etc/passwd'].map((name, i) => ({
    name,
    bytes: Buffer.from(`content ${i}`),
  }))
  for (const archive of [rar5(files), rar4(files), lzh(files.filter(({ name }) => name !== ''))]) {
    const found = findingsIn(archive).flatMap((finding) => (finding.kind === 'leaf' ? [finding.bytes.toString()] : []))
    for (const { bytes, name } of files) assert.ok(found.includes(bytes.toString()) || name === '', `${name}: ${found}`)
  }
})

test('a file that is no archive holds nothing', () => {
  const texts = [
    '',
    'x',
    'BZh is how it begins',
    'PK',
    `${'ustar '.repeat(500)}`,
    'Rar',
    '%PDF-1.4 x',
    MARKER.toString(),
  ]
  for (const text of texts) assert.deepEqual(findingsIn(Buffer.from(text)), [])
})
