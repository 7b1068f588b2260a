// The walks through one mail, whose attachments share its limits: first in the lane that keeps others from waiting, and
// what is too slow for that once more, where it has its time. A part that ends its thread hides nothing that follows it.
import { Channel } from './channel.ts'
import type { ArchiveLimits, Begun, Finding } from './finding.ts'
import { isBomb } from './finding.ts'
import { mayHoldArchive } from './glance.ts'
import { NeedsTime } from './needs-time.ts'
import type { Ended, Thread } from './thread.ts'
import type { KnownParts, WalkRequest } from './thread-messages.ts'
import type { Turn, Turns } from './turns.ts'

/** What a mail may cost in the lane that keeps others from waiting. */
const QUICK_CPU_MS = 300
/** A mail of this size never begins in that lane. */
const LARGE_BYTES = 4 * 1024 * 1024
/** What reading an honest mail may take besides: a bomb is not large. */
const CPU_MS_PER_MEBIBYTE = 100
/** Of the time that is left, the most that one walk gets: what comes behind a bomb is looked at as well. */
const SHARE_OF_WALK = 0.8
/** With less than this, no walk is begun. */
const LEAST_CPU_MS = 20
/** What is left for finding the parts of a mail whose time is over. */
const LAST_CPU_MS = 300
/** So many mails wait for their turn at most, if they need not. */
const MOST_WAITING = 16
/** Archives of text become ten or twenty times as long, rarely fifty. */
const BOMB = { fromBytes: 16 * 1024 * 1024, ratio: 100, behindBytes: 1024 * 1024 }

type Job = Pick<WalkRequest, 'kind' | 'skip' | 'known'> & { bytes: Buffer; cpuMs: number }

export class MailWalk {
  #turns: Turns<Thread>
  #left: ArchiveLimits
  #mayWait: boolean
  #isSlow = false
  #inputBytes = 0
  #outputBytes = 0

  constructor(turns: Turns<Thread>, limits: ArchiveLimits, mayWait: boolean) {
    this.#turns = turns
    this.#left = { ...limits }
    this.#mayWait = mayWait
  }

  /**
   * What is inside of an attachment: each file that is no archive, and each reason why something could not be looked
   * into. The attachment itself is not handed out. One attachment of a mail at a time; leaving the loop ends the walk.
   * @throws NeedsTime
   */
  async *walk(attachment: Buffer): AsyncGenerator<Finding> {
    if (!mayHoldArchive(attachment)) return
    if (this.#left.cpuMs < LEAST_CPU_MS) yield outOfTime()
    else yield* outcome(yield* this.#inside('file', attachment, new Progress()))
  }

  /**
   * All pieces of a mail that are to be scanned besides the mail itself, and what is inside of them.
   * @throws NeedsTime
   */
  async *takeApart(mail: Buffer): AsyncGenerator<Finding> {
    const readingMs = (mail.length / 2 ** 20) * CPU_MS_PER_MEBIBYTE
    if (mail.length > LARGE_BYTES) this.#isSlow = true
    this.#left.cpuMs += readingMs
    const progress = new Progress()
    for (;;) {
      const ended = yield* this.#inside('mail', mail, progress)
      yield* outcome(ended)
      if (ended.kind === 'finished') return
      // The thread was ended in the middle of a part: the others are looked at without it, if need be only by name.
      const wasLast = progress.isLast
      progress.passBomb(this.#left.cpuMs < LEAST_CPU_MS + readingMs)
      if (wasLast) return yield { ...outOfTime(), isOfMail: true }
      if (progress.isLast) this.#left.cpuMs = LAST_CPU_MS + readingMs
    }
  }

  async *#inside(kind: 'mail' | 'file', bytes: Buffer, progress: Progress): AsyncGenerator<Finding, Ended> {
    let skip = 0
    for (;;) {
      const turn = await this.#takeTurn()
      const channel = new Channel<Finding | Begun>()
      const cpuMs = progress.isLast ? this.#left.cpuMs : SHARE_OF_WALK * this.#left.cpuMs
      const ending = this.#run(turn, { kind, bytes, skip, cpuMs, known: progress.known }, channel)
      try {
        for await (const finding of channel) {
          skip++
          progress.note(finding)
          if (finding.kind !== 'part') yield finding
        }
      } finally {
        // Until then the thread is ours.
        if (!channel.isEnded) turn.thread.cancel()
      }
      const ended = await ending
      if (ended.kind !== 'out of time' || turn.lane === 'all' || this.#left.cpuMs < LEAST_CPU_MS) return ended
      // Too slow for the quick lane says nothing yet: once more, where it has its time.
      if (!this.#mayWait) throw new NeedsTime('it takes more than a quick look')
      this.#isSlow = true
    }
  }

  #takeTurn(): Promise<Turn<Thread>> {
    if (!this.#mayWait && this.#turns.waiting >= MOST_WAITING) throw new NeedsTime('too many others wait')
    return this.#turns.take(this.#isSlow)
  }

  async #run(turn: Turn<Thread>, job: Job, channel: Channel<Finding | Begun>): Promise<Ended> {
    const isTrial = turn.lane === 'quick'
    const cpuMs = isTrial ? Math.min(QUICK_CPU_MS, job.cpuMs) : job.cpuMs
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
    const leftBytes = Math.max(BOMB.behindBytes, plausible - this.#outputBytes)
    return Math.max(0, Math.min(this.#left.outputBytes, leftBytes))
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

/** How far a mail was taken apart. */
class Progress {
  isLast = false
  #part = -1
  #upTo = 0
  #bombs = new Set<number>()

  get known(): KnownParts {
    return { upTo: this.#upTo, bombs: [...this.#bombs], isLast: this.isLast }
  }

  note(finding: Finding | Begun): void {
    if (finding.kind === 'part') this.#part = finding.index
    else if (finding.kind === 'unscannable' && isBomb(finding) && !finding.isOfMail) this.#bombs.add(this.#part)
  }

  /** The part that was begun last ended its thread. */
  passBomb(isLast: boolean): void {
    this.#bombs.add(this.#part)
    this.#upTo = this.#part + 1
    this.isLast = isLast
  }
}

function* outcome(ended: Ended): Generator<Finding> {
  switch (ended.kind) {
    case 'finished':
      return
    case 'out of time':
      yield outOfTime()
      return
    case 'crashed':
      yield { kind: 'unscannable', reason: ended.isOutOfMemory ? 'size' : 'damaged', path: '', detail: ended.detail }
  }
}

function outOfTime(): Finding & { kind: 'unscannable' } {
  return { kind: 'unscannable', reason: 'time', path: '', detail: 'too much processor time' }
}
