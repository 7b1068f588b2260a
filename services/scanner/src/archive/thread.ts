// A walking thread as the main thread has it: one walk at a time, ended by force when it takes too long.
import { Worker } from 'node:worker_threads'
import type { Usage } from './budget.ts'
import type { ArchiveLimits, Begun, Finding } from './finding.ts'
import type { ThreadMessage, ThreadSetup, WalkRequest } from './thread-messages.ts'
import type { WasmModule } from './web-assembly.ts'

const ENTRY = new URL('./walking-thread.ts', import.meta.url)
const RESOURCES = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 }
const WATCH_INTERVAL_MS = 50

export type Ended =
  | { kind: 'finished'; usage: Usage }
  | { kind: 'out of time'; usage: Usage }
  /** The thread is gone. */
  | { kind: 'crashed'; isOutOfMemory: boolean; detail: string; usage: Usage }

export interface Walk extends Omit<WalkRequest, 'bytes'> {
  bytes: Buffer
  found: (findings: (Finding | Begun)[]) => void
}

const NO_USAGE: Usage = { cpuMs: 0, files: 0, outputBytes: 0 }

export class Thread implements AsyncDisposable {
  #sevenZip: WasmModule
  #worker: Worker | undefined
  #cancelled = new Int32Array(new SharedArrayBuffer(4))
  /** Processor time of the thread before the walk that runs. */
  #cpuMsBefore = 0

  #entry: URL

  /** @param entry what the thread runs. */
  constructor(sevenZip: WasmModule, entry = ENTRY) {
    this.#sevenZip = sevenZip
    this.#entry = entry
  }

  /** Never rejects: whatever happens to the thread is an end of the walk. */
  async run(walk: Walk): Promise<Ended> {
    Atomics.store(this.#cancelled, 0, 0)
    const { promise, resolve } = Promise.withResolvers<Ended>()
    const worker = this.#worker ?? this.#start()
    worker.ref()
    const message = (said: ThreadMessage) => {
      if (said.kind === 'findings') walk.found(said.findings.map(withBuffer))
      else this.#cpuMsBefore = said.cpuMs
      if (said.kind === 'ended') resolve({ kind: said.isOutOfTime ? 'out of time' : 'finished', usage: said.usage })
    }
    const error = ({ code, message }: NodeJS.ErrnoException) => {
      this.#drop(worker)
      // What it cost is not known: nothing more is spent on that mail.
      const usage = { ...NO_USAGE, cpuMs: walk.limits.cpuMs }
      resolve({ kind: 'crashed', isOutOfMemory: code === 'ERR_WORKER_OUT_OF_MEMORY', detail: message, usage })
    }
    const exit = () => error(new Error('thread ended'))
    worker.on('message', message).on('error', error).on('exit', exit)
    const watch = this.#watch(worker, walk.limits, (usage) => resolve({ kind: 'out of time', usage }))
    request(worker, walk)
    const ended = await promise
    clearInterval(watch)
    worker.off('message', message).off('error', error).off('exit', exit)
    worker.unref()
    return ended
  }

  /** Ends the walk that runs; it is not waited for. */
  cancel(): void {
    Atomics.store(this.#cancelled, 0, 1)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker?.terminate()
  }

  #start(): Worker {
    const workerData: ThreadSetup = { sevenZip: this.#sevenZip, cancelled: this.#cancelled.buffer as SharedArrayBuffer }
    const worker = new Worker(this.#entry, { workerData, resourceLimits: RESOURCES, env: {} })
    this.#worker = worker
    this.#cpuMsBefore = Number.POSITIVE_INFINITY // until it has started
    worker.once('exit', () => this.#drop(worker))
    // Between walks nothing waits for the thread, and the next one gets a new one.
    worker.on('error', () => this.#drop(worker))
    return worker
  }

  #drop(worker: Worker): void {
    if (this.#worker === worker) this.#worker = undefined
  }

  #watch(worker: Worker, limits: ArchiveLimits, ended: (usage: Usage) => void): NodeJS.Timeout {
    const startedMs = performance.now()
    const kill = (cpuMs: number) => {
      this.#drop(worker)
      ended({ ...NO_USAGE, cpuMs })
      worker.terminate()
    }
    let isAsking = false
    return setInterval(async () => {
      const isCancelled = Atomics.load(this.#cancelled, 0) !== 0
      if (isCancelled || performance.now() - startedMs > limits.timeMs) return kill(limits.cpuMs)
      if (isAsking) return
      isAsking = true
      const usage = await worker.cpuUsage().catch(() => undefined) // it has ended, which ends the walk as well
      isAsking = false
      if (usage === undefined) return
      const cpuMs = (usage.user + usage.system) / 1_000 - this.#cpuMsBefore
      if (cpuMs >= limits.cpuMs) kill(cpuMs)
    }, WATCH_INTERVAL_MS)
  }
}

function request(worker: Worker, { kind, bytes, limits, skip, isTrial, known }: Walk): void {
  const own = new Uint8Array(bytes)
  const message: WalkRequest = { kind, bytes: own, limits, skip, isTrial, known }
  worker.postMessage(message, [own.buffer])
}

/** A Buffer arrives from a thread as a plain array of octets. */
function withBuffer(finding: Finding | Begun): Finding | Begun {
  if (finding.kind !== 'leaf') return finding
  const { buffer, byteOffset, byteLength } = finding.bytes
  return { ...finding, bytes: Buffer.from(buffer, byteOffset, byteLength) }
}
