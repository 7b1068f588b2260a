// New signatures come into force without a gap, old ones are not relied on, and operators see which are in use.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { scanDirectly } from '@sekimori/testing/scan-directly'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dailyDatabase, ndbLines } from '@sekimori/testing/signature-database'
import { type Stack, startStack } from '@sekimori/testing/stack'
import { newStateDirectory } from '@sekimori/testing/stack-settings'
import { sendSteadily } from '@sekimori/testing/steady-sender'
import { throughout } from '@sekimori/testing/throughout'

const STRANGER = 'stranger@sender.example'
const DAY_MS = 86_400_000
const LOAD = { sessions: 4, mailsEach: 40 }

/** Puts a signature file into place at once, as freshclam does. */
function install(stateDir: string, name: string, content: string | Buffer): void {
  const path = join(stateDir, 'clamav', name)
  writeFileSync(`${path}.partial`, content)
  renameSync(`${path}.partial`, path)
}

async function untilFound(stack: Stack, pattern: string): Promise<void> {
  await eventually(async () =>
    (await scanDirectly(stack.endpoints.clamdAddress, `${pattern} ${randomUUID()}`)).endsWith('FOUND'),
  )
}

async function metrics(stack: Stack): Promise<string> {
  return (await fetch(`${stack.endpoints.health.scanner}/metrics`)).text()
}

test('S1-21 new signatures come into force under load: no mail is without a verdict, and what was clean before is stopped', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const pattern = `pattern-${randomUUID()}`
  const mail = composeMail({ from: STRANGER, to: carol.address, body: `${pattern}\r\n` })
  const accepted: string[] = []
  const dials = [() => stack.dialMx(), () => stack.dialSmtps(alice)]
  const load = Array.from({ length: LOAD.sessions }, (_, index) => {
    const isInside = index % dials.length === 1
    const ends = { from: isInside ? alice.address : STRANGER, to: bob.address, dial: dials[index % dials.length]! }
    return sendSteadily({ ...ends, count: LOAD.mailsEach, onAccepted: ({ messageId }) => accepted.push(messageId) })
  })
  const name = `test-${randomUUID()}.ndb`
  try {
    await eventually(() => accepted.length > LOAD.mailsEach / 2)
    await stack.sendAsStranger(STRANGER, [carol.address], mail)
    await stack.received(carol)
    install(stack.launcher.stateDir, name, ndbLines({ 'Test.New': pattern }))
    await untilFound(stack, pattern)
    // The very same octets, moments later.
    const queueId = await stack.sendAsStranger(STRANGER, [carol.address], mail)
    const found = await eventually(() => stack.quarantined(queueId))
    assert.match(String(found.signature), /^Test\.New/)
    await Promise.all(load)
  } finally {
    rmSync(join(stack.launcher.stateDir, 'clamav', name), { force: true })
  }
  const arrived = await stack.received(bob, LOAD.sessions * LOAD.mailsEach, 60_000)
  for (const one of arrived) assert.match(fieldOf(one, 'X-Virus-Status'), /^clean;/)
  assert.deepEqual(arrived.map((one) => fieldOf(one, 'Message-ID')).sort(), accepted.sort())
  assert.ok(await stack.isReady('scanner'))
})

test('S1-21 signatures that an operator adds by hand have no version: their age is unknown, and said to be', async () => {
  const stack = await sharedStack()
  // A scanner that an earlier test killed is listed for some minutes more.
  const isOfNow = ({ scanner }: { scanner: string }) => scanner.endsWith(`/${stack.processes.pid('scanner')}`)
  const item = await eventually(async () => (await stack.api('GET', '/v1/signatures')).body.items.find(isOfNow))
  assert.equal(item.endpoint, stack.endpoints.clamdAddress)
  assert.match(item.version, /^ClamAV [\d.]+$/)
  assert.equal(item.healthy, true)
  assert.ok(!('signaturesAt' in item || 'ageSeconds' in item || 'fault' in item))
  const text = await metrics(stack)
  assert.match(text, new RegExp(`^sekimori_signature_info\\{.*version="${item.version}".*\\} 1$`, 'm'))
  assert.match(text, /^sekimori_clamd_usable\{.*\} 1$/m)
  assert.doesNotMatch(text, /^sekimori_signature_age_seconds\{/m)
})

test('S1-21 mail waits while the signatures are older than SIGNATURE_MAX_AGE, and goes on with younger ones', async () => {
  const stateDir = newStateDirectory()
  mkdirSync(join(stateDir, 'clamav'), { recursive: true })
  const use = (version: number, ageMs: number) => {
    const at = new Date(Math.floor((Date.now() - ageMs) / 1000) * 1000)
    install(stateDir, 'daily.cud', dailyDatabase({ version, at, patterns: { Test: randomUUID() } }))
    return at
  }
  const at = use(27_500, DAY_MS)
  try {
    await using stack = await startStack({ stateDir, settings: { SIGNATURE_MAX_AGE: '7d' } })
    const status = async () => (await stack.api('GET', '/v1/signatures')).body.items[0]
    const first = await status()
    assert.match(first.version, /^ClamAV [\d.]+\/27500\//)
    assert.equal(first.signaturesAt, at.toISOString())
    assert.ok(first.ageSeconds >= 86_400 && first.ageSeconds < 87_000)
    assert.match(await metrics(stack), /^sekimori_signature_age_seconds\{.*\} 86\d{3}\b/m)
    use(27_400, 8 * DAY_MS)
    await eventually(async () => (await status()).fault?.kind === 'too-old')
    const ready = await fetch(`${stack.endpoints.health.scanner}/readyz`)
    assert.equal(ready.status, 503)
    assert.match(JSON.stringify(await ready.json()), /older than SIGNATURE_MAX_AGE/)
    const bob = await stack.createMailbox()
    const mail = composeMail({ from: STRANGER, to: bob.address })
    const queueId = await stack.sendAsStranger(STRANGER, [bob.address], mail)
    await throughout(1_000, async () => assert.deepEqual(await stack.trace(queueId), []))
    use(27_501, 0)
    const [arrived] = await stack.received(bob)
    assert.match(fieldOf(arrived!, 'X-Virus-Status'), /^clean; .*\/27501\//)
    assert.equal((await status()).healthy, true)
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
})
