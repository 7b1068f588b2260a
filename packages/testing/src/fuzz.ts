// What every fuzzer of ours shares: numbers from a seed, what a reply must never show, crashes that nobody hides, and memory
// that is really held.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { eventually } from './eventually.ts'

/** Whole numbers from 0 to `limit` - 1, the same again for the same seed. */
export type Numbers = (limit: number) => number

/** A small generator (mulberry32), so that a run can be repeated from its seed. */
export function numbersFrom(seed: number): Numbers {
  let state = seed >>> 0
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

export const one = <T>(of: readonly T[], below: Numbers): T => of[below(of.length)]!

/** A wait for the server that takes longer is a hang. */
export const HANG_MS = 10_000

const LEAK =
  /node:|\.[jt]s\b|\/src\/|\bat \S+ \(|Error:(?! )|\w+Error\b|undefined|\[object|\bNaN\b|\b(?:select|insert into|delete from|update|relation) \w|duplicate key|ECONN|\/(?:home|usr|var|tmp|app|root)\/|smtp-server|Node\.js|v\d+\.\d+\.\d+/i

/** @throws AssertionError when the text shows something of the inside */
export function assertNoLeak(text: string, after: string): void {
  const found = LEAK.exec(text)
  assert.equal(found?.[0], undefined, `leaks ${JSON.stringify(found?.[0])} in ${text.slice(0, 300)} after ${after}`)
}

/** What a driver's error may say; nobody outside may ever read it. */
const INTERNALS = [
  'connect ECONNREFUSED 10.0.0.5:5432',
  'relation "maildrop_message" does not exist',
  'select uid from maildrop_message where account_id = 7',
  "ENOENT: no such file or directory, open '/var/lib/sekimori/tls/key.pem'",
  "Cannot read properties of undefined (reading 'uid')",
]

/** A fault of the world behind a server, thrown on purpose. */
export class InjectedFault extends Error {
  override name = 'InjectedFault'
}

/** Throws in one of `often` cases. @throws InjectedFault */
export function maybeFail(below: Numbers, often: number): void {
  if (below(often) === 0) throw new InjectedFault(one(INTERNALS, below))
}

/** Whether somebody down the chain of causes threw it on purpose. */
export function isInjected(error: unknown): boolean {
  return error instanceof Error && (error instanceof InjectedFault || isInjected(error.cause))
}

/** Faults that would have ended a server's process. The test runner only mentions those that it can't lay to a test. */
export function watchCrashes(): Disposable & { crashes: unknown[] } {
  const crashes: unknown[] = []
  const note = (fault: unknown) => void crashes.push(fault)
  process.on('uncaughtExceptionMonitor', note).on('unhandledRejection', note)
  return {
    crashes,
    [Symbol.dispose]: () => void process.off('uncaughtExceptionMonitor', note).off('unhandledRejection', note),
  }
}

/** Runs so many at a time; when one throws, the others are over, and its fault is thrown. */
export async function sideBySide(
  count: number,
  run: (index: number, isOver: () => boolean) => Promise<void>,
): Promise<void> {
  const faults: unknown[] = []
  const isOver = () => faults.length > 0
  const all = Array.from({ length: count }, (_, index) => run(index, isOver).catch((fault) => void faults.push(fault)))
  await Promise.all(all)
  if (isOver()) throw faults[0]
}

/** The end of a server that hangs is not waited for: what the fuzzer has found must be heard. */
export function endedInTime(server: AsyncDisposable): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      const { promise: isTime, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, HANG_MS)
      await Promise.race([server[Symbol.asyncDispose](), isTime])
      clearTimeout(timer)
    },
  }
}

const ENDLESS_BYTES = 40_000_000

/** A client that sends 40 MB without a line end, unless it is turned out, and then stays. */
export async function sendEndlessLine(port: number): Promise<Disposable> {
  const socket = connect({ port, host: '127.0.0.1' }).resume()
  const chunk = Buffer.alloc(100_000, 'x')
  for (let sent = 0; sent < ENDLESS_BYTES && !socket.destroyed; sent += chunk.length) {
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('error', () => resolve()).once('close', () => resolve())
    socket.write(chunk, () => resolve())
    await promise
    socket
      .removeAllListeners('error')
      .removeAllListeners('close')
      .on('error', () => socket.destroy())
  }
  return { [Symbol.dispose]: () => void socket.destroy() }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Octets that the process holds after a collection. */
export function heldMemoryBytes(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** By how much memory has grown, once what was still on its way has ended; waits for it to come down to what is allowed. */
export async function settledGrowthBytes(beforeBytes: number, allowedBytes: number): Promise<number> {
  let growth = 0
  const isSettled = () => {
    growth = heldMemoryBytes() - beforeBytes
    return growth <= allowedBytes
  }
  await eventually(isSettled, { everyMs: 500 }).catch(() => {})
  return growth
}
