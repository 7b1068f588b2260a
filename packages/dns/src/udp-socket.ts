// One UDP socket, connected to one server, that carries many questions at a time (RFC 5452: random port, random id,
// and the system drops datagrams from any other address).
import { randomInt } from 'node:crypto'
import dgram from 'node:dgram'
import { isIPv6 } from 'node:net'
import { DnsError } from './dns-error.ts'
import { type Question, type Reading, readMessage, withId } from './message.ts'
import type { ServerAddress } from './server-address.ts'

interface Waiting {
  question: Question
  timer: NodeJS.Timeout
  settle: (outcome: Exclude<Reading, { kind: 'foreign' }> | DnsError) => void
}

/** Does not keep the process alive; the timers of questions under way do. */
export class UdpSocket {
  /** Questions sent plus messages received that answered none: how worn the port and its ids are. */
  wear = 0
  readonly #socket: dgram.Socket
  readonly #waiting = new Map<number, Waiting>()
  #unsent: Buffer[] | undefined = []
  #isRetired = false
  #isClosed = false

  constructor(server: ServerAddress) {
    this.#socket = dgram.createSocket(isIPv6(server.host) ? 'udp6' : 'udp4')
    this.#socket.on('message', (message) => this.#receive(message))
    this.#socket.on('error', (error) => this.#failAll('ECONNREFUSED', error))
    this.#socket.on('connect', () => {
      for (const bytes of this.#unsent ?? []) this.#socket.send(bytes)
      this.#unsent = undefined
    })
    this.#socket.connect(server.port, server.host)
    this.#socket.unref()
  }

  get isUsable(): boolean {
    return !this.#isRetired
  }

  /** Asks; resolves to the server's message. Rejects with a DnsError: ETIMEOUT, ECONNREFUSED, ECANCELLED. */
  ask(question: Question, timeoutMs: number): Promise<Exclude<Reading, { kind: 'foreign' }>> {
    this.wear += 1
    const id = this.#freeId()
    const { promise, resolve, reject } = Promise.withResolvers<Exclude<Reading, { kind: 'foreign' }>>()
    const settle: Waiting['settle'] = (outcome) => {
      clearTimeout(timer)
      this.#waiting.delete(id)
      if (outcome instanceof DnsError) reject(outcome)
      else resolve(outcome)
      this.#closeIfDone()
    }
    const timer = setTimeout(() => settle(new DnsError('ETIMEOUT', question.name, question.type)), timeoutMs)
    this.#waiting.set(id, { question, timer, settle })
    const bytes = withId(question, id)
    if (this.#unsent === undefined) this.#socket.send(bytes)
    else this.#unsent.push(bytes)
    return promise
  }

  /** Takes no new questions, and closes when those under way are settled. */
  retire(): void {
    this.#isRetired = true
    this.#closeIfDone()
  }

  /** Closes at once; questions under way end as ECANCELLED. */
  close(): void {
    this.#isRetired = true
    this.#failAll('ECANCELLED')
    this.#closeIfDone()
  }

  #receive(message: Buffer): void {
    const id = message.length < 2 ? -1 : message.readUInt16BE(0)
    const waiting = this.#waiting.get(id)
    const reading = waiting && readMessage(message, waiting.question, id)
    if (reading === undefined || reading.kind === 'foreign') this.wear += 1
    else waiting?.settle(reading)
  }

  #failAll(code: 'ECONNREFUSED' | 'ECANCELLED', cause?: Error): void {
    this.#isRetired = true
    for (const { question, settle } of [...this.#waiting.values()])
      settle(new DnsError(code, question.name, question.type, { cause }))
    this.#closeIfDone()
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(0x1_0000)
      if (!this.#waiting.has(id)) return id
    }
  }

  #closeIfDone(): void {
    if (!this.#isRetired || this.#waiting.size > 0 || this.#isClosed) return
    this.#isClosed = true
    this.#socket.close()
  }
}
