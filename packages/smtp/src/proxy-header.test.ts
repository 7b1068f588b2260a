// PROXY headers of both versions, whole, in pieces, damaged, and made to look like one.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plainAddress, readProxyHeader } from './proxy-header.ts'

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** A version 2 header. */
function version2(command: number, family: number, data: Buffer): Buffer {
  const head = Buffer.from([command, family, data.length >> 8, data.length & 255])
  return Buffer.concat([SIGNATURE, head, data])
}
const V4 = Buffer.from([192, 0, 2, 7, 198, 51, 100, 1, 0x30, 0x39, 0, 25])
const V6 = Buffer.concat([
  Buffer.from('20010db8000000000000000000000007'.repeat(2), 'hex'),
  Buffer.from([0x30, 0x39, 0, 25]),
])

test('a whole header gives the client, and says where its own octets begin', () => {
  const source = (bytes: Buffer) => {
    const reading = readProxyHeader(Buffer.concat([bytes, Buffer.from('EHLO x\r\n')]))
    assert.ok(reading.kind === 'header' && reading.sizeBytes === bytes.length, JSON.stringify(reading))
    return reading.source && `${reading.source.address} ${reading.source.port}`
  }
  assert.equal(source(Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 12345 25\r\n')), '192.0.2.7 12345')
  assert.equal(source(Buffer.from('PROXY TCP6 2001:DB8::7 2001:db8::1 12345 25\r\n')), '2001:db8::7 12345')
  assert.equal(source(Buffer.from('PROXY TCP6 ::ffff:192.0.2.7 ::1 12345 25\r\n')), '192.0.2.7 12345')
  assert.equal(source(Buffer.from('PROXY UNKNOWN ffff:: ffff:: 1 2\r\n')), undefined)
  assert.equal(source(Buffer.from('PROXY UNKNOWN\r\n')), undefined)
  assert.equal(source(version2(0x21, 0x11, V4)), '192.0.2.7 12345')
  assert.equal(source(version2(0x21, 0x21, V6)), '2001:db8::7 12345')
  assert.equal(source(version2(0x21, 0x11, Buffer.concat([V4, Buffer.alloc(500)]))), '192.0.2.7 12345')
  assert.equal(source(version2(0x20, 0, Buffer.alloc(0))), undefined)
})

test('a header that comes in pieces is waited for', () => {
  for (const whole of [Buffer.from('PROXY TCP4 192.0.2.7 198.51.100.1 1 25\r\n'), version2(0x21, 0x21, V6)])
    for (let length = 1; length < whole.length; length++)
      assert.equal(readProxyHeader(whole.subarray(0, length)).kind, 'incomplete', String(length))
})

test('anything else is refused as soon as it shows', () => {
  for (const bytes of [
    'EHLO x\r\n',
    'PROXX',
    'proxy TCP4 192.0.2.7 198.51.100.1 1 25\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1 25 \r\n',
    'PROXY TCP4 192.0.2.7  198.51.100.1 1 25\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 1 25\r\n',
    'PROXY TCP6 192.0.2.7 198.51.100.1 1 25\r\n',
    'PROXY TCP4 192.0.2.300 198.51.100.1 1 25\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 65536 25\r\n',
    'PROXY TCP4 192.0.2.7 198.51.100.1 1 99999\r\n',
    'PROXY TCP4 192.0.2.7\r\n',
    'PROXY UDP4 192.0.2.7 198.51.100.1 1 25\r\n',
    `PROXY TCP4 ${'1'.repeat(120)}`,
    '\r\nEHLO',
  ])
    assert.equal(readProxyHeader(Buffer.from(bytes)).kind, 'invalid', JSON.stringify(bytes))
  for (const bytes of [
    version2(0x11, 0x11, V4),
    version2(0x22, 0x11, V4),
    version2(0x21, 0x12, V4),
    version2(0x21, 0x31, Buffer.alloc(216)),
    version2(0x21, 0x11, V4.subarray(1)),
    version2(0x21, 0x21, V6.subarray(1)),
    version2(0x21, 0x11, Buffer.alloc(4_097)),
  ])
    assert.equal(readProxyHeader(bytes).kind, 'invalid', bytes.toString('hex').slice(24, 40))
})

test('an IPv4 address in IPv6 form is shown as the IPv4 address that it is', () => {
  for (const address of ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7', '192.0.2.7'])
    assert.equal(plainAddress(address), '192.0.2.7', address)
  assert.equal(plainAddress('::192.0.2.7'), '::c000:207')
  assert.equal(plainAddress('2001:DB8:0::7'), '2001:db8::7')
  assert.equal(plainAddress('fe80::1%eth0'), 'fe80::1')
})
