// Sessions of random SMTP against a listener: some wait for each reply, some send everything in pieces. Whatever is said,
// each reply is one, comes in time, and tells nothing of the inside.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { attentiveNow } from './attentive-clock.ts'
import { assertNoLeak, HANG_MS, type Numbers, numbersFrom, sideBySide } from './fuzz.ts'
import { commandFrom, messageFrom, rightStep, stepAfter } from './smtp-command-generator.ts'

export interface FuzzOptions {
  port: number
  seed: number
  /** Replies that the server is to have given, greetings not among them. */
  commands: number
  hangMs?: number
}

export interface FuzzReport {
  /** Commands and messages to which the server has replied. */
  answered: number
  sessions: number
  /** Replies by code. */
  replies: Map<number, number>
  /** Mails of which the client was told that they are queued. */
  accepted: number
}

const COMMANDS_A_SESSION = 40
const SESSIONS_AT_ONCE = 8
const REPLY = /^[2345]\d\d(?: |-|$)/
const LONGEST_REPLY = 510

/** @throws AssertionError naming what was said */
export async function fuzzSmtp({ port, seed, commands, hangMs = HANG_MS }: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { answered: 0, sessions: 0, replies: new Map(), accepted: 0 }
  await sideBySide(SESSIONS_AT_ONCE, async (index, isOver) => {
    const below = numbersFrom(seed * 1_000 + index)
    while (report.answered < commands && !isOver()) {
      const client = new Client(port, hangMs)
      await (below(5) === 0 ? shout(client, below) : speak(client, below))
      take(await client.closed(), report)
      report.sessions++
    }
  })
  return report
}

/** A session that waits for each reply; half of what it says is the step that is right. */
async function speak(client: Client, below: Numbers): Promise<void> {
  let code = await client.reply('the connection')
  let step = 0
  for (let i = 0; i < COMMANDS_A_SESSION && code !== undefined; i++) {
    const isMessage = code === 354
    const isRight = !isMessage && (i === 0 || below(2) === 0)
    const said = isMessage ? messageFrom(below) : isRight ? rightStep(step) : commandFrom(below)
    client.write(said)
    code = await client.reply(JSON.stringify(said.toString('latin1').slice(0, 300)))
    if (isRight) step = stepAfter(step, code)
    // A handshake that never comes.
    if (code === 220) break
  }
  client.end()
}

/** A session that sends all at once, cut anywhere. */
async function shout(client: Client, below: Numbers): Promise<void> {
  const octets = Buffer.concat(
    Array.from({ length: COMMANDS_A_SESSION }, () => (below(6) === 0 ? messageFrom(below) : commandFrom(below))),
  )
  for (let from = 0; from < octets.length; ) {
    const to = from + 1 + below(below(4) === 0 ? 10 : 2_000)
    client.write(octets.subarray(from, to))
    from = to
    if (below(4) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  if (below(20) === 0) client.cut()
  else client.end()
}

function take(text: string, report: FuzzReport): void {
  const lines = text.split('\r\n')
  // What a cut has left unfinished is no reply, but must be harmless, too.
  assertNoLeak(lines.pop()!, 'a session')
  let replies = 0
  for (const line of lines) {
    assert.match(line, REPLY)
    assertNoLeak(line, 'a session')
    assert.ok(line.length <= LONGEST_REPLY, `a reply of ${line.length} octets`)
    const code = Number(line.slice(0, 3))
    report.replies.set(code, (report.replies.get(code) ?? 0) + 1)
    if (line[3] !== '-') replies++
    if (line.includes('queued as')) report.accepted++
  }
  report.answered += Math.max(0, replies - 1)
}

class Client {
  readonly #socket: Socket
  #text = ''
  #read = 0
  #isClosed = false
  readonly #hangMs: number
  #wake = () => {}

  constructor(port: number, hangMs: number) {
    this.#hangMs = hangMs
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('error', () => this.#socket.destroy())
    this.#socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
    this.#socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1')
      this.#wake()
    })
  }

  write(octets: Buffer): void {
    this.#socket.write(octets)
  }

  end(): void {
    this.#socket.end()
  }

  cut(): void {
    this.#socket.destroy()
  }

  /** The code of the next whole reply; undefined when the session is over. */
  async reply(after: string): Promise<number | undefined> {
    const deadline = attentiveNow() + this.#hangMs
    for (;;) {
      const last = /^(\d{3})(?: [^\r\n]*)?\r\n/m.exec(this.#text.slice(this.#read))
      if (last !== null) {
        this.#read += last.index + last[0].length
        return Number(last[1])
      }
      if (this.#isClosed) return undefined
      await this.#more(deadline, after)
    }
  }

  /** All that the server has said, once it has closed; every silence on the way there is bounded. */
  async closed(): Promise<string> {
    while (!this.#isClosed) await this.#more(attentiveNow() + this.#hangMs, 'the end of the session')
    return this.#text
  }

  /** Waits for more, or for the end; while the machine gives us no turn, the deadline waits as well. */
  async #more(deadline: number, after: string): Promise<void> {
    for (let isWoken = false; !isWoken; ) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = () => {
        isWoken = true
        resolve()
      }
      const timer = setTimeout(resolve, Math.max(1, deadline - attentiveNow()))
      await promise
      clearTimeout(timer)
      assert.ok(attentiveNow() < deadline, `no reply within ${this.#hangMs} ms to ${after}`)
    }
  }
}
