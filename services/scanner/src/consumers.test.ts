// Slow mail on a real broker: it waits where nothing else does, and is never lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { openBroker } from '@sekimori/queue/broker'
import { encodeMessage } from '@sekimori/queue/codec'
import type { Queryable } from '@sekimori/store/database'
import { eventually } from '@sekimori/testing/eventually'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { NeedsTime } from './archive/needs-time.ts'
import { consumeScans, type ScanPorts } from './consumers.ts'
import { ENGINE, jobOf, portsFor } from './testing/scan-ports.ts'
import type { Scan } from './verdict.ts'

const PREFETCH = 4
const SLOW = Array.from({ length: 5 * PREFETCH }, (_, i) => `slow-${i}`)
const QUICK = Array.from({ length: PREFETCH }, (_, i) => `quick-${i}`)
const PATIENCE = { withinMs: 60_000 }
const CLEAN: Scan = { verdict: { kind: 'clean' }, engine: ENGINE }
const noDatabase: Queryable = { query: () => assert.fail('no content is gone') }

/** A scanner for which mails are slow that say so; they are scanned when `gate` opens. */
async function startScanner(testBroker: TestBroker, gate: Promise<void>): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack()
  const broker = started.use(
    await openBroker({ AMQP_URL: testBroker.url, PUBLISH_TIMEOUT_MS: 30_000 }, serviceStandIn('scanner')),
  )
  const ports: ScanPorts = {
    ...portsFor({ kind: 'clean' }),
    async *open(content) {
      if (content.kind === 'inline') yield content.bytes
    },
    thorough: {
      scan: async () => gate.then(() => CLEAN),
      scanUnlessSlow: async (open) => {
        if (String(await Array.fromAsync(open())).includes('slow')) throw new NeedsTime('it is slow')
        return CLEAN
      },
    },
  }
  const settings = { PREFETCH, ATTEMPT_LIMIT: 3, DRAIN_TIMEOUT_MS: 100 }
  started.use(await consumeScans(broker, noDatabase, ports, settings))
  return started.move()
}

async function put(testBroker: TestBroker, names: string[]): Promise<void> {
  for (const name of names) {
    const job: Job = jobOf({ queueId: name, content: { kind: 'inline', bytes: Buffer.from(name) } }, 'b@deliver.test')
    await testBroker.put('scan', encodeMessage(job))
  }
}

async function takePassed(testBroker: TestBroker, count: number): Promise<string[]> {
  const passed: string[] = []
  const hasAll = async () => {
    for (let found = await testBroker.take('authenticate'); found; found = await testBroker.take('authenticate'))
      passed.push(/"queueId":"([^"]+)"/.exec(found.octets.toString())![1]!)
    return passed.length >= count
  }
  await eventually(hasAll, { ...PATIENCE, what: `${count} mails to pass` })
  return passed.sort()
}

test('more slow mails than a scanner holds do not delay others, and none of them is lost', async () => {
  await using testBroker = await createTestBroker()
  const gate = Promise.withResolvers<void>()
  {
    await using _stuck = await startScanner(testBroker, gate.promise)
    await eventually(() => testBroker.exists('notify.dead'), PATIENCE)
    await put(testBroker, [...SLOW, ...QUICK])
    assert.deepEqual(await takePassed(testBroker, QUICK.length), QUICK)
  }
  gate.resolve()
  await using _next = await startScanner(testBroker, gate.promise)
  assert.deepEqual(await takePassed(testBroker, SLOW.length), SLOW.toSorted())
  await eventually(async () => (await testBroker.ready('scan-slow')) + (await testBroker.ready('scan')) === 0, PATIENCE)
})
