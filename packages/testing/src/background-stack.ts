// A second system beside the shared one, with other settings: its background work does not keep tests waiting, old clients
// may log in without TLS, and its spans go to a collector. One for all tests of a run that are about such things.
import { after } from 'node:test'
import { type Stack, startStack } from './stack.ts'
import { startTraceCollector, type TraceCollector } from './trace-collector.ts'

const resources = new AsyncDisposableStack()
let starting: Promise<{ stack: Stack; collector: TraceCollector }> | undefined

async function start() {
  const collector = resources.use(await startTraceCollector())
  const settings = {
    ATTEMPT_LIMIT: '2',
    CONTENT_ORPHAN_AGE: '3s',
    CONTENT_SWEEP_INTERVAL: '300ms',
    RESCAN_RATE: '15',
    RESCAN_SETTLE: '1s',
    RESCAN_POLL_INTERVAL: '200ms',
    PLAINTEXT_AUTH: 'allow',
    LOCAL_VIRUS_WARNING: 'sender',
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
  }
  return { stack: resources.use(await startStack({ settings })), collector }
}

/** The system; started by the first who asks. */
export async function backgroundStack(): Promise<Stack> {
  starting ??= start()
  return (await starting).stack
}

/** What its services have exported. */
export async function exportedSpans(): Promise<Buffer[]> {
  starting ??= start()
  return (await starting).collector.batches
}

after(async () => {
  await starting?.catch(() => undefined) // whoever asked for it was told
  try {
    await resources.disposeAsync()
  } catch (error) {
    // The runner reports what fails outside of all tests, but would end as if all were well.
    process.on('exit', () => {
      process.exitCode = 1
    })
    throw error
  }
})
