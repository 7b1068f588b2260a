// The thread in which archives are opened: whatever their content does, it does it here.
import { parentPort, workerData } from 'node:worker_threads'
import { Budget, LimitReached, threadCpuMs } from './budget.ts'
import type { Begun, Finding } from './finding.ts'
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
  #findings: (Finding | Begun)[] = []
  #transfer: ArrayBuffer[] = []
  #sizeBytes = 0
  #skip: number

  constructor(skip: number) {
    this.#skip = skip
  }

  add(finding: Finding | Begun): void {
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

function handle({ kind, bytes, limits, skip, isTrial, known }: WalkRequest): void {
  const own = { ...limits, cpuMs: limits.cpuMs * OWN_SHARE }
  const budget = new Budget(own, () => Atomics.load(cancelled, 0) !== 0)
  const outbox = new Outbox(skip)
  let isOutOfTime = false
  try {
    const inside = new Inside(flushing(outbox), budget)
    const octets = Buffer.from(bytes.buffer as ArrayBuffer)
    for (const finding of kind === 'mail' ? inside.mail(octets, known) : inside.file(octets)) {
      isOutOfTime = isTrial && finding.kind === 'unscannable' && finding.reason === 'time'
      // What is tried again is not told before.
      if (isOutOfTime) break
      outbox.add(finding)
    }
  } catch (error) {
    if (!(error instanceof LimitReached)) throw error
    isOutOfTime = isTrial && error.reason === 'time'
    if (!isOutOfTime && error.reason !== 'cancelled') outbox.add(unfinished(error.reason))
  }
  outbox.flush()
  say({ kind: 'ended', usage: budget.usage, isOutOfTime, cpuMs: threadCpuMs() })
}

/** The mail itself took more than it may: there may be parts that were not seen. */
function unfinished(reason: 'size' | 'time'): Finding {
  return { kind: 'unscannable', reason, path: '', detail: 'mail', isOfMail: true }
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
