import assert from 'node:assert/strict'
import { test } from 'node:test'
import { evasions } from '../testing/evasions.ts'
import { mailParts, type Part } from './walk.ts'

const options = { limits: { depth: 20, parts: 1_000, decodedBytes: 10_000_000, workBytes: 100_000_000 } }
const PAYLOAD = 'PAYLOAD that nobody else would write: ~!@#$%^&*()_+{}|<>?'

test('an attachment is found behind each way to break MIME, octet by octet', () => {
  const missed = evasions(PAYLOAD).filter(({ mail }) => {
    const parts = [...mailParts(mail, options)]
    return !parts.some(({ bytes }) => bytes.toString('latin1').trimStart().startsWith(PAYLOAD))
  })
  assert.deepEqual(
    missed.map(({ name }) => name),
    [],
  )
})

test('a mail that is written by the rules has one reading, all of it plain', () => {
  const lines = [
    'From: a@b.example',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=_x"',
    '',
    'This is a multi-part message in MIME format.',
    '--=_x',
    'Content-Type: multipart/alternative; boundary=inner',
    '',
    '--inner',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'caf=C3=A9 =',
    'x',
    '--inner',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '<p>x</p>',
    '--inner--',
    '',
    '--=_x',
    'Content-Type: application/pdf; name="a.pdf"',
    'Content-Disposition: attachment; filename="a.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('%PDF-1.4 some bytes').toString('base64'),
    '--=_x--',
    '',
  ]
  const parts: Part[] = [...mailParts(Buffer.from(lines.join('\r\n')), options)]
  assert.deepEqual(
    parts.map(({ contentType, isPlain }) => [contentType, isPlain]),
    [
      ['text/plain', true],
      ['text/html', true],
      ['application/pdf', true],
    ],
  )
  assert.equal(parts[2]!.bytes.toString(), '%PDF-1.4 some bytes')
})

test('more parts, depth or octets than the limits are said, not left out', () => {
  const nested = (depth: number): string =>
    depth === 0 ? 'x' : `Content-Type: message/rfc822\r\n\r\n${nested(depth - 1)}`
  assert.throws(() => [...mailParts(Buffer.from(nested(30)), options)], { reason: 'depth' })
  const many = `Content-Type: multipart/mixed; boundary=a\r\n\r\n${'--a\r\n\r\nx\r\n'.repeat(2_000)}--a--`
  assert.throws(() => [...mailParts(Buffer.from(many), options)], { reason: 'size' })
})

test('hostile input takes bounded time', { timeout: 60_000 }, () => {
  const inputs = [
    `Content-Type: ${'boundary='.repeat(20_000)}`,
    `${' '.repeat(200_000)}content-type`,
    `Content-Type: multipart/mixed; boundary=a\r\n\r\n${'--a'.repeat(100_000)}`,
    `${'begin 644 x\r\n'.repeat(20_000)}`,
    `Content-Transfer-Encoding: base64 x\r\n\r\n${'='.repeat(300_000)}`,
    `Content-Type: ${'('.repeat(100_000)}`,
    `Content-Type: multipart/mixed; ${'boundary*0=a;'.repeat(10_000)}`,
    '\r'.repeat(200_000),
    `${'A: b\r\n \r\n'.repeat(20_000)}`,
  ]
  for (const input of inputs) {
    try {
      for (const _ of mailParts(Buffer.from(input, 'latin1'), options));
    } catch (error) {
      assert.equal((error as Error).name, 'WalkLimitReached')
    }
  }
})
