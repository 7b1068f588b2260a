// The engine on scripted clamds: only a clamd that finds EICAR is trusted, and without a verdict there is no mail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { NoVerdict } from './clamd.ts'
import type { Config } from './config.ts'
import { openEngine, rememberClean } from './engine.ts'
import { type FakeClamd, healthy, type Script, startFakeClamd } from './testing/fake-clamd.ts'

async function* mail(text = 'mail'): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}

function open(...clamds: FakeClamd[]) {
  const service = serviceStandIn()
  const config = {
    CLAMD_ADDRESS: clamds.map(({ address }) => address).join(','),
    MAX_MESSAGE_BYTES: 100_000,
    SCAN_CONCURRENCY: 8,
    SCAN_TIMEOUT_MS: 5_000,
  } as Config
  return {
    service,
    engine: openEngine(config, service),
    isReady: () => service.dependencies.away().clamd === undefined,
  }
}

/** Answers this for every content that is not EICAR, and is healthy otherwise. */
const saying =
  (reply: string): Script =>
  (asked, socket) =>
    asked.command === 'INSTREAM' && asked.content.length < 50 ? void socket.end(reply) : healthy(asked, socket)

test('the stage is unready until clamd finds EICAR, by itself and at the end of a large mail', async () => {
  let found = { small: false, large: false }
  await using clamd = await startFakeClamd((asked, socket) => {
    const isLarge = asked.content.length > 1_000
    if (asked.command !== 'INSTREAM' || found[isLarge ? 'large' : 'small']) healthy(asked, socket)
    else socket.end('stream: OK\0')
  })
  const { service, engine, isReady } = open(clamd)
  await using _ = engine
  await eventually(() => /does not find the EICAR test file/.test(service.dependencies.away().clamd ?? ''))
  await assert.rejects(engine.scan(mail), DependencyAway)
  found = { small: true, large: false }
  await eventually(() => /does not look at the whole of a large mail/.test(service.dependencies.away().clamd ?? ''))
  found = { small: true, large: true }
  await eventually(isReady)
  const scan = await engine.scan(mail)
  assert.deepEqual(scan, { verdict: { kind: 'clean' }, engine: 'ClamAV 1.4.6/27000/Mon Nov 16 2026' })
})

test('a clamd that goes away makes the stage unready at once, and ready when it is back', async () => {
  await using clamd = await startFakeClamd()
  const { engine, isReady } = open(clamd)
  await using _ = engine
  await eventually(isReady)
  clamd.script = (_, socket) => socket.destroy()
  await assert.rejects(engine.scan(mail), DependencyAway)
  assert.equal(isReady(), false)
  clamd.script = healthy
  await eventually(isReady, { withinMs: 3_000 })
  assert.equal((await engine.scan(mail)).verdict.kind, 'clean')
})

test('a mail for which a working clamd has no verdict is a failed attempt, and nobody else waits', async () => {
  await using clamd = await startFakeClamd(saying("stream: Can't allocate memory ERROR\0"))
  const { engine, isReady } = open(clamd)
  await using _ = engine
  await eventually(isReady)
  await assert.rejects(
    engine.scan(mail),
    (error) => error instanceof NoVerdict && /allocate memory/.test(error.message),
  )
  assert.ok(isReady())
})

test('of several clamds the one that works is asked', async () => {
  await using broken = await startFakeClamd((_, socket) => socket.destroy())
  await using works = await startFakeClamd()
  const { engine, isReady } = open(broken, works)
  await using _ = engine
  await eventually(isReady)
  assert.equal((await engine.scan(mail)).verdict.kind, 'clean')
  broken.script = healthy
  works.script = saying('garbage\0')
  await eventually(async () => (await engine.scan(mail)).verdict.kind === 'clean')
})

test('only clean mail is remembered, and only by its very octets', async () => {
  await using clamd = await startFakeClamd()
  const { engine, isReady } = open(clamd)
  await using _ = engine
  await eventually(isReady)
  const scan = rememberClean(engine)
  const asked = () => clamd.asked.filter(({ content }) => /^mail/.test(content.toString())).length
  for (const [text, times] of [
    ['mail', 1],
    ['mail', 1],
    ['mail!', 2],
  ] as const) {
    assert.equal((await scan(Buffer.from(text))).verdict.kind, 'clean')
    assert.equal(asked(), times)
  }
  clamd.script = saying('stream: X FOUND\0')
  for (const times of [3, 4]) {
    assert.equal((await scan(Buffer.from('mail?'))).verdict.kind, 'infected')
    assert.equal(asked(), times)
  }
})
