// How clamd's replies are read: only a whole, known reply is a verdict.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describe, readReply, statusLine } from './verdict.ts'

test('clean, infected and the reasons why a mail could not be inspected are told apart', () => {
  assert.deepEqual(readReply('stream: OK'), { kind: 'clean' })
  assert.deepEqual(readReply('stream: Win.Test.EICAR_HDB-1 FOUND'), {
    kind: 'infected',
    signature: 'Win.Test.EICAR_HDB-1',
  })
  for (const [reply, reason] of [
    ['stream: Heuristics.Encrypted.Zip FOUND', 'encrypted'],
    ['stream: Heuristics.Encrypted.PDF FOUND', 'encrypted'],
    ['stream: Heuristics.Limits.Exceeded.MaxRecursion FOUND', 'depth'],
    ['stream: Heuristics.Limits.Exceeded.MaxScanTime FOUND', 'time'],
    ['stream: Heuristics.Limits.Exceeded.MaxFileSize FOUND', 'size'],
    ['stream: Heuristics.Limits.Exceeded.EmailHeaders FOUND', 'size'],
    ['stream: Heuristics.Limits.Exceeded.constructor FOUND', 'size'],
    ['INSTREAM size limit exceeded. ERROR', 'size'],
  ] as const)
    assert.deepEqual(readReply(reply), { kind: 'unscannable', reason }, reply)
})

test('other heuristics, and names that only look like those, are findings', () => {
  for (const signature of [
    'Heuristics.Phishing.Email.SpoofedDomain',
    'X.Heuristics.Encrypted.Zip',
    'Heuristics.EncryptedX',
  ])
    assert.deepEqual(readReply(`stream: ${signature} FOUND`), { kind: 'infected', signature })
})

test('everything else is no verdict', () => {
  for (const reply of [
    '',
    'OK',
    'stream: ok',
    'stream: OK ',
    ' stream: OK',
    'stream: OK\n',
    'stream: x ERROR',
    "stream: Can't allocate memory ERROR",
    'UNKNOWN COMMAND',
    'COMMAND READ TIMED OUT',
    'stream:  FOUND',
    'PONG',
  ])
    assert.equal(readReply(reply), undefined, reply)
})

test('a verdict is told in one header line, whatever the signature is called', () => {
  assert.equal(describe({ kind: 'infected', signature: 'a b\r\nEvil: 1(x)' }), 'infected (a_b__Evil:_1_x_)')
  const line = statusLine({ kind: 'unscannable', reason: 'encrypted' }, 'mx.test', 'Clam"AV\r\nX: 1')
  assert.equal(line, 'X-Virus-Status: unscannable (encrypted); host=mx.test;\r\n\tengine="ClamAVX: 1"')
})
