// One DNS server as this process asks it: a few UDP sockets whose ports change, TCP when an answer is cut short,
// and once more without EDNS when the server does not know it (RFC 6891 section 7, RFC 7766).
import { randomInt } from 'node:crypto'
import { DnsError } from './dns-error.ts'
import { encodeQuestion, type Question, type Reading } from './message.ts'
import type { ServerAddress } from './server-address.ts'
import { askOverTcp } from './tcp-exchange.ts'
import { UdpSocket } from './udp-socket.ts'

const SOCKETS = 4
/** A port is given up after so many questions (or stray datagrams), before its ids can be worn out by guessing. */
const MAX_WEAR = 500
const FORMERR = 1
const NOTIMP = 4
const BADVERS = 16

/** Counts that a metric can read. */
export interface Counters {
  /** Questions put to servers, each try counted. */
  queries: number
  /** Lookups answered from the cache. */
  hits: number
  /** Messages that came from servers, whatever they say. */
  answers: number
  /** Questions that a server let pass without an answer in time. */
  timeouts: number
}

export type ServerAnswer = Extract<Reading, { kind: 'answer' }>

export class Upstream {
  readonly #server: ServerAddress
  readonly #counters: Counters
  readonly #sockets: (UdpSocket | undefined)[] = []
  readonly #abort = new AbortController()

  constructor(server: ServerAddress, counters: Counters) {
    this.#server = server
    this.#counters = counters
  }

  /** Asks this server once. @throws DnsError when it gave no answer that can be read. */
  async ask(question: Question, timeoutMs: number): Promise<ServerAnswer> {
    if (this.#abort.signal.aborted) throw new DnsError('ECANCELLED', question.name, question.type)
    const answer = await this.#exchange(question, timeoutMs)
    if (answer.rcode !== FORMERR && answer.rcode !== NOTIMP && answer.rcode !== BADVERS) return answer
    return this.#exchange(encodeQuestion(question.name, question.type, true), timeoutMs)
  }

  close(): void {
    this.#abort.abort()
    for (const socket of this.#sockets) socket?.close()
  }

  async #exchange(question: Question, timeoutMs: number): Promise<ServerAnswer> {
    let reading: Reading = await this.#counted(this.#socket().ask(question, timeoutMs))
    if (reading.kind === 'truncated') {
      reading = await this.#counted(askOverTcp(this.#server, question, timeoutMs, this.#abort.signal))
    }
    if (reading.kind === 'answer') return reading
    const cause = reading.kind === 'malformed' ? reading.cause : reading.kind
    throw new DnsError('EBADRESP', question.name, question.type, { cause })
  }

  async #counted(reading: Promise<Reading>): Promise<Reading> {
    this.#counters.queries += 1
    try {
      const read = await reading
      this.#counters.answers += 1
      return read
    } catch (error) {
      if (error instanceof DnsError && error.code === 'ETIMEOUT') this.#counters.timeouts += 1
      throw error
    }
  }

  #socket(): UdpSocket {
    const slot = randomInt(SOCKETS)
    const socket = this.#sockets[slot]
    if (socket?.isUsable && socket.wear < MAX_WEAR) return socket
    socket?.retire()
    const fresh = new UdpSocket(this.#server)
    this.#sockets[slot] = fresh
    return fresh
  }
}
