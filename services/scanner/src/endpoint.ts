// One clamd: scans, and the self-test that says again and again whether its verdicts can be trusted.
import { setTimeout as wait } from 'node:timers/promises'
import type { EngineStatus } from '@sekimori/store/signature-status'
import { askClamd, ClamdFault, clamdAddress, shown } from './clamd.ts'
import {
  askVersion,
  checkAge,
  checkFindsEicar,
  checkLooksToTheEnd,
  SelfTestFault,
  type SelfTestOptions,
} from './self-test.ts'
import { readReply, type Verdict } from './verdict.ts'

export interface Pace {
  /** From one test to the next. */
  intervalMs: number
  /** From one test to the next while clamd is away or without signatures. */
  retryMs: number
  answerTimeoutMs: number
  smallScanTimeoutMs: number
  /** A large mail is looked at again after a failed scan, but not more often than this. */
  largeTestIntervalMs: number
}

const PACE: Pace = {
  intervalMs: 10_000,
  retryMs: 500,
  answerTimeoutMs: 10_000,
  smallScanTimeoutMs: 30_000,
  largeTestIntervalMs: 30_000,
}
/** So many tests without any answer, and scans in hand are not waited for either. */
const SILENCE_LIMIT = 2

export interface EndpointOptions {
  address: string
  scanTimeoutMs: number
  maxMessageBytes: number
  signatureMaxAgeMs: number
  pace?: Pace
  /** Called after each self-test; `isChange` when its outcome or the version is another one than before. */
  onTested: (isChange: boolean) => void
}

export class Endpoint implements AsyncDisposable {
  readonly name: string
  inFlight = 0
  /** Why it is not to be used; undefined when it is. */
  fault: SelfTestFault | undefined = new SelfTestFault('untested', 'self-test has not passed yet')
  #status: EngineStatus
  #pace: Pace
  #options: EndpointOptions
  #test: Omit<SelfTestOptions, 'signal'>
  #silences = 0
  #isTesting = false
  #largeTest: { version: string; at: number; isDue: boolean } = { version: '', at: 0, isDue: true }
  #closing = new AbortController()
  #giveUp = new AbortController()
  #wake = new AbortController()
  #tested = Promise.withResolvers<void>()
  #testing: Promise<void>

  constructor(options: EndpointOptions) {
    const { address, pace = PACE } = options
    this.name = address
    this.#status = { endpoint: address }
    this.#options = options
    this.#pace = pace
    this.#test = { ...options, ...pace, address: clamdAddress(address) }
    this.#testing = this.#testForEver()
  }

  /** Engine and signature version, such as "ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026". */
  get version(): string {
    return this.#status.version ?? 'ClamAV'
  }

  get status(): EngineStatus {
    return { ...this.#status, fault: this.fault?.kind }
  }

  /** @throws ClamdFault when there is no verdict; what reading the content throws */
  async scan(content: AsyncIterable<Buffer>): Promise<Verdict> {
    this.inFlight++
    const sent = { sizeBytes: 0 }
    try {
      const { address, scanTimeoutMs: timeoutMs, maxMessageBytes } = this.#test
      const question = { address, command: 'INSTREAM', timeoutMs, content: counted(content, sent) }
      const reply = await askClamd({ ...question, signal: this.#giveUp.signal })
      const verdict = readReply(reply)
      // What clamd may refuse is what is larger than any mail: a file inside, unpacked.
      const isRefusal = reply.endsWith('ERROR') && sent.sizeBytes <= maxMessageBytes
      if (verdict === undefined || isRefusal) throw new ClamdFault(`no verdict: ${shown(reply)}`)
      return verdict
    } finally {
      this.inFlight--
    }
  }

  /** Tests at once whether this clamd is to blame for a scan without a verdict; resolves when that is known. */
  async suspect(): Promise<void> {
    this.#largeTest.isDue = true
    // A test that runs already may have begun before the trouble did.
    for (let tests = this.#isTesting ? 2 : 1; tests > 0; tests--) {
      this.#wake.abort()
      await this.#tested.promise
      if (this.fault !== undefined) return
    }
  }

  async #testForEver(): Promise<void> {
    const closing = this.#closing.signal
    while (!closing.aborted) {
      this.#wake = new AbortController()
      await this.#runTest()
      const signal = this.fault === undefined ? AbortSignal.any([closing, this.#wake.signal]) : closing
      await wait(this.#pauseMs(), undefined, { signal }).catch(() => {}) // aborted: the next test is wanted now, or none
    }
    this.#tested.resolve()
  }

  #pauseMs(): number {
    // A test that has passed is repeated now and then, and so is one that sends a large mail; the others cost next to nothing.
    const isCheap = this.fault !== undefined && this.fault.kind !== 'misses-the-end'
    return isCheap ? this.#pace.retryMs : this.#pace.intervalMs
  }

  async #runTest(): Promise<void> {
    const before = this.status
    this.#isTesting = true
    try {
      await this.#selfTest()
      this.fault = undefined
    } catch (error) {
      if (this.#closing.signal.aborted) return
      this.fault = error instanceof SelfTestFault ? error : new SelfTestFault('unreachable', String(error))
      // What comes back may be another clamd, with other limits.
      if (this.fault.kind === 'unreachable') this.#largeTest.version = ''
    } finally {
      this.#isTesting = false
      this.#tested.resolve()
      this.#tested = Promise.withResolvers()
    }
    this.#status.checkedAt = new Date()
    this.#options.onTested(before.fault !== this.fault?.kind || before.version !== this.#status.version)
  }

  async #selfTest(): Promise<void> {
    const options = { ...this.#test, signal: this.#closing.signal }
    const version = await askVersion(options).catch((error) => this.#hearNothing(error))
    this.#silences = 0
    this.#status = { ...this.#status, version: version.text, signaturesAt: version.signaturesAt }
    checkAge(version, this.#options.signatureMaxAgeMs)
    await checkFindsEicar(options)
    await this.#testLarge(version.text, options)
  }

  async #testLarge(version: string, options: SelfTestOptions): Promise<void> {
    const large = this.#largeTest
    const isAgain = large.isDue && Date.now() - large.at >= this.#pace.largeTestIntervalMs
    if (large.version === version && !isAgain) return
    this.#largeTest = { version: '', at: Date.now(), isDue: false }
    await checkLooksToTheEnd(options)
    this.#largeTest.version = version
  }

  /** A frozen clamd, or a machine that is gone, would hold its scans until their time is up. */
  #hearNothing(error: unknown): never {
    if (++this.#silences >= SILENCE_LIMIT) {
      this.#giveUp.abort(new Error('clamd does not answer at all'))
      this.#giveUp = new AbortController()
    }
    throw error
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the scanner stops'))
    this.#giveUp.abort(new Error('the scanner stops'))
    await this.#testing
  }
}

async function* counted(content: AsyncIterable<Buffer>, sent: { sizeBytes: number }): AsyncIterable<Buffer> {
  for await (const bytes of content) {
    sent.sizeBytes += bytes.length
    yield bytes
  }
}
