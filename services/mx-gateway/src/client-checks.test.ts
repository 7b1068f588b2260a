// HELO names and DNS lists, with DNS as an object literal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CheckSettings, checkClient, type LookupAddresses } from './client-checks.ts'

const settings: CheckSettings = {
  MAIL_HOSTNAME: 'mx.test',
  HELO_CHECK: 'refuse',
  DNSBL_CHECK: 'refuse',
  DNSBL_ZONES: 'bl.test, other.test',
}
const records: Record<string, string[]> = {
  'relay.test A': ['192.0.2.1'],
  'v6.test AAAA': ['2001:db8::1'],
  '66.2.0.192.bl.test A': ['127.0.0.2'],
  '67.2.0.192.bl.test A': ['127.255.255.254'],
  '68.2.0.192.bl.test A': ['203.0.113.9'],
  '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.other.test A': ['127.0.0.3'],
}
const lookup: LookupAddresses = async (name, type) => {
  const found = records[`${name} ${type}`]
  if (found === undefined) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' })
  return found
}
const helo = async (ehloName: string, by = lookup) =>
  (await checkClient({ ehloName, clientAddress: '192.0.2.1' }, { ...settings, DNSBL_CHECK: 'off' }, by))[0]!
const listed = async (clientAddress: string, by = lookup) =>
  (await checkClient({ ehloName: 'x', clientAddress }, { ...settings, HELO_CHECK: 'off' }, by))[0]!

test('RFC 5321 4.1.1.1 a HELO name is full, has an address, and is not ours; a literal is the client’s own', async () => {
  for (const name of ['relay.test', 'v6.test', '[192.0.2.1]']) assert.equal((await helo(name)).text, 'helo=pass', name)
  for (const [name, fault] of [
    ['localhost', 'not a full name'],
    ['192.0.2.1', 'not a full name'],
    ['MX.test', 'our own name'],
    ['nowhere.test', 'no address'],
    ['[192.0.2.9]', 'not your address'],
  ] as const) {
    const finding = await helo(name)
    assert.equal(finding.text, `helo=fail (${fault})`)
    assert.equal(finding.refusal?.responseCode, 550)
  }
})

test('RFC 5782 an address is listed when a zone says so, by an answer that means it', async () => {
  const finding = await listed('192.0.2.66')
  assert.deepEqual(
    [finding.text, finding.refusal?.message],
    ['dnsbl=listed (bl.test)', 'Your address 192.0.2.66 is listed by bl.test'],
  )
  assert.equal((await listed('2001:db8::1')).text, 'dnsbl=listed (other.test)')
  for (const address of ['192.0.2.65', '192.0.2.67', '192.0.2.68'])
    assert.equal((await listed(address)).text, 'dnsbl=none')
})

test('while DNS does not answer, nobody is refused', async () => {
  const away: LookupAddresses = () => Promise.reject(Object.assign(new Error('away'), { code: 'ETIMEOUT' }))
  assert.equal((await helo('nowhere.test', away)).text, 'helo=pass')
  assert.equal((await listed('192.0.2.66', away)).text, 'dnsbl=none')
})

test('recorded only, or switched off, a check refuses nobody', async () => {
  const record: CheckSettings = { ...settings, HELO_CHECK: 'record', DNSBL_CHECK: 'record' }
  const facts = { ehloName: 'nowhere.test', clientAddress: '192.0.2.66' }
  assert.deepEqual(await checkClient(facts, record, lookup), [
    { text: 'helo=fail (no address)' },
    { text: 'dnsbl=listed (bl.test)' },
  ])
  assert.deepEqual(await checkClient(facts, { ...settings, HELO_CHECK: 'off', DNSBL_CHECK: 'off' }, lookup), [])
})
