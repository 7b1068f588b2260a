// For tests only: sessions of random POP3 against a server: most wait for each reply, some send everything in pieces, some
// over TLS. Each line gets one well-formed reply in time, and no reply tells anything of the inside.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { attentiveNow } from '@sekimori/testing/attentive-clock'
import { HANG_MS, type Numbers, numbersFrom, sideBySide } from '@sekimori/testing/fuzz'
import { commandFrom } from './command-generator.ts'
import { Replies } from './fuzz-replies.ts'

export interface FuzzOptions {
  pop3Port: number
  pop3sPort: number
  seed: number
  /** Lines to which the server is to have replied. */
  commands: number
  hangMs?: number
}

export interface FuzzReport {
  /** Lines that the server has answered. */
  answered: number
  /** The same by status: +OK, -ERR and + (a challenge). */
  counts: Map<string, number>
  sessions: number
}

const COMMANDS_A_SESSION = 60
const SESSIONS_AT_ONCE = 8
/** What the server may say unasked, before it ends the session. */
const FAREWELL = /^(?:-ERR [^\r\n]*\r\n)?$/

/** @throws AssertionError naming what was said */
export async function fuzzPop3(options: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { answered: 0, counts: new Map(), sessions: 0 }
  await sideBySide(SESSIONS_AT_ONCE, async (index, isOver) => {
    const below = numbersFrom(options.seed * 1_000 + index)
    while (report.answered < options.commands && !isOver()) {
      const session = await FuzzSession.open(options, below)
      await (below(5) === 0 ? session.shout() : session.speak())
      report.sessions += 1
      for (const [status, count] of session.replies.counts) {
        report.answered += count
        report.counts.set(status, (report.counts.get(status) ?? 0) + count)
      }
    }
  })
  return report
}

class FuzzSession {
  readonly replies = new Replies()
  readonly #below: Numbers
  readonly #hangMs: number
  #socket: Socket
  #isClosed = false
  #isCut = false
  #fault: unknown
  #wake = () => {}

  static async open({ pop3Port, pop3sPort, hangMs = HANG_MS }: FuzzOptions, below: Numbers): Promise<FuzzSession> {
    const isTls = below(50) === 0
    const transport = connect({ port: isTls ? pop3sPort : pop3Port, host: '127.0.0.1', noDelay: true })
    const session = new FuzzSession(isTls ? overTls(transport) : transport, below, hangMs)
    await session.#settle()
    return session
  }

  constructor(socket: Socket, below: Numbers, hangMs: number) {
    this.#below = below
    this.#hangMs = hangMs
    this.#socket = socket
    this.#listen(socket)
  }

  /** A session that waits for each reply. */
  async speak(): Promise<void> {
    for (let i = 0; i < COMMANDS_A_SESSION && !this.#isClosed; i++) {
      this.#send(commandFrom(this.#below, this.replies.phase))
      await this.#settle()
      if (!this.replies.isNegotiating) continue
      if (this.#below(2) === 0) break // a handshake that never comes
      await this.#startTls()
    }
    this.#leave()
    await this.#closed()
  }

  /** A session that sends all at once, cut anywhere. */
  async shout(): Promise<void> {
    const octets = Buffer.concat(Array.from({ length: COMMANDS_A_SESSION }, () => commandFrom(this.#below)))
    for (let from = 0; from < octets.length; ) {
      const to = from + 1 + this.#below(this.#below(4) === 0 ? 10 : 2_000)
      this.#send(octets.subarray(from, to))
      from = to
      if (this.#below(4) === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    this.#leave()
    await this.#closed()
  }

  #send(octets: Buffer): void {
    this.replies.sent(octets)
    this.#socket.write(octets)
  }

  #leave(): void {
    this.#isCut = this.#below(20) === 0
    if (this.#isCut) this.#socket.destroy()
    else this.#socket.end()
  }

  async #startTls(): Promise<void> {
    const plain = this.#socket.removeAllListeners('data').removeAllListeners('close')
    this.#socket = overTls(plain)
    this.#listen(this.#socket)
    let isSecure = false
    this.#socket.once('secureConnect', () => {
      isSecure = true
      this.#wake()
    })
    await this.#until(() => isSecure)
    this.replies.isNegotiating = false
  }

  #listen(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    socket.on('data', (octets: Buffer) => {
      try {
        this.replies.heard(octets)
      } catch (error) {
        this.#fault ??= error
      }
      this.#wake()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  /** Until each line has its reply, or the session is over. */
  async #settle(): Promise<void> {
    await this.#until(() => !this.replies.isWaiting)
  }

  async #closed(): Promise<void> {
    await this.#until(() => false)
    const { isWaiting, isNegotiating, rest } = this.replies
    if (!isWaiting && !isNegotiating && !this.#isCut) assert.match(rest, FAREWELL)
  }

  /** Waits as long as something comes; a silence is a hang. While the machine gives us no turn, the deadline waits as well. */
  async #until(isTrue: () => boolean): Promise<void> {
    while (!this.#isClosed && this.#fault === undefined && !isTrue()) await this.#more(attentiveNow() + this.#hangMs)
    if (this.#fault === undefined) return
    this.#socket.destroy()
    throw this.#fault
  }

  async #more(deadline: number): Promise<void> {
    for (let isWoken = false; !isWoken; ) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = () => {
        isWoken = true
        resolve()
      }
      const timer = setTimeout(resolve, Math.max(1, deadline - attentiveNow()))
      await promise
      clearTimeout(timer)
      assert.ok(isWoken || attentiveNow() < deadline, `hangs for ${this.#hangMs} ms after ${this.replies.due}`)
    }
  }
}

function overTls(socket: Socket): Socket {
  return connectTls({ socket, rejectUnauthorized: false })
}
