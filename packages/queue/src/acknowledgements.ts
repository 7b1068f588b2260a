// Acknowledges what is done in few frames (AMQP 0-9-1 basic.ack): a quorum queue writes each acknowledgement to its log, one that
// stands for many messages as one entry.

/** How long what is done waits for others. A crash meanwhile brings it again, as it would a moment earlier. */
const GATHER_MS = 5

/** The acknowledgements of one channel. `send` acknowledges a message, or all that were delivered up to it. */
export class Acknowledgements<M> {
  readonly #send: (message: M, isAllUpTo: boolean) => void
  /** In the order of delivery; whether each is done. */
  readonly #delivered = new Map<M, boolean>()
  #timer: NodeJS.Timeout | undefined

  constructor(send: (message: M, isAllUpTo: boolean) => void) {
    this.#send = send
  }

  /** Every message is told as it comes: one that is not done holds back the common acknowledgement of those after it. */
  delivered(message: M): void {
    this.#delivered.set(message, false)
  }

  /** The message is done, and acknowledged soon. */
  done(message: M): void {
    this.#delivered.set(message, true)
    this.#timer ??= setTimeout(() => this.flush(), GATHER_MS)
  }

  /** Acknowledges now what is done. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    let upTo: M | undefined
    const alone: M[] = []
    let isUnbroken = true
    for (const [message, isDone] of this.#delivered) {
      if (!isDone) isUnbroken = false
      else if (isUnbroken) upTo = message
      else alone.push(message)
      if (isDone) this.#delivered.delete(message)
    }
    if (upTo !== undefined) this.#send(upTo, true)
    for (const message of alone) this.#send(message, false)
  }
}
