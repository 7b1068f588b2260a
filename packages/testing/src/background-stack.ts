// A system whose background work does not keep tests waiting; one for all tests of a run that are about such work.
import { after } from 'node:test'
import { type Stack, startStack } from './stack.ts'

let starting: Promise<Stack> | undefined

/** The system; started by the first who asks. */
export function backgroundStack(): Promise<Stack> {
  starting ??= startStack({
    settings: {
      ATTEMPT_LIMIT: '2',
      CONTENT_ORPHAN_AGE: '3s',
      CONTENT_SWEEP_INTERVAL: '300ms',
      RESCAN_RATE: '25',
      RESCAN_SETTLE: '1s',
      RESCAN_POLL_INTERVAL: '200ms',
    },
  })
  return starting
}

after(async () => {
  const stack = await starting?.catch(() => undefined) // whoever asked for it was told
  try {
    await stack?.[Symbol.asyncDispose]()
  } catch (error) {
    // The runner reports what fails outside of all tests, but would end as if all were well.
    process.on('exit', () => {
      process.exitCode = 1
    })
    throw error
  }
})
