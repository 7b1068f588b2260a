// Where reports may go: to whom a domain names, if he is of its organisation or has agreed (RFC 9990).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Zone, zoneResolver } from '@sekimori/authentication/testing/zone'
import { dmarcDestinations } from './report-destination.ts'
import { readReportUris } from './report-uri.ts'
import { tlsDestinations } from './tls-rpt-record.ts'

const txt = (text: string) => ({ TXT: [text] })
const OWN: Zone = { '_dmarc.a.test': txt('v=DMARC1; p=none'), '_dmarc.b.test': txt('v=DMARC1; p=none') }
const permission = 'a.test._report._dmarc.b.test'
const to = async (rua: string, zone: Zone = {}) =>
  (await dmarcDestinations('a.test', rua, zoneResolver({ ...OWN, ...zone }))).map(({ address }) => address)

test('a domain has its reports sent to itself and to names of its organisation', async () => {
  assert.deepEqual(await to('mailto:x@a.test'), ['x@a.test'])
  assert.deepEqual(await to('mailto:x@sub.a.test!10m'), ['x@sub.a.test'])
})

test('nobody else gets them without his consent', async () => {
  assert.deepEqual(await to('mailto:x@b.test'), [])
  for (const record of ['v=spf1 -all', 'p=none; v=DMARC1', 'v=DMARC2', 'v=dmarc1'])
    assert.deepEqual(await to('mailto:x@b.test', { [permission]: txt(record) }), [], record)
  assert.deepEqual(await to('mailto:x@b.test', { [permission]: txt('v=DMARC1') }), ['x@b.test'])
  assert.deepEqual(await to('mailto:x@b.test', { [permission]: txt('v=DMARC1;') }), ['x@b.test'])
})

test('who consents may name another address of his, and only of his', async () => {
  const named = (rua: string) => ({ [permission]: txt(`v=DMARC1; rua=${rua}`) })
  assert.deepEqual(await to('mailto:x@b.test', named('mailto:y@b.test')), ['y@b.test'])
  assert.deepEqual(await to('mailto:x@b.test', named('mailto:victim@c.test')), [])
})

test('what can not be found out now is no consent and no refusal', async () => {
  await assert.rejects(to('mailto:x@b.test', { [permission]: { TXT: 'TIMEOUT' } }), { code: 'ETIMEOUT' })
})

test('two destinations are served, in their order', async () => {
  assert.deepEqual(await to('mailto:1@a.test, mailto:2@a.test,mailto:1@a.test,mailto:3@a.test'), [
    '1@a.test',
    '2@a.test',
  ])
})

test('destinations are read with their size limit, and what is none is left out', () => {
  const read = (rua: string) => readReportUris(rua).map(({ destination, maxBytes }) => [destination, maxBytes])
  assert.deepEqual(read('mailto:a%2Bb@x.test!10m, https://x.test/r?a=1!2K ,mailto:c@x.test?subject=x'), [
    ['mailto:a+b@x.test', 10_485_760],
    ['https://x.test/r?a=1', 2048],
    ['mailto:c@x.test', undefined],
  ])
  for (const rua of [
    'mailto:',
    'mailto:x',
    'x@x.test',
    'mailto:%zz@x.test',
    'mailto:a@x.test%0d%0aBcc:b@y.test',
    'http://x.test/',
    'https://user:password@x.test/',
    'https://x.test:22/',
    'file:///etc/passwd',
    `mailto:${'a'.repeat(600)}@x.test`,
  ])
    assert.deepEqual(read(rua), [], rua)
})

test('TLS reports go where exactly one TLSRPT record says', async () => {
  const of = async (...texts: string[]) =>
    (await tlsDestinations('a.test', zoneResolver({ '_smtp._tls.a.test': { TXT: texts } }))).map(
      (uri) => uri.destination,
    )
  assert.deepEqual(await of('v=TLSRPTv1; rua=mailto:t@a.test,https://r.test/tls'), [
    'mailto:t@a.test',
    'https://r.test/tls',
  ])
  assert.deepEqual(await of('v=TLSRPTv1;rua=mailto:t@a.test', 'another record'), ['mailto:t@a.test'])
  assert.deepEqual(await of('v=TLSRPTv1; rua=mailto:t@a.test', 'v=TLSRPTv1; rua=mailto:u@a.test'), [])
  assert.deepEqual(await of('v=TLSRPTv2; rua=mailto:t@a.test'), [])
  assert.deepEqual(await tlsDestinations('none.test', zoneResolver({})), [])
})
