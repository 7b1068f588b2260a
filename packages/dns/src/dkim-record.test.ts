// A key counts as published only when every reader would find it: what is read as the key, and what is not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { compareKey, lookUpKey } from './dkim-record.ts'
import { askEveryServer } from './every-server.ts'

const KEY = { name: 's._domainkey.a.test', keyType: 'rsa', publicKey: 'QUJD' } as const

function faultIn(...records: string[]): string {
  const shown = compareKey(records, KEY)
  return shown.kind === 'differs' ? shown.fault : shown.kind
}

test('a record is the key however its tags are written', () => {
  for (const record of [
    'v=DKIM1; k=rsa; p=QUJD',
    'p=QUJD',
    ' v = DKIM1 ;k=rsa;t=s;\tp=QU\t JD ; ',
    'v=DKIM1; h=sha1:sha256; s=*; n=x=y; p=QUJD;',
    'v=DKIM1; s=email; p=QUJD',
  ])
    assert.equal(faultIn(record), 'matches', record)
})

test('what a verifier would not take for the key is none', () => {
  const faults = {
    'v=DKIM1; p=': 'revoked',
    'v=DKIM1; p=QUJE': 'other-key',
    'v=DKIM1; k=ed25519; p=QUJD': 'other-type',
    'v=DKIM1; t=s:y; p=QUJD': 'testing',
    'v=DKIM1; h=sha1; p=QUJD': 'not-for-mail',
    'v=DKIM1; s=other; p=QUJD': 'not-for-mail',
    'k=rsa; v=DKIM1; p=QUJD': 'syntax',
    'v=DKIM2; p=QUJD': 'syntax',
    'v=DKIM1; k=rsa': 'syntax',
    'p=QUJD; p=QUJD': 'syntax',
    'no tags': 'syntax',
    '': 'syntax',
  }
  for (const [record, fault] of Object.entries(faults)) assert.equal(faultIn(record), fault, record)
  assert.equal(faultIn('p=QUJD', 'p=QUJD'), 'several-records')
})

test('each server is asked for itself; an alias is followed, a failure settles nothing', async () => {
  await using shows = await startDnsServer()
  await using lacks = await startDnsServer()
  await using fails = await startDnsServer()
  shows.set(KEY.name, 'CNAME', ['s1.provider.test'])
  shows.set('s1.provider.test', 'TXT', ['v=DKIM1; p=QUJD'])
  fails.fail(KEY.name, 'SERVFAIL')
  const servers = [shows, lacks, fails].map(({ address }) => address)
  const shown = await askEveryServer(servers, (resolve) => lookUpKey(resolve, KEY))
  assert.deepEqual(shown, [{ kind: 'matches' }, { kind: 'missing' }, { kind: 'unknown', code: 'ESERVFAIL' }])
})
