// One clamd: scans, and the self-test that says whether its verdicts can be trusted.
import { setTimeout as wait } from 'node:timers/promises'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { askClamd, CLAMD, clamdAddress, NoVerdict } from './clamd.ts'
import { eicarFile, eicarMail } from './eicar.ts'
import { readReply, type Verdict } from './verdict.ts'

const INTERVAL_MS = 10_000
const RETRY_MS = 500
const TEST_TIMEOUT_MS = 30_000

export interface EndpointOptions {
  address: string
  timeoutMs: number
  /** Mail up to this size must be looked at to its end. */
  maxMessageBytes: number
  /** Called when the outcome of the self-test changes. */
  onChange: () => void
}

export class Endpoint implements AsyncDisposable {
  readonly name: string
  /** Engine and signature version, such as "ClamAV 1.4.6/27000/Mon Nov 16 2026". */
  version = 'ClamAV'
  /** Why it is not to be used; undefined when it is. */
  fault: string | undefined = 'self-test has not passed yet'
  inFlight = 0
  #options: EndpointOptions
  #address
  #sizeTested = ''
  #checking: Promise<void> | undefined
  #closing = new AbortController()
  #wake = new AbortController()
  #testing: Promise<void>

  constructor(options: EndpointOptions) {
    this.name = options.address
    this.#options = options
    this.#address = clamdAddress(options.address)
    this.#testing = this.#testForEver()
  }

  /**
   * @throws DependencyAway when this clamd does not work; NoVerdict when it does, as a self-test shows, and yet says
   * nothing of this content.
   */
  async scan(content: AsyncIterable<Buffer>): Promise<Verdict> {
    this.inFlight++
    try {
      const reply = await askClamd(this.#address, 'INSTREAM', this.#options.timeoutMs, content)
      const verdict = readReply(reply)
      if (verdict === undefined) throw new DependencyAway(CLAMD, { cause: new Error(`no verdict: ${reply}`) })
      return verdict
    } catch (error) {
      if (!(error instanceof DependencyAway) || error.dependency !== CLAMD) throw error
      await this.#check()
      if (this.fault !== undefined) throw error
      // One mail that clamd can't cope with must not be tried for ever, nor hold up the others.
      throw new NoVerdict(error.message, { cause: error })
    } finally {
      this.inFlight--
    }
  }

  async #testForEver(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      this.#wake = new AbortController()
      await this.#check()
      // While the test fails, the pause keeps a dead clamd from being hammered.
      const signal = AbortSignal.any([this.#closing.signal, this.#wake.signal])
      const pauseMs = this.fault === undefined ? INTERVAL_MS : RETRY_MS
      await wait(pauseMs, undefined, { signal }).catch(() => {}) // woken, or closing
    }
  }

  /** One self-test at a time, whoever asks for it. */
  #check(): Promise<void> {
    this.#checking ??= this.#judge().finally(() => {
      this.#checking = undefined
    })
    return this.#checking
  }

  async #judge(): Promise<void> {
    const before = this.fault
    this.fault = await this.#selfTest().then(
      () => undefined,
      (error: Error) => error.message,
    )
    if (before === this.fault) return
    if (before === undefined) this.#wake.abort() // from now on the test is repeated quickly
    this.#options.onChange()
  }

  /** An engine that misses EICAR, or does not look at the whole of a mail, lets things by. */
  async #selfTest(): Promise<void> {
    if (!(await this.#finds(eicarFile())))
      throw new Error('clamd does not find the EICAR test file: are its signatures there?')
    this.version = await askClamd(this.#address, 'VERSION', TEST_TIMEOUT_MS)
    if (this.#sizeTested === this.version) return
    if (!(await this.#finds(eicarMail(this.#options.maxMessageBytes)))) {
      throw new Error(
        'clamd does not look at the whole of a large mail: StreamMaxLength, MaxFileSize and MaxScanSize must be above MAX_MESSAGE_BYTES',
      )
    }
    this.#sizeTested = this.version
  }

  async #finds(content: AsyncIterable<Buffer>): Promise<boolean> {
    const reply = await askClamd(this.#address, 'INSTREAM', TEST_TIMEOUT_MS, content)
    return readReply(reply)?.kind === 'infected'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#testing
  }
}
