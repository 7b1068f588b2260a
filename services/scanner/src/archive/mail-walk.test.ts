// Who waits for a thread, and who is told to come again where nobody waits behind it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultLimits } from './finding.ts'
import { MailWalk } from './mail-walk.ts'
import { NeedsTime } from './needs-time.ts'
import { markerFile, zip } from './sample-tools.ts'
import type { Ended, Thread } from './thread.ts'
import { Turns } from './turns.ts'

const MOST_WAITING = 16
const archive = zip(markerFile)

/** Threads as far as walks use them. */
const threadThat = (end: () => Promise<Ended>) => ({ run: end, cancel: () => {} }) as unknown as Thread
const busy = threadThat(() => new Promise(() => {}))
const slow = threadThat(async () => ({ kind: 'out of time', usage: { cpuMs: 300, files: 0, outputBytes: 0 } }))

const begin = (turns: Turns<Thread>, mayWait: boolean) =>
  Array.fromAsync(new MailWalk(turns, defaultLimits, mayWait).walk(archive))

test('no more than some mails wait for a thread; the others are told that they need time', async () => {
  const turns = new Turns([busy], [busy])
  for (let count = 0; count < 2 + MOST_WAITING; count++) void begin(turns, false)
  assert.equal(turns.waiting, MOST_WAITING)
  await assert.rejects(begin(turns, false), NeedsTime)
  void begin(turns, true)
  assert.equal(turns.waiting, MOST_WAITING + 1)
})

test('a mail that takes more than a quick look is told so, unless it may wait', async () => {
  const turns = new Turns([busy], [slow])
  void begin(turns, false)
  await assert.rejects(begin(turns, false), NeedsTime)
  const [waits] = [begin(turns, true)]
  await Promise.race([waits, new Promise(setImmediate)])
  assert.equal(turns.waiting, 1)
})
