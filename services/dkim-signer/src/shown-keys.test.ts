// No mail is signed with a selector that DNS does not show: a record that vanishes counts as soon as its TTL lets it be seen.
import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { createResolver } from '@sekimori/dns/resolver'
import { createLog } from '@sekimori/runtime/log'
import type { CandidateKey } from '@sekimori/store/dkim-key'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { openShownKeys } from './shown-keys.ts'

const { privateKey } = generateKeyPairSync('ed25519')
function key(
  selector: string,
  algorithm: 'rsa-sha256' | 'ed25519-sha256',
  over: Partial<CandidateKey> = {},
): CandidateKey {
  return {
    id: selector,
    selector,
    algorithm,
    state: 'active',
    shown: 'matches',
    looks: 9,
    name: `${selector}._domainkey.a.test`,
    keyType: algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519',
    publicKey: `key-of-${selector}`,
    open: () => ({ selector, algorithm, privateKey }),
    ...over,
  }
}
const RSA = key('r', 'rsa-sha256')
const OLD = key('old', 'rsa-sha256', { state: 'retiring' })
const ED = key('e', 'ed25519-sha256')

/** The keys in DNS, and a clock of the signer's that the test moves. */
async function openScene(...keys: CandidateKey[]) {
  const dns = await startDnsServer({ zones: { test: { negativeTtlSeconds: 0 } } })
  let time = 0
  const resolver = createResolver({ servers: [dns.address], timeoutMs: 500, attempts: 1, now: () => time })
  const lookedFor: string[] = []
  const signing = openShownKeys({
    candidates: async () => keys,
    resolve: resolver.resolve,
    lookSoon: async (id) => void lookedFor.push(id),
    log: createLog('test', 'silent'),
    now: () => time,
  })
  const publish = ({ name, keyType, publicKey }: CandidateKey, ttlSeconds = 300) =>
    dns.set(name, 'TXT', [`v=DKIM1; k=${keyType}; p=${publicKey}`], { ttlSeconds })
  for (const one of keys) publish(one)
  return {
    dns,
    lookedFor,
    publish,
    signers: async () => (await signing('a.test')).map(({ selector }) => selector),
    pass(ms: number) {
      time += ms
    },
    async [Symbol.asyncDispose]() {
      await resolver[Symbol.asyncDispose]()
      await dns[Symbol.asyncDispose]()
    },
  }
}

test('a record that vanishes is not signed with any more once its TTL is over, and is looked for', async () => {
  await using scene = await openScene(RSA, ED)
  assert.deepEqual(await scene.signers(), ['r', 'e'])
  scene.dns.delete(RSA.name, 'TXT')
  scene.pass(299_000)
  assert.deepEqual(await scene.signers(), ['r', 'e'], 'others remember it as well')
  scene.pass(2_000)
  assert.deepEqual([await scene.signers(), await scene.signers()], [['e'], ['e']])
  assert.deepEqual(scene.lookedFor, ['r'])
  scene.publish(RSA)
  assert.deepEqual(await scene.signers(), ['r', 'e'])
})

test('a record without a TTL counts at once, and so does another key in its place', async () => {
  await using scene = await openScene(RSA, ED)
  scene.publish(RSA, 0)
  assert.deepEqual(await scene.signers(), ['r', 'e'])
  scene.dns.set(RSA.name, 'TXT', ['v=DKIM1; k=rsa; p='], { ttlSeconds: 0 })
  assert.deepEqual(await scene.signers(), ['e'])
})

test('the key before signs again in its place, if DNS shows that; with none shown, every mail is signed all the same', async () => {
  await using scene = await openScene(OLD, RSA)
  scene.dns.delete(RSA.name, 'TXT')
  assert.deepEqual(await scene.signers(), ['old'])
  scene.dns.delete(OLD.name, 'TXT')
  scene.pass(301_000)
  assert.deepEqual(await scene.signers(), ['r'])
})

test('a selector that is an alias is found where it leads', async () => {
  await using scene = await openScene(RSA, ED)
  scene.dns.delete(RSA.name, 'TXT')
  scene.dns.set(RSA.name, 'CNAME', ['r.keys.test'])
  assert.deepEqual(await scene.signers(), ['e'])
  scene.publish({ ...RSA, name: 'r.keys.test' })
  assert.deepEqual(await scene.signers(), ['r', 'e'])
})

test('while DNS does not answer the keys sign, and mails do not wait for it one by one', async () => {
  await using scene = await openScene(RSA, ED)
  for (const { name } of [RSA, ED]) scene.dns.fail(name, 'timeout')
  for (let mails = 0; mails < 4; mails++) {
    assert.deepEqual(await scene.signers(), ['r', 'e'])
    scene.pass(7_000)
  }
  assert.equal(scene.dns.queries.length, 2)
  for (const { name } of [RSA, ED]) scene.dns.heal(name)
  scene.dns.delete(RSA.name, 'TXT')
  scene.pass(61_000)
  assert.deepEqual(await scene.signers(), ['e'])
})

test('mails of one domain that come together ask once', async () => {
  await using scene = await openScene(RSA, ED)
  await Promise.all(Array.from({ length: 50 }, () => scene.signers()))
  assert.equal(scene.dns.queries.length, 2)
})
