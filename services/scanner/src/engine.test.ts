// Fail-over, and what a mail or a clamd that misbehaves means for the others.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { NoVerdict } from './clamd.ts'
import { openFakeEngine } from './testing/engine-under-test.ts'
import type { Script } from './testing/fake-clamd.ts'

const isAway = (error: unknown) => error instanceof DependencyAway && error.dependency === 'clamd'
/** Answers to the mail that is called poison as told, and to all else as usual. */
const poison =
  (act: (socket: Parameters<Script>[2]) => unknown): Script =>
  (event, text, socket) => {
    if (event !== 'end' || !text.includes('poison')) return false
    act(socket)
    return true
  }

test('a clamd that is away is passed over, and used again when it is back', async () => {
  await using under = await openFakeEngine(2)
  await under.untilReady()
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  const [first, second] = under.clamds
  await first!.kill()
  for (const text of ['one', 'two', 'three']) assert.equal((await under.scan(text)).verdict.kind, 'clean')
  assert.deepEqual(second!.scanned, ['one', 'two', 'three'])
  assert.equal(under.away(), undefined)
  await first!.revive()
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  await under.scan('four')
  assert.deepEqual(first!.scanned, ['four'])
})

test('a clamd that ends in the middle of a mail: another one scans the mail from its beginning', async () => {
  await using under = await openFakeEngine(2)
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  const [first, second] = under.clamds
  first!.script = (event) => event === 'begin' && Boolean(first!.kill())
  assert.equal((await under.scan('whole mail')).verdict.kind, 'clean')
  assert.deepEqual(second!.scanned, ['whole mail'])
})

test('the only clamd ends in the middle of a mail: the mail waits, and it is no failed attempt', async () => {
  await using under = await openFakeEngine(1, {}, { intervalMs: 60_000 })
  await under.untilReady()
  const [clamd] = under.clamds
  clamd!.script = (event) => event === 'begin' && Boolean(clamd!.kill())
  await assert.rejects(under.scan('mail'), isAway)
  assert.match(under.away()!, /ECONNREFUSED/)
  await assert.rejects(under.scan('mail'), isAway)
  clamd!.script = () => false
  await clamd!.revive()
  await under.untilReady()
  assert.equal((await under.scan('mail')).verdict.kind, 'clean')
})

const poisons: Record<string, (socket: Parameters<Script>[2]) => unknown> = {
  'ends the connection': (socket) => socket.end(),
  'resets the connection': (socket) => socket.resetAndDestroy(),
  'says nothing': () => {},
  'says garbage': (socket) => socket.end('stream: perhaps\0'),
  'says that it is over StreamMaxLength': (socket) => socket.end('INSTREAM size limit exceeded. ERROR\0'),
  "says that it can't": (socket) => socket.end("stream: Can't create temporary file ERROR\0"),
  'names an error like a finding': (socket) => socket.end('stream: Error FOUND ERROR\0'),
}
for (const [what, act] of Object.entries(poisons))
  test(`a mail at which every clamd ${what} is a failed attempt, and others are scanned meanwhile`, async () => {
    await using under = await openFakeEngine(2, what === 'says nothing' ? { SCAN_TIMEOUT_MS: 1_000 } : {})
    await under.untilReady()
    for (const clamd of under.clamds) clamd.script = poison(act)
    const attempts = Array.from({ length: 3 }, () => assert.rejects(under.scan('poison'), NoVerdict))
    for (let count = 0; count < 5; count++) assert.equal((await under.scan(`mail ${count}`)).verdict.kind, 'clean')
    await Promise.all(attempts)
    assert.equal(under.away(), undefined)
  })

test('a mail at which one clamd fails gets its verdict from another', async () => {
  await using under = await openFakeEngine(2)
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  under.clamds[0]!.script = poison((socket) => socket.end('stream: out of memory ERROR\0'))
  assert.equal((await under.scan('poison')).verdict.kind, 'clean')
  assert.deepEqual(under.clamds[1]!.scanned, ['poison'])
})

test('clamd that fails at every large mail is at fault itself: mail waits', async () => {
  await using under = await openFakeEngine(1)
  await under.untilReady()
  under.clamds[0]!.script = (event, text, socket) =>
    event === 'end' && text.length > 1_000 && Boolean(socket.end("stream: Can't write to temporary file ERROR\0"))
  await assert.rejects(under.scan('x'.repeat(2_000)), isAway)
  assert.match(under.away()!, /does not look at the whole of a large mail/)
})

test('what is larger than any mail may be refused by clamd: it is unscannable, not clean', async () => {
  await using under = await openFakeEngine(1, { MAX_MESSAGE_BYTES: 1_000 })
  await under.untilReady()
  under.clamds[0]!.script = (event, text, socket) =>
    event === 'end' && text.startsWith('x') && Boolean(socket.end('INSTREAM size limit exceeded. ERROR\0'))
  assert.deepEqual((await under.scan('x'.repeat(1_001))).verdict, { kind: 'unscannable', reason: 'size' })
  await assert.rejects(under.scan('x'.repeat(1_000)), NoVerdict)
})

test('scans are spread over the clamds by what each has in hand', async () => {
  await using under = await openFakeEngine(2)
  await eventually(() => under.engine.statuses().every(({ fault }) => fault === undefined))
  const held: Parameters<Script>[2][] = []
  for (const clamd of under.clamds) clamd.script = poison((socket) => held.push(socket))
  const scans = ['poison 1', 'poison 2', 'poison 3', 'poison 4'].map((text) => under.scan(text))
  await eventually(() => held.length === 4)
  assert.deepEqual(
    under.clamds.map(({ scanned }) => scanned.length),
    [2, 2],
  )
  for (const socket of held) socket.end('stream: OK\0')
  assert.ok((await Promise.all(scans)).every(({ verdict }) => verdict.kind === 'clean'))
  for (const text of ['one more', 'and another']) await under.scan(text)
  assert.deepEqual(
    under.clamds.map(({ scanned }) => scanned.length),
    [4, 2],
  )
})

test('no more scans than SCAN_CONCURRENCY at a time, and each that ends makes room', async () => {
  await using under = await openFakeEngine(1, { SCAN_CONCURRENCY: 2 })
  await under.untilReady()
  const held: Parameters<Script>[2][] = []
  under.clamds[0]!.script = poison((socket) => held.push(socket))
  const scans = ['poison 1', 'poison 2', 'poison 3'].map((text) => under.scan(text))
  await eventually(() => held.length === 2)
  held[0]!.end('stream: OK\0')
  await eventually(() => held.length === 3)
  for (const socket of held) socket.end('stream: OK\0')
  await Promise.all(scans)
  assert.equal(under.clamds[0]!.scanned.length, 3)
})

test('the same content is given to clamd again: only clamd knows when its signatures are others', async () => {
  await using under = await openFakeEngine(1)
  await under.untilReady()
  assert.equal((await under.scan('the mail')).verdict.kind, 'clean')
  under.clamds[0]!.script = (event, text, socket) =>
    event === 'end' && text === 'the mail' && Boolean(socket.end('stream: New FOUND\0'))
  assert.deepEqual((await under.scan('the mail')).verdict, { kind: 'infected', signature: 'New' })
})
