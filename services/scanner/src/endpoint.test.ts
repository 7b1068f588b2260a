// The self-test: what keeps a clamd from being used, and what brings it back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { type EngineUnderTest, openFakeEngine } from './testing/engine-under-test.ts'
import type { Script } from './testing/fake-clamd.ts'

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** VERSION of a clamd in UTC whose signatures are so old. */
function versionOf(ageMs: number): string {
  const at = new Date(Date.now() - ageMs)
  const [, date, month, year, time] = at.toUTCString().split(' ')
  return `ClamAV 1.4.6/27500/${DAYS[at.getUTCDay()]} ${month} ${String(Number(date)).padStart(2)} ${time} ${year}`
}

async function checkFault(under: EngineUnderTest, kind: string, says: RegExp): Promise<void> {
  await eventually(() => under.engine.statuses()[0]!.fault === kind)
  assert.match(under.away()!, says)
  assert.ok(under.away()!.startsWith(under.clamds[0]!.address))
  await assert.rejects(under.scan('mail'), DependencyAway)
  assert.deepEqual(under.clamds[0]!.scanned, [])
}

const misbehaviours: Record<string, { script: Script; kind: string; says: RegExp }> = {
  'answers nothing': { script: () => true, kind: 'unreachable', says: /no answer within 500 ms/ },
  'is no clamd': {
    script: (event, _text, socket) => event === 'command' && Boolean(socket.end('220 mail.example ESMTP\r\n\0')),
    kind: 'unreachable',
    says: /no clamd: it answers 220 mail.example/,
  },
  'has no signatures': {
    script: (event, _text, socket) => event === 'end' && Boolean(socket.end('stream: OK\0')),
    kind: 'misses-eicar',
    says: /does not find the EICAR test file/,
  },
  'calls all encrypted': {
    script: (event, _t, socket) => event === 'end' && Boolean(socket.end('stream: Heuristics.Encrypted.Zip FOUND\0')),
    kind: 'misses-eicar',
    says: /does not find the EICAR test file/,
  },
  'looks at the beginning of a mail only': {
    script: (event, text, socket) => event === 'end' && text.length > 1_000 && Boolean(socket.end('stream: OK\0')),
    kind: 'misses-the-end',
    says: /does not look at the whole of a large mail/,
  },
}
for (const [what, { script, kind, says }] of Object.entries(misbehaviours))
  test(`a clamd that ${what} is not used, and is used when that is over`, async () => {
    await using under = await openFakeEngine(1, {}, kind === 'unreachable' ? { answerTimeoutMs: 500 } : {})
    under.clamds[0]!.script = script
    await checkFault(under, kind, says)
    under.clamds[0]!.script = () => false
    await under.untilReady()
    assert.equal((await under.scan('mail')).verdict.kind, 'clean')
    under.clamds[0]!.scanned = []
    under.clamds[0]!.script = script
    if (kind !== 'misses-the-end') await checkFault(under, kind, says)
  })

test('a clamd that comes back with lower limits is found out', async () => {
  await using under = await openFakeEngine(1, {}, { largeTestIntervalMs: 60_000 })
  await under.untilReady()
  await under.clamds[0]!.kill()
  await eventually(() => under.away() !== undefined)
  under.clamds[0]!.script = misbehaviours['looks at the beginning of a mail only']!.script
  await under.clamds[0]!.revive()
  await checkFault(under, 'misses-the-end', /MaxFileSize/)
})

test('signatures older than SIGNATURE_MAX_AGE: the clamd is not used until it has younger ones', async () => {
  await using under = await openFakeEngine(1, { SIGNATURE_MAX_AGE: '7d' })
  const clamd = under.clamds[0]!
  clamd.version = versionOf(8 * 86_400_000)
  await checkFault(under, 'too-old', /older than SIGNATURE_MAX_AGE/)
  clamd.version = versionOf(6 * 86_400_000)
  await under.untilReady()
  const { engine } = await under.scan('mail')
  assert.equal(engine, clamd.version)
  clamd.scanned = []
  clamd.version = 'ClamAV 1.4.6'
  await checkFault(under, 'age-unknown', /does not say how old/)
  clamd.version = versionOf(-2 * 86_400_000)
  await checkFault(under, 'from-future', /a clock is wrong/)
})

test('signatures that grow too old while the scanner runs stop it', async () => {
  await using under = await openFakeEngine(1, { SIGNATURE_MAX_AGE: '2s' })
  await eventually(() => {
    under.clamds[0]!.version = versionOf(0)
    return under.away() === undefined
  })
  await checkFault(under, 'too-old', /older than SIGNATURE_MAX_AGE/)
})

test('a clamd with young signatures is used beside one with old ones', async () => {
  await using under = await openFakeEngine(2, { SIGNATURE_MAX_AGE: '7d' })
  under.clamds[0]!.version = versionOf(8 * 86_400_000)
  under.clamds[1]!.version = versionOf(0)
  await under.untilReady()
  for (const text of ['one', 'two', 'three']) await under.scan(text)
  assert.deepEqual([under.clamds[0]!.scanned, under.clamds[1]!.scanned], [[], ['one', 'two', 'three']])
})

test('a clamd that stands still keeps its scans no longer than it takes to notice; others take them over', async () => {
  await using under = await openFakeEngine(2, {}, { answerTimeoutMs: 500 })
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  under.clamds[0]!.script = () => true
  const scan = await under.scan('mail')
  assert.equal(scan.verdict.kind, 'clean')
  assert.deepEqual(under.clamds[1]!.scanned, ['mail'])
})

test('stopping does not wait for a clamd that says nothing', async () => {
  const under = await openFakeEngine(1, {}, { answerTimeoutMs: 60_000 })
  under.clamds[0]!.script = () => true
  await eventually(() => under.clamds[0]!.connections.size > 0)
  await under[Symbol.asyncDispose]()
})
