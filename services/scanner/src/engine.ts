// The scan engine as the handler sees it: scans that give a verdict or throw, and a self-test that must find EICAR.

import type { NetConnectOpts } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Service } from '@sekimori/runtime/service'
import pLimit from 'p-limit'
import { askClamd, CLAMD, clamdAddress } from './clamd.ts'
import type { Config } from './config.ts'
import { readReply, type Verdict } from './verdict.ts'

const SELF_TEST = { intervalMs: 10_000, retryMs: 500, timeoutMs: 5_000 }

export interface Engine extends AsyncDisposable {
  /** @throws DependencyAway when there is no verdict. */
  scan(content: AsyncIterable<Buffer>): Promise<Verdict>
  /** Engine and signature version, such as "ClamAV 1.4.6/27000/Mon Nov 16 2026". */
  version(): string
}

/** Opens the engine and starts its self-test; the stage is unready until clamd finds EICAR. */
export function openEngine(config: Config, service: Service): Engine {
  const address = clamdAddress(config.CLAMD_ADDRESS)
  const limit = pLimit(config.SCAN_CONCURRENCY)
  const closing = new AbortController()
  let version = 'ClamAV'
  service.dependencies.down(CLAMD, 'self-test has not passed yet')
  const testing = untilClosed(closing.signal, async () => {
    try {
      version = await selfTest(address)
      service.dependencies.up(CLAMD)
      return SELF_TEST.intervalMs
    } catch (error) {
      service.dependencies.down(CLAMD, (error as Error).message)
      return SELF_TEST.retryMs
    }
  })
  return {
    version: () => version,
    scan: (content) => limit(() => scan(address, content, config.SCAN_TIMEOUT_MS, service)),
    async [Symbol.asyncDispose]() {
      closing.abort()
      await testing
    },
  }
}

async function scan(
  address: NetConnectOpts,
  content: AsyncIterable<Buffer>,
  timeoutMs: number,
  service: Service,
): Promise<Verdict> {
  try {
    const reply = await askClamd(address, 'INSTREAM', timeoutMs, content)
    const verdict = readReply(reply)
    if (verdict === undefined) throw new DependencyAway(CLAMD, { cause: new Error(`no verdict: ${reply}`) })
    return verdict
  } catch (error) {
    // The self-test lifts this as soon as clamd answers again.
    if (error instanceof DependencyAway && error.dependency === CLAMD) service.dependencies.down(CLAMD, error.message)
    throw error
  }
}

/** Resolves to the engine's version when EICAR is found; an engine that misses it lets everything by. */
async function selfTest(address: NetConnectOpts): Promise<string> {
  const verdict = readReply(await askClamd(address, 'INSTREAM', SELF_TEST.timeoutMs, eicar()))
  if (verdict?.kind !== 'infected')
    throw new Error('clamd does not find the EICAR test file: are its signatures there?')
  return askClamd(address, 'VERSION', SELF_TEST.timeoutMs)
}

/** The EICAR test string, assembled here so that this file is no finding itself. */
async function* eicar(): AsyncIterable<Buffer> {
  yield Buffer.from(['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join(''))
}

async function untilClosed(signal: AbortSignal, step: () => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    const pauseMs = await step()
    await wait(pauseMs, undefined, { signal }).catch(() => {}) // closing ends the loop
  }
}
