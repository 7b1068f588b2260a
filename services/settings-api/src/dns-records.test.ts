import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordsToPublish, txtStrings, txtZoneLine } from './dns-records.ts'

test('a text is split into strings of at most 255 octets', () => {
  const lengths = (size: number) => txtStrings('x'.repeat(size)).map((string) => string.length)
  assert.deepEqual(lengths(255), [255])
  assert.deepEqual(lengths(256), [255, 1])
  assert.deepEqual(lengths(600), [255, 255, 90])
})

test('quotes and backslashes are escaped in a zone file', () => {
  assert.equal(txtZoneLine('a.test', 'say "a\\b"'), 'a.test. 3600 IN TXT "say \\"a\\\\b\\""')
})

test('retired keys are not to be published', () => {
  const key = { algorithm: 'rsa-sha256', dnsRecord: 'v=DKIM1; k=rsa; p=', createdAt: '' } as const
  const keys = [
    { ...key, selector: 'new', state: 'active', dnsName: 'new._domainkey.a.test' } as const,
    { ...key, selector: 'old', state: 'retired', dnsName: 'old._domainkey.a.test' } as const,
  ]
  const dkim = recordsToPublish('a.test', 'mail.test', keys).filter((record) => record.purpose === 'dkim')
  assert.deepEqual(
    dkim.map((record) => record.name),
    ['new._domainkey.a.test'],
  )
})
