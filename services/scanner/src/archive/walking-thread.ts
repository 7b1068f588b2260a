// The thread in which archives are opened: whatever their content does, it does it here.
import { parentPort, workerData } from 'node:worker_threads'
import { Budget, LimitReached, threadCpuMs } from './budget.ts'
import type { Finding } from './finding.ts'
import { Inside } from './inside.ts'
import { type SevenZip, sevenZip } from './seven-zip.ts'
import type { ThreadMessage, ThreadSetup, WalkRequest } from './thread-messages.ts'

const BATCH = { findings: 50, sizeBytes: 256 * 1024 }

/** The thread ends a walk by itself before it is ended by force. */
const OWN_SHARE = 0.85

const port = parentPort!
const setup = workerData as ThreadSetup
const cancelled = new Int32Array(setup.cancelled)
const unpacker = sevenZip(setup.sevenZip)

function say(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}

/** Findings on their way: sent by the batch, and before anything that may take long. */
class Outbox {
  #findings: Finding[] = []
  #transfer: ArrayBuffer[] = []
  #sizeBytes = 0
  #skip: number

  constructor(skip: number) {
    this.#skip = skip
  }

  add(finding: Finding): void {
    if (this.#skip-- > 0) return
    this.#findings.push(finding.kind === 'leaf' ? { ...finding, bytes: this.#own(finding.bytes) } : finding)
    if (this.#findings.length >= BATCH.findings || this.#sizeBytes >= BATCH.sizeBytes) this.flush()
  }

  flush(): void {
    if (this.#findings.length > 0) say({ kind: 'findings', findings: this.#findings }, this.#transfer)
    this.#findings = []
    this.#transfer = []
    this.#sizeBytes = 0
  }

  /** Octets in memory of their own, which can be given away. */
  #own(bytes: Buffer): Buffer {
    const isOwn = bytes.length === bytes.buffer.byteLength
    const own = isOwn ? bytes : Buffer.from(new Uint8Array(bytes).buffer)
    this.#sizeBytes += own.length
    this.#transfer.push(own.buffer as ArrayBuffer)
    return own
  }
}

function handle({ kind, bytes, limits, skip, isTrial }: WalkRequest): void {
  const own = { ...limits, cpuMs: limits.cpuMs * OWN_SHARE }
  const budget = new Budget(own, () => Atomics.load(cancelled, 0) !== 0)
  const outbox = new Outbox(skip)
  let isOutOfTime = false
  try {
    const inside = new Inside(flushing(outbox), budget)
    for (const finding of inside[kind](Buffer.from(bytes.buffer as ArrayBuffer))) {
      if (finding.kind === 'leaf' || finding.reason !== 'time') outbox.add(finding)
      // What to do about it is decided in the main thread.
      else isOutOfTime = true
      if (isOutOfTime && isTrial) break
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error
    if (error.reason === 'time') isOutOfTime = true
  }
  outbox.flush()
  say({ kind: 'ended', usage: budget.usage, isOutOfTime, cpuMs: threadCpuMs() })
}

function flushing(outbox: Outbox): SevenZip {
  return {
    unpack: (...args) => {
      outbox.flush()
      return unpacker.unpack(...args)
    },
  }
}

port.on('message', handle)
say({ kind: 'ready', cpuMs: threadCpuMs() })
