// The messages of an open maildrop by message-number, with the marks that DELE sets (RFC 1939 section 5).
import type { MaildropMessage } from './ports.ts'

export type Found = { kind: 'present'; message: MaildropMessage } | { kind: 'deleted' } | { kind: 'missing' }

/** Message-numbers count from 1 and never shift during a session. */
export class MessageList {
  readonly #messages: readonly MaildropMessage[]
  readonly #isMarked: Uint8Array
  readonly #allOctets: number
  #markedCount = 0
  #markedOctets = 0

  constructor(messages: readonly MaildropMessage[]) {
    this.#messages = messages
    this.#isMarked = new Uint8Array(messages.length)
    this.#allOctets = messages.reduce((octets, message) => octets + message.sizeBytes, 0)
  }

  /** How many messages are not marked as deleted. */
  get count(): number {
    return this.#messages.length - this.#markedCount
  }

  /** The octets of the messages that are not marked as deleted. */
  get octets(): number {
    return this.#allOctets - this.#markedOctets
  }

  find(number: number): Found {
    const message = this.#messages[number - 1]
    if (message === undefined) return { kind: 'missing' }
    return this.#isMarked[number - 1] === 1 ? { kind: 'deleted' } : { kind: 'present', message }
  }

  /** Marks a present message as deleted. */
  mark(number: number): void {
    if (this.find(number).kind !== 'present') throw new RangeError(`message ${number} is not there to be marked`)
    this.#isMarked[number - 1] = 1
    this.#markedCount += 1
    this.#markedOctets += this.#messages[number - 1]!.sizeBytes
  }

  /** Takes all marks away. */
  unmarkAll(): void {
    this.#isMarked.fill(0)
    this.#markedCount = 0
    this.#markedOctets = 0
  }

  /** One line for each message that is not marked, made while it is read. */
  *lines(show: (number: number, message: MaildropMessage) => string): Iterable<string> {
    for (const [index, message] of this.#messages.entries())
      if (this.#isMarked[index] === 0) yield show(index + 1, message)
  }

  /** The uids of the messages marked as deleted. */
  markedUids(): number[] {
    return this.#messages.filter((_, index) => this.#isMarked[index] === 1).map((message) => message.uid)
  }
}
