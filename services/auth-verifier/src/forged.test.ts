// Fields that pose as ours are found in every spelling that somebody may read as ours; others stay.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHeader } from '@sekimori/mail/header'
import { forgedFields } from './forged.ts'

const HOST = 'mx.example.test'
const isStruck = (field: string, hostname = HOST) =>
  forgedFields(parseHeader(Buffer.from(`Subject: x\r\n${field}\r\nTo: y\r\n\r\n`)), hostname).length > 0

test('an Authentication-Results field in our name is struck, however it is written', () => {
  for (const value of [
    ' mx.example.test; dkim=pass',
    'mx.example.test;dkim=pass',
    ' MX.Example.TEST; spf=pass',
    ' mx.example.test.; spf=pass',
    ' mx.example.test 1; spf=pass',
    '\r\n\tmx.example.test;\r\n\tspf=pass',
    ' (comment (nested) \\) still) mx.example.test; spf=pass',
    ' (a)(b)\r\n (c) mx.example.test (d); spf=pass',
    ' mx(x).example.test; spf=pass',
    ' "mx.example.test"; spf=pass',
    ' "mx\\.example\\.test"; spf=pass',
    ' " mx.example.test "; spf=pass',
    ' mx.example.test',
    ' "mx.example.test; spf=pass',
    ' ｍｘ.example.test; spf=pass',
    ' mх.example.test; spf=pass',
    ' mx.ехаmple.test; spf=pass',
    ' xn--m-gub.example.test; spf=pass',
    ' mx。example。test; spf=pass',
    ' m\u200bx.example.test; spf=pass',
    ' mx.examp1e.test; spf=pass',
    ' =?utf-8?Q?mx.example.test?=; spf=pass',
    ' =?utf-8?B?bXguZXhhbXBsZS50ZXN0?=; spf=pass',
    ' mx.example.test, spf=pass',
    ' mx.example.test:25; spf=pass',
    ' mx.example.test/1; spf=pass',
    ' mx.example.test..; spf=pass',
    '',
    ' ; spf=pass',
    ' (never closed mx.example.test; spf=pass',
  ])
    assert.ok(isStruck(`Authentication-Results:${value}`), value)
  for (const name of [
    'authentication-results',
    'AUTHENTICATION-RESULTS',
    'Authentication-Results ',
    'Authentication-Results\t',
  ])
    assert.ok(isStruck(`${name}: mx.example.test; spf=pass`), name)
  assert.ok(isStruck('Authentication-Results: mx.xn--bcher-kva.test; spf=pass', 'mx.bücher.test'))
})

test('results in the name of others stay', () => {
  for (const field of [
    'Authentication-Results: mx.other.test; dkim=pass',
    'Authentication-Results: not-mx.example.test; dkim=pass',
    'Authentication-Results: mx.example.test.evil.test; dkim=pass',
    'Authentication-Results: (mx.example.test) other.test; dkim=pass',
    'Authentication-Results: "a(b" ; dkim=pass (mx.example.test)',
    'X-Authentication-Results: mx.example.test; dkim=pass',
    'Received-SPF: pass (other.test: x) receiver=other.test',
    'Received-SPF: pass receiver=mx.example.test.evil.test',
    'Authentication-Results: mx2.example.test; dkim=pass',
    'ARC-Authentication-Results: i=1; mx.example.test; dkim=pass',
    'Comments: Authentication-Results: mx.example.test',
  ])
    assert.equal(isStruck(field), false, field)
})

test('Received-SPF in our name, and every virus status, is struck', () => {
  assert.ok(isStruck('Received-SPF: pass (MX.example.test: domain of x designates y) client-ip=192.0.2.1'))
  assert.ok(isStruck('Received-SPF: pass\r\n\treceiver=mx.example.test;'))
  assert.ok(isStruck('Received-SPF: pass receiver="mx.example.test."'))
  assert.ok(isStruck('Received-SPF: pass receiver=mх.example.test'))
  assert.ok(isStruck('X-DMARC-Quarantine: no'))
  for (const status of ['clean; host=mx.example.test', 'clean', 'whatever'])
    assert.ok(isStruck(`X-Virus-Status: ${status}`), status)
})

test('a field that hides behind a bare CR is struck with the one that it hides in', () => {
  assert.ok(isStruck('X-Note: hello\rAuthentication-Results: mx.example.test; dkim=pass'))
  assert.ok(isStruck('X-Note: hello\r x-virus-status : clean'))
  assert.equal(isStruck('X-Note: hello\r\n Authentication-Results: mx.example.test'), false)
})

test('exactly the forged fields are struck, in order', () => {
  const text =
    'X-Virus-Status: clean\r\nSubject: a\r\n b\r\nAuthentication-Results: mx.example.test;\r\n\tspf=pass\nTo: c\r\n\r\n'
  const struck = forgedFields(parseHeader(Buffer.from(text)), HOST)
  assert.deepEqual(
    [0, 2].map((at) => text.slice(struck[at], struck[at + 1])),
    ['X-Virus-Status: clean\r\n', 'Authentication-Results: mx.example.test;\r\n\tspf=pass\n'],
  )
  assert.equal(struck.length, 4)
})

// A reading that takes the square of a field's length never ends over these.
test('fields as large as a header section may be are read', () => {
  for (const part of ['mx.example.tes ', 'xn--', 'a.', '(', '"', '=?utf-8?q?', '\\', 'mx.example.test(', 'ｍ'])
    for (const name of ['Authentication-Results', 'Received-SPF'])
      isStruck(`${name}: ${part.repeat(250_000 / part.length)}`)
})
