import assert from 'node:assert/strict'
import { test } from 'node:test'
import { angled, isAccountAddress, normalizeAddress } from './address.ts'
import { asDelivered, headerBytes, struckSize } from './delivered.ts'
import { headerEnd, headerValue, parseHeader } from './header.ts'
import { derivedQueueId, newQueueId, timeOfQueueId } from './queue-id.ts'
import { receivedLine } from './received.ts'

test('addresses are compared in lower case with the domain as A-labels', () => {
  assert.equal(normalizeAddress('Alice@Bücher.Example.'), 'alice@xn--bcher-kva.example')
  assert.equal(isAccountAddress('利用者@例え.テスト'), true)
  for (const bad of ['a@example.com/path', 'a@1234', 'a@127.0.0.1', 'a@0x7f.1', 'a@example.com?x', 'a@b%2ec'])
    assert.equal(isAccountAddress(bad), false, bad)
  assert.equal(normalizeAddress('a@example.com/path'), 'a@')
  for (const bad of [
    'alice',
    '@example.test',
    'a b@example.test',
    'a..b@example.test',
    'a@-x.test',
    'a\r\n@example.test',
    `${'a'.repeat(65)}@x.test`,
  ]) {
    assert.equal(isAccountAddress(bad), false, bad)
  }
})

test('a queue id tells its time, and a derived one is the same each time', () => {
  const id = newQueueId(1_790_000_000_123)
  assert.match(id, /^[0-9a-z]{22}$/)
  assert.equal(timeOfQueueId(id), 1_790_000_000_123)
  assert.ok(newQueueId(1_790_000_000_124) > id)
  assert.equal(derivedQueueId(id, 'x'), derivedQueueId(id, 'x'))
  assert.notEqual(derivedQueueId(id, 'x'), derivedQueueId(id, 'y'))
})

test('header fields are found with their folds and offsets, up to the empty line', () => {
  const bytes = Buffer.from('Subject: one\r\n two\r\nno field\r\nX-A : b\nTo: c\r\n\r\nFrom: body')
  const fields = parseHeader(bytes)
  assert.deepEqual(
    fields.map((field) => field.name),
    ['subject', 'x-a', 'to'],
  )
  assert.equal(headerValue(fields, 'subject'), 'one two')
  assert.equal(bytes.subarray(fields[1]!.start, fields[1]!.end).toString(), 'X-A : b\n')
  assert.equal(bytes.subarray(headerEnd(bytes)).toString(), 'From: body')
  assert.equal(headerEnd(Buffer.from('A: b\r\n')), -1)
  assert.equal(headerEnd(Buffer.from('\r\nbody')), 2)
})

test('the mail as delivered is the added lines and the original without the struck ranges, however it is cut', async () => {
  const original = Buffer.from('0123456789')
  const struck = [2, 4, 7, 9]
  for (let size = 1; size <= 10; size++) {
    const chunks = (async function* () {
      for (let at = 0; at < 10; at += size) yield original.subarray(at, at + size)
    })()
    const parts: Buffer[] = []
    for await (const part of asDelivered(headerBytes(['A: b']), chunks, struck)) parts.push(part)
    assert.equal(Buffer.concat(parts).toString(), 'A: b\r\n014569')
  }
  assert.equal(struckSize(struck), 4)
})

test('what a client says can not break out of the Received line, and several recipients are not shown', () => {
  const facts = {
    ehloName: 'x\r\nEvil: 1',
    clientAddress: '2001:db8::1',
    hostname: 'mx.test',
    protocol: 'ESMTP',
    queueId: 'q',
    time: 0,
  }
  const line = receivedLine({ ...facts, recipients: ['a@b', 'c@d'] })
  assert.ok(!/\r\n(?![\t ])/.test(line))
  assert.match(line, /\[IPv6:2001:db8::1\]/)
  assert.ok(!line.includes('for <'))
  assert.match(receivedLine({ ...facts, recipients: ['a@b'] }), /for <a@b>/)
})

test('RFC 5321 4.1.2 between angle brackets a quoted local part is kept as it is, and nothing leads out of them', () => {
  for (const address of ['a@b.test', '"a b"@b.test', '"a>\\" (x);"@b.test', '関@例え.test', ''])
    assert.equal(angled(address), `<${address}>`)
  assert.equal(angled('x\r\nEvil: 1>@y.test'), '<xEvil:1@y.test>')
  assert.equal(angled('"x\r\nEvil: 1"@y.test'), '<"xEvil:1"@y.test>')
  assert.equal(angled('"a b"@y.test> (x)'), '<"a b"@y.testx>')
})

test('RFC 8314 4.3 RFC 5321 4.4 the Received line says how the session was encrypted, and hides a client that is to be hidden', () => {
  const tls = { cipher: 'TLS_AES_256_GCM_SHA384', version: 'TLSv1.3' }
  const facts = { ehloName: 'pc.home', hostname: 'mx.test', protocol: 'ESMTPSA', queueId: 'q', time: 0, tls }
  const line = receivedLine({ ...facts, recipients: ['a@b'] })
  assert.match(line, /by mx\.test with ESMTPSA id q\r\n\t\(TLSv1\.3\)\r\n\tfor <a@b>\r\n\ttls TLS_AES_256_GCM_SHA384;/)
  assert.doesNotMatch(line, /pc\.home|\[/)
})
