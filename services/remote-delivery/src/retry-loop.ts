// The loop that takes due mail out of the schedule. Each replica runs one; a lease keeps the others off a mail in hand,
// and runs out soon after a replica has crashed.
import type { Log } from '@sekimori/runtime/log'
import type { DueMail } from '@sekimori/store/deferred-lease'
import type { Alarm } from './alarm.ts'

export interface RetryPorts {
  lease(limit: number): Promise<DueMail[]>
  renew(mails: DueMail[]): Promise<void>
  /** Attempts a mail; `signal` aborts when no dialogue may go on. */
  attempt(mail: DueMail, signal: AbortSignal): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

export interface RetryOptions {
  pollMs: number
  leaseMs: number
  /** Mails in hand at the same time. */
  concurrency: number
  /** No mail is taken after this. */
  stopping: AbortSignal
  /** Aborts when there is no more time for dialogues. */
  drained: AbortSignal
}

/** Starts the loop. Disposing it, after `stopping`, waits for the mails in hand. */
export function startRetryLoop(ports: RetryPorts, alarm: Alarm, options: RetryOptions): AsyncDisposable {
  return new RetryLoop(ports, alarm, options)
}

class RetryLoop implements AsyncDisposable {
  readonly #ports: RetryPorts
  readonly #alarm: Alarm
  readonly #options: RetryOptions
  readonly #inHand = new Map<DueMail, Promise<void>>()
  readonly #keeper: NodeJS.Timeout
  readonly #running: Promise<void>
  #renewedAt = performance.now()
  #lost = new AbortController()

  constructor(ports: RetryPorts, alarm: Alarm, options: RetryOptions) {
    this.#ports = ports
    this.#alarm = alarm
    this.#options = options
    this.#keeper = setInterval(() => void this.#keepLeases(), options.leaseMs / 3)
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const { stopping, concurrency, pollMs } = this.#options
    while (!stopping.aborted) {
      await this.#ports.whenUp(stopping)
      const room = concurrency - this.#inHand.size
      const mails = room > 0 && !stopping.aborted ? await this.#lease(room) : []
      for (const mail of mails) this.#take(mail)
      if (mails.length === 0 || mails.length === room) await this.#alarm.wait(pollMs, stopping)
    }
  }

  async #lease(room: number): Promise<DueMail[]> {
    try {
      return await this.#ports.lease(room)
    } catch (error) {
      this.#ports.log.warn({ err: error }, 'due mail could not be looked up')
      return []
    }
  }

  #take(mail: DueMail): void {
    const work = this.#attempt(mail).finally(() => {
      this.#inHand.delete(mail)
      this.#alarm.wakeAt(Date.now()) // there is room now, and there may be more that is due
    })
    this.#inHand.set(mail, work)
  }

  async #attempt(mail: DueMail): Promise<void> {
    const { queueId } = mail.job
    const startedAt = performance.now()
    const ms = () => Math.round(performance.now() - startedAt)
    try {
      await this.#ports.attempt(mail, AbortSignal.any([this.#lost.signal, this.#options.drained]))
      this.#ports.log.debug({ queueId, ms: ms() }, 'retry')
    } catch (error) {
      // The mail stays in the schedule; when its lease has run out it is taken up again.
      this.#ports.log.warn({ err: error, queueId, ms: ms() }, 'retry failed')
    }
  }

  /** A lease that could not be renewed in time may be somebody else's soon: dialogues on it are broken off. */
  async #keepLeases(): Promise<void> {
    const startedAt = performance.now()
    try {
      if (this.#inHand.size > 0) await this.#ports.renew([...this.#inHand.keys()])
      this.#renewedAt = startedAt
    } catch (error) {
      this.#ports.log.warn({ err: error }, 'leases could not be renewed')
      if (performance.now() - this.#renewedAt < (this.#options.leaseMs * 2) / 3) return
      this.#lost.abort()
      this.#lost = new AbortController()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running
    await Promise.allSettled(this.#inHand.values())
    clearInterval(this.#keeper)
  }
}
