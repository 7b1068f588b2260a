// Rotation with a slow DNS: time is a value here, and DNS two servers that come to know of a record at different times.
// Whatever happens, no mail is signed with a selector that not both of them show.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { after, before, test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import { type DkimKeyRecord, listDkimKeys, openSigningKeys } from '@sekimori/store/dkim-key'
import { advanceKeys } from '@sekimori/store/dkim-key-life'
import { claimLooks, recordLook } from '@sekimori/store/dkim-key-look'
import { createDomain } from '@sekimori/store/domain-admin'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type KeeperPorts, keepKeys } from './key-keeper.ts'
import { lookForKey } from './key-look.ts'

const masterKey = randomBytes(32)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const POLICY = { rotateAfterMs: 90 * DAY_MS, settleMs: HOUR_MS, retireAfterMs: 7 * DAY_MS }
type DnsServer = Awaited<ReturnType<typeof startDnsServer>>

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

/** A domain with published keys, two DNS servers, two replicas of the keeper, and a clock that the test moves. */
async function openScene(domain: string) {
  await using resources = new AsyncDisposableStack()
  const near = resources.use(await startDnsServer())
  const far = resources.use(await startDnsServer())
  const other = resources.use(await stack.openAnother())
  await createDomain(stack.database, domain, masterKey)
  let now = Date.now()
  const keeper = (database: typeof stack.database): KeeperPorts => ({
    claim: (at, limit) => claimLooks(database, at, limit),
    look: (key) => lookForKey([near.address, far.address], key),
    record: (id, look, at) => recordLook(database, id, look, at),
    advance: (name, at) => advanceKeys(database, name, masterKey, POLICY, at),
    now: () => new Date(now),
    whenUp: () => Promise.resolve(),
    log: createLog('test', 'silent'),
  })
  const replicas = [keeper(stack.database), keeper(other)]
  const keys = () => listDkimKeys(stack.database, domain)
  const scene = {
    near,
    far,
    keys,
    stateOf: async (selector: string) => (await keys()).find((key) => key.selector === selector)?.state,
    signers: async () => (await openSigningKeys(other, masterKey)(domain)).map(({ selector }) => selector).sort(),
    /** Lets time pass in steps; after each both replicas keep the keys, and nothing unseen may sign. */
    async pass(ms: number, stepMs = 5 * MINUTE_MS) {
      for (const end = now + ms; now < end; await assertAllSeen(scene, [near, far])) {
        now = Math.min(end, now + stepMs)
        await Promise.all(replicas.map(keepKeys))
      }
    },
    /** The same without that assertion: for a change that nobody can know of before he looks. */
    async passUnwatched(ms: number) {
      for (const end = now + ms; now < end; await Promise.all(replicas.map(keepKeys))) now += 5 * MINUTE_MS
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
  for (const key of await keys()) publish(key, near, far)
  const owned = resources.move()
  return scene
}

function publish(key: DkimKeyRecord, ...servers: DnsServer[]): void {
  for (const server of servers) server.set(key.dnsName, 'TXT', [key.dnsRecord])
}

async function assertAllSeen(
  scene: { keys(): Promise<DkimKeyRecord[]>; signers(): Promise<string[]> },
  servers: DnsServer[],
): Promise<void> {
  const keys = await scene.keys()
  for (const selector of await scene.signers()) {
    const { dnsName, dnsRecord } = keys.find((key) => key.selector === selector)!
    for (const { address } of servers) {
      const resolver = new Resolver({ timeout: 2_000, tries: 3 })
      resolver.setServers([address])
      const shown = await resolver.resolveTxt(dnsName)
      assert.deepEqual(
        shown.map((strings) => strings.join('')),
        [dnsRecord],
      )
    }
  }
}

test('a new key signs only when every server has shown it for long enough, and the old one stays until mail is done', async () => {
  await using scene = await openScene('slow.test')
  await scene.pass(10 * MINUTE_MS)
  const first = await scene.signers()
  assert.equal(first.length, 2)
  await scene.pass(90 * DAY_MS, 30 * DAY_MS)
  const pending = (await scene.keys()).filter(({ state }) => state === 'pending')
  assert.equal(pending.length, 2, 'one of each algorithm, made by one of the replicas')
  await scene.pass(3 * HOUR_MS)
  for (const key of pending) publish(key, scene.near)
  await scene.pass(3 * HOUR_MS)
  assert.deepEqual(await scene.signers(), first, 'the far server lags behind')
  for (const key of pending) publish(key, scene.far)
  await scene.pass(50 * MINUTE_MS)
  assert.deepEqual(await scene.signers(), first, 'others may still remember that there was none')
  await scene.pass(HOUR_MS)
  assert.deepEqual(await scene.signers(), pending.map(({ selector }) => selector).sort())
  for (const selector of first) assert.equal(await scene.stateOf(selector), 'retiring')
  await scene.pass(6 * DAY_MS, 6 * HOUR_MS)
  for (const selector of first) assert.equal(await scene.stateOf(selector), 'retiring')
  await scene.pass(2 * DAY_MS, 6 * HOUR_MS)
  for (const selector of first) assert.equal(await scene.stateOf(selector), 'retired')
})

test('a record that comes and goes, is another one, or a server that does not answer keep a new key from signing', async () => {
  await using scene = await openScene('unsteady.test')
  await scene.pass(10 * MINUTE_MS)
  const first = await scene.signers()
  await scene.pass(90 * DAY_MS, 30 * DAY_MS)
  const pending = (await scene.keys()).filter(({ state }) => state === 'pending')
  const all = (change: (key: DkimKeyRecord) => void) => pending.forEach(change)
  for (let round = 0; round < 3; round++) {
    all((key) => publish(key, scene.near, scene.far))
    await scene.pass(40 * MINUTE_MS)
    all((key) => scene.far.delete(key.dnsName, 'TXT'))
    await scene.pass(20 * MINUTE_MS)
  }
  assert.deepEqual(await scene.signers(), first)
  all((key) => scene.far.set(key.dnsName, 'TXT', [key.dnsRecord.slice(0, -8)]))
  await scene.pass(3 * HOUR_MS, 15 * MINUTE_MS)
  assert.deepEqual(await scene.signers(), first)
  all((key) => scene.far.fail(key.dnsName, 'SERVFAIL'))
  await scene.pass(2 * HOUR_MS, 15 * MINUTE_MS)
  assert.deepEqual(await scene.signers(), first)
})

test('when the record of a new key is taken away again, the old key signs again', async () => {
  await using scene = await openScene('withdrawn.test')
  await scene.pass(10 * MINUTE_MS)
  const first = await scene.signers()
  await scene.pass(90 * DAY_MS, 30 * DAY_MS)
  const pending = (await scene.keys()).filter(({ state }) => state === 'pending')
  for (const key of pending) publish(key, scene.near, scene.far)
  await scene.pass(2 * HOUR_MS)
  assert.notDeepEqual(await scene.signers(), first)
  for (const key of pending) scene.far.delete(key.dnsName, 'TXT')
  await scene.passUnwatched(90 * MINUTE_MS)
  await scene.pass(8 * DAY_MS, DAY_MS)
  assert.deepEqual(await scene.signers(), first)
})
