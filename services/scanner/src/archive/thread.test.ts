import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from './finding.ts'
import { Thread } from './thread.ts'

const walk = {
  kind: 'file' as const,
  bytes: Buffer.from('x'),
  limits: defaultLimits,
  skip: 0,
  isTrial: false,
  known: { upTo: 0, bombs: [], isLast: false },
  found: () => {},
}
const script = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`)
const LISTEN = "import { parentPort } from 'node:worker_threads'; parentPort.postMessage({ kind: 'ready', cpuMs: 0 });"

const crashes: Record<string, string> = {
  'that throws when it starts': "throw new Error('no')",
  'that ends when it starts': 'process.exit(1)',
  'that throws when it walks': `${LISTEN} parentPort.on('message', () => { throw new Error('no') })`,
  'that ends when it walks': `${LISTEN} parentPort.on('message', () => process.exit(0))`,
}

for (const [name, code] of Object.entries(crashes))
  test(`a thread ${name} ends the walk, and the next one gets a new thread`, async () => {
    await using thread = new Thread({}, script(code))
    for (let time = 0; time < 2; time++) {
      const ended = await thread.run(walk)
      assert.equal(ended.kind, 'crashed')
      assert.equal(ended.usage.cpuMs, defaultLimits.cpuMs)
    }
  })

test('a thread without memory is told apart', async () => {
  const greedy = `${LISTEN} parentPort.on('message', () => { const all = []; for (;;) all.push(Array(10_000).fill({})) })`
  await using thread = new Thread({}, script(greedy))
  const ended = await thread.run({ ...walk, limits: { ...defaultLimits, cpuMs: 60_000, timeMs: 60_000 } })
  assert.ok(ended.kind === 'crashed' && ended.isOutOfMemory, JSON.stringify(ended))
})

test('a thread that is busy for too long is ended by force: by processor time, and by the clock', async () => {
  await using busy = new Thread({}, script(`${LISTEN} parentPort.on('message', () => { for (;;); })`))
  const byProcessor = await busy.run({ ...walk, limits: { ...defaultLimits, cpuMs: 100, timeMs: 60_000 } })
  assert.equal(byProcessor.kind, 'out of time')
  assert.ok(byProcessor.usage.cpuMs >= 100)
  await using idle = new Thread({}, script(`${LISTEN} parentPort.on('message', () => {})`))
  assert.equal((await idle.run({ ...walk, limits: { ...defaultLimits, timeMs: 100 } })).kind, 'out of time')
})

test('a walk that nobody waits for is ended, however busy its thread is', { timeout: 30_000 }, async () => {
  await using thread = new Thread({}, script(`${LISTEN} parentPort.on('message', () => { for (;;); })`))
  const ending = thread.run({ ...walk, limits: { ...defaultLimits, cpuMs: 120_000, timeMs: 120_000 } })
  thread.cancel()
  assert.equal((await ending).kind, 'out of time')
})
