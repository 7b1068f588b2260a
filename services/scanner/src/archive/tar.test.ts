import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MARKER, oldTar, type SampleFile, tar, zip } from './sample-tools.ts'
import { findingsIn, markersIn, reasonsIn } from './sample-walk.ts'

const marker: SampleFile = { name: 'marker.txt', bytes: MARKER }
const other: SampleFile = { name: 'other.txt', bytes: Buffer.from('other') }
const END = Buffer.alloc(1_024)

interface Header {
  size: string
  type?: string
  magic?: boolean
  hasCheckSum?: boolean
}

function header({ size, type = '0', magic = true, hasCheckSum = true }: Header): Buffer {
  const block = Buffer.alloc(512)
  block.write('a.txt')
  block.write('0000644\0', 100)
  block.write(size, 124, 'latin1')
  block.write(type, 156)
  if (magic) block.write('ustar\x0000', 257)
  block.fill(' ', 148, 156)
  const sum = block.reduce((total, octet) => total + octet, 0)
  if (hasCheckSum) block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

const octal = (length: number) => `${length.toString(8).padStart(11, '0')}\0`
const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(512 - (bytes.length % 512))])
const member = (more: Partial<Header> = {}) => [header({ size: octal(MARKER.length), ...more }), padded(MARKER)]

const readings: Record<string, Buffer> = {
  'two archives one behind the other': Buffer.concat([tar(other), tar(marker)]),
  'an archive behind rubbish': Buffer.concat([Buffer.alloc(777, 'rubbish'), oldTar(marker)]),
  'a length in base 256': Buffer.concat([header({ size: '\x80\0\0\0\0\0\0\0\0\0\x01\x4a' }), padded(MARKER), END]),
  'a length with spaces': Buffer.concat([...member({ size: `${MARKER.length.toString(8).padStart(11)} ` }), END]),
  'a header without a check sum, at the start': Buffer.concat([...member({ hasCheckSum: false }), END]),
  'a header without a check sum, later': Buffer.concat([
    header({ size: octal(0) }),
    ...member({ hasCheckSum: false }),
    END,
  ]),
  'an unknown type': Buffer.concat([...member({ type: '%' }), END]),
  'a link with content': Buffer.concat([...member({ type: '1' }), END]),
  'a length of nothing, and another in a pax header': (() => {
    const record = Buffer.from(`12 size=${MARKER.length}\n`)
    return Buffer.concat([
      header({ size: octal(record.length), type: 'x' }),
      padded(record),
      ...member({ size: octal(0) }),
      END,
    ])
  })(),
}

for (const [name, bytes] of Object.entries(readings))
  test(`a file is found in a tar archive with ${name}`, () => {
    assert.equal(markersIn(findingsIn(bytes)).length, 1)
    assert.deepEqual(reasonsIn(findingsIn(bytes)), [])
  })

test('a length beyond the end is damage, and what is behind is found', () => {
  const findings = findingsIn(
    Buffer.concat([header({ size: octal(10_000_000) }), padded(Buffer.from('x')), ...member(), END]),
  )
  assert.equal(markersIn(findings).length, 1)
  assert.deepEqual(reasonsIn(findings), ['damaged'])
})

test('an archive in a member counts as a level of its own', () => {
  const findings = findingsIn(tar({ name: 'inner.tar', bytes: tar({ name: 'inner.zip', bytes: zip(marker) }) }))
  assert.deepEqual(
    markersIn(findings).map(({ depth }) => depth),
    [3],
  )
})
