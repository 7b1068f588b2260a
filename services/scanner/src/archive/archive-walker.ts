// Opens the archives in the attachments of mails, in threads of their own: hostile content can neither hold up nor
// harm the process, and costs one mail no more than its limits.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Channel } from './channel.ts'
import { type ArchiveLimits, defaultLimits, type Finding } from './finding.ts'
import { mayHoldArchive } from './glance.ts'
import { type Ended, Thread } from './thread.ts'
import type { WalkRequest } from './thread-messages.ts'
import { type Turn, Turns } from './turns.ts'
import { compile } from './web-assembly.ts'

/** What a mail may cost in the lane that keeps others from waiting. */
const QUICK_CPU_MS = 300
/** A mail of this size never begins in that lane. */
const LARGE_BYTES = 4 * 1024 * 1024
/** What reading an honest mail may take besides: a bomb is not large. */
const CPU_MS_PER_MEBIBYTE = 100

export interface ArchiveWalker extends AsyncDisposable {
  /** One mail: its attachments share the limits. */
  mail(limits?: Partial<ArchiveLimits>): MailWalk
}

export interface MailWalk {
  /**
   * What is inside of an attachment: each file that is no archive, and each reason why something could not be looked
   * into. The attachment itself is not handed out. One attachment of a mail at a time; leaving the loop ends the walk.
   */
  walk(attachment: Buffer): AsyncIterable<Finding>
  /** All pieces of a mail that are to be scanned besides the mail itself, and what is inside of them. */
  takeApart(mail: Buffer): AsyncIterable<Finding>
}

export interface WalkerOptions {
  /** Threads that take any mail; one more takes only quick ones. */
  threads: number
}

/** Opens the walker. Threads start when they are first needed. */
export async function openArchiveWalker({ threads }: WalkerOptions): Promise<ArchiveWalker> {
  const module = await compile(await readFile(fileURLToPath(import.meta.resolve('7z-wasm/7zz.wasm'))))
  const forAll = Array.from({ length: threads }, () => new Thread(module))
  const quick = [new Thread(module)]
  const turns = new Turns(forAll, quick)
  return {
    mail: (limits) => new Mail(turns, { ...defaultLimits, ...limits }),
    async [Symbol.asyncDispose]() {
      await Promise.all([...forAll, ...quick].map((thread) => thread[Symbol.asyncDispose]()))
    },
  }
}

/** Archives of text become ten or twenty times as long, rarely fifty. */
const BOMB = { fromBytes: 16 * 1024 * 1024, ratio: 100 }

type Job = Pick<WalkRequest, 'kind' | 'skip'> & { bytes: Buffer }

class Mail implements MailWalk {
  #turns: Turns<Thread>
  #left: ArchiveLimits
  #isSlow = false
  #inputBytes = 0
  #outputBytes = 0

  constructor(turns: Turns<Thread>, limits: ArchiveLimits) {
    this.#turns = turns
    this.#left = { ...limits }
  }

  async *walk(attachment: Buffer): AsyncGenerator<Finding> {
    if (mayHoldArchive(attachment)) yield* this.#inside('file', attachment)
  }

  async *takeApart(mail: Buffer): AsyncGenerator<Finding> {
    if (mail.length > LARGE_BYTES) this.#isSlow = true
    this.#left.cpuMs += (mail.length / 2 ** 20) * CPU_MS_PER_MEBIBYTE
    yield* this.#inside('mail', mail)
  }

  async *#inside(kind: 'mail' | 'file', bytes: Buffer): AsyncGenerator<Finding> {
    let known = 0
    for (;;) {
      const turn = await this.#turns.take(this.#isSlow)
      const channel = new Channel<Finding>()
      const ending = this.#run(turn, { kind, bytes, skip: known }, channel)
      try {
        for await (const finding of channel) {
          known++
          yield finding
        }
      } finally {
        // Until then the thread is ours.
        if (!channel.isEnded) turn.thread.cancel()
      }
      const ended = await ending
      // Too slow for the quick lane says nothing yet: once more, where it has its time.
      if (ended.kind === 'out of time' && turn.lane === 'quick' && this.#left.cpuMs > 0) this.#isSlow = true
      else return yield* outcome(ended)
    }
  }

  async #run(turn: Turn<Thread>, job: Job, channel: Channel<Finding>): Promise<Ended> {
    const isTrial = turn.lane === 'quick'
    const cpuMs = isTrial ? Math.min(QUICK_CPU_MS, this.#left.cpuMs) : this.#left.cpuMs
    const limits = { ...this.#left, cpuMs, outputBytes: this.#outputBytesFor(job.bytes) }
    const ended = await turn.thread.run({ ...job, limits, isTrial, found: (findings) => channel.push(findings) })
    this.#charge(ended, job.bytes)
    channel.end()
    this.#turns.giveBack(turn)
    return ended
  }

  /** What an honest archive of this length may become: more is a bomb, and the rest of it need not be looked at. */
  #outputBytesFor(bytes: Buffer): number {
    const plausible = Math.max(BOMB.fromBytes, BOMB.ratio * (this.#inputBytes + bytes.length))
    return Math.max(0, Math.min(this.#left.outputBytes, plausible - this.#outputBytes))
  }

  #charge({ kind, usage }: Ended, bytes: Buffer): void {
    this.#left.cpuMs = Math.max(0, this.#left.cpuMs - usage.cpuMs)
    // What comes out of a walk that is done once more counts then.
    if (kind !== 'finished') return
    this.#inputBytes += bytes.length
    this.#outputBytes += usage.outputBytes
    this.#left.files = Math.max(0, this.#left.files - usage.files)
    this.#left.outputBytes = Math.max(0, this.#left.outputBytes - usage.outputBytes)
  }
}

function* outcome(ended: Ended): Generator<Finding> {
  switch (ended.kind) {
    case 'finished':
      return
    case 'out of time':
      yield { kind: 'unscannable', reason: 'time', path: '', detail: 'too much processor time' }
      return
    case 'crashed':
      yield { kind: 'unscannable', reason: ended.isOutOfMemory ? 'size' : 'damaged', path: '', detail: ended.detail }
  }
}
