// One running system for all black-box test files of a run: they run in one process (--test-isolation=none), and each
// test makes mailboxes of its own. A file that is run alone has the system to itself.
import { after } from 'node:test'
import { type Stack, startStack } from './stack.ts'

let starting: Promise<Stack | undefined> | undefined

/** The running system; started by the first who asks. */
export async function sharedStack(): Promise<Stack> {
  if (starting === undefined) {
    const started = startStack()
    // Whoever asks after a failure need not read all of it again.
    starting = started.catch(() => undefined)
    return started
  }
  const stack = await starting
  if (stack === undefined) throw new Error('the system did not start, as the first test that needed it tells')
  return stack
}

after(async () => {
  const stack = await starting
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
