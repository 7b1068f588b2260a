// DKIM keys: sealed at rest, published as DNS records, opened for signing until they are retired.
import assert from 'node:assert/strict'
import { createPublicKey, randomBytes, sign, verify } from 'node:crypto'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { listDkimKeys, openSigningKeys } from './dkim-key.ts'
import { createDkimKeys } from './dkim-key-creation.ts'
import { readMasterKey, seal, unseal } from './seal.ts'

const masterKey = randomBytes(32)
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test'), ('other.test')")
  await createDkimKeys(stack.database, 'example.test', masterKey, new Date('2026-03-04'))
})
after(() => stack[Symbol.asyncDispose]())

test('a sealed secret opens with its key and context, and with nothing else', () => {
  const sealed = seal(masterKey, Buffer.from('secret'), 'dkim a')
  assert.equal(unseal(masterKey, sealed, 'dkim a').toString(), 'secret')
  assert.ok(!sealed.includes('secret'))
  assert.notDeepEqual(seal(masterKey, Buffer.from('secret'), 'dkim a'), sealed)
  assert.throws(() => unseal(masterKey, sealed, 'dkim b'))
  assert.throws(() => unseal(randomBytes(32), sealed, 'dkim a'))
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed)
    changed[at]! ^= 1
    assert.throws(() => unseal(masterKey, changed, 'dkim a'))
    assert.throws(() => unseal(masterKey, sealed.subarray(0, at), 'dkim a'))
  }
})

test('a master key of another length is refused without being shown', () => {
  assert.deepEqual(readMasterKey(masterKey.toString('base64')), masterKey)
  assert.throws(
    () => readMasterKey('c2hvcnQ='),
    (error: Error) => !error.message.includes('c2hvcnQ'),
  )
})

test('a domain has an RSA and an Ed25519 key, and their records are those of the keys that sign', async () => {
  const records = await listDkimKeys(stack.database, 'example.test')
  const keys = await openSigningKeys(stack.database, masterKey)('example.test')
  assert.deepEqual(keys.map(({ algorithm }) => algorithm).sort(), ['ed25519-sha256', 'rsa-sha256'])
  for (const { selector, algorithm, privateKey } of keys) {
    const record = records.find((candidate) => candidate.selector === selector)!
    assert.equal(record.dnsName, `${selector}._domainkey.example.test`)
    const [, kind, published] = /^v=DKIM1; k=(rsa|ed25519); p=([A-Za-z0-9+/=]+)$/.exec(record.dnsRecord)!
    const octets = Buffer.from(published!, 'base64')
    // RFC 8463 section 4 publishes the bare key; here it gets the envelope back that Node reads.
    const der = kind === 'rsa' ? octets : Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), octets])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    const hash = algorithm === 'rsa-sha256' ? 'sha256' : null
    assert.ok(verify(hash, Buffer.from('x'), publicKey, sign(hash, Buffer.from('x'), privateKey)))
  }
})

test('the database alone can not sign: private keys lie sealed', async () => {
  const { rows } = await stack.database.query<{ sealed_private_key: Buffer }>('select sealed_private_key from dkim_key')
  for (const { sealed_private_key } of rows)
    assert.throws(() => createPublicKey({ key: sealed_private_key, format: 'der', type: 'pkcs1' }))
  await assert.rejects(openSigningKeys(stack.database, randomBytes(32))('example.test'))
})

test('a domain without keys has none, and a retired key is no longer used', async () => {
  const keys = openSigningKeys(stack.database, masterKey)
  assert.deepEqual(await keys('other.test'), [])
  assert.equal((await keys('example.test')).length, 2)
  await stack.database.query("update dkim_key set state = 'retired' where algorithm = 'rsa-sha256'")
  await eventually(async () => (await keys('example.test')).length === 1)
})
