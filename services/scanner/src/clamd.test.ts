// The clamd client against a scripted clamd: whatever it does, there is a whole reply or an error, and always an end.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { askClamd, clamdAddress } from './clamd.ts'
import { type FakeClamd, type Script, startFakeClamd } from './testing/fake-clamd.ts'

async function* chunks(...parts: Buffer[]): AsyncIterable<Buffer> {
  yield* parts
}

const ask = (clamd: FakeClamd, content: AsyncIterable<Buffer>, timeoutMs = 10_000) =>
  askClamd(clamdAddress(clamd.address), 'INSTREAM', timeoutMs, content)

const isAway = (cause: RegExp) => (error: unknown) =>
  error instanceof DependencyAway && error.dependency === 'clamd' && cause.test((error.cause as Error).message)

test('content goes to clamd octet for octet, and its reply comes back, however it is split', async () => {
  const content = randomBytes(2_500_000)
  await using clamd = await startFakeClamd((_, socket) => {
    const reply = 'stream: OK\0'
    const next = (at: number) => {
      if (at < reply.length) socket.write(reply[at]!, () => setImmediate(() => next(at + 1)))
    }
    next(0)
  })
  const cut = chunks(content.subarray(0, 7), Buffer.alloc(0), content.subarray(7, 8), content.subarray(8))
  assert.equal(await ask(clamd, cut), 'stream: OK')
  assert.ok(clamd.asked[0]!.content.equals(content))
})

test('a clamd that closes, resets, never answers or talks nonsense is away', async () => {
  const cases: [Script, RegExp][] = [
    [(_, socket) => socket.end(), /closed the connection without an answer/],
    [(_, socket) => socket.end('stream: O'), /closed the connection without an answer/],
    [(_, socket) => socket.destroy(), /./],
    [() => {}, /no answer within 200 ms/],
    [(_, socket) => socket.write('x'.repeat(5_000)), /not one of clamd/],
  ]
  for (const [script, cause] of cases) {
    await using clamd = await startFakeClamd(script)
    await assert.rejects(ask(clamd, chunks(Buffer.from('mail')), 200), isAway(cause))
  }
  await assert.rejects(askClamd({ path: '/nonexistent/clamd' }, 'PING', 200), isAway(/ENOENT/))
})

test('an early end ends the reading of the content, too', async () => {
  await using clamd = await startFakeClamd()
  clamd.onStart = (socket) => socket.end('INSTREAM size limit exceeded. ERROR\0')
  let isReturned = false
  const endless = (async function* () {
    try {
      for (;;) yield Buffer.alloc(65_536)
    } finally {
      isReturned = true
    }
  })()
  const outcome = await ask(clamd, endless).catch((error) => error)
  assert.ok(outcome === 'INSTREAM size limit exceeded. ERROR' || outcome instanceof DependencyAway)
  await eventually(() => isReturned)
})

test('an OK to content that clamd has not seen to its end is no verdict', async () => {
  await using clamd = await startFakeClamd()
  clamd.onStart = (socket) => socket.write('stream: OK\0')
  const slow = (async function* () {
    yield Buffer.from('first')
    await new Promise((resolve) => setTimeout(resolve, 60_000).unref())
  })()
  await assert.rejects(ask(clamd, slow), isAway(/has not seen to its end/))
})

test('trouble with reading the content is not taken for trouble with clamd', async () => {
  await using clamd = await startFakeClamd()
  for (const trouble of [new DependencyAway('postgres'), new RangeError('content is gone')]) {
    const broken = (async function* () {
      yield Buffer.from('first')
      throw trouble
    })()
    await assert.rejects(ask(clamd, broken), (error) => error === trouble)
  }
  assert.equal(clamd.asked.length, 0)
})

test('the address of clamd is a path or host and port', () => {
  assert.deepEqual(clamdAddress('/run/clamd.sock'), { path: '/run/clamd.sock' })
  assert.deepEqual(clamdAddress('clamd:3310'), { host: 'clamd', port: 3310, noDelay: true })
  assert.deepEqual(clamdAddress('[::1]:3310'), { host: '::1', port: 3310, noDelay: true })
  for (const bad of ['clamd', ':3310', 'clamd:port', '']) assert.throws(() => clamdAddress(bad), /CLAMD_ADDRESS/)
})
