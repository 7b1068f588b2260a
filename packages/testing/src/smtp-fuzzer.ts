// Sessions of random SMTP against a listener: some wait for each reply, some send everything in pieces. Whatever is said,
// each reply is one, comes in time, and tells nothing of the inside.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { commandFrom, messageFrom, type Numbers, numbersFrom } from './smtp-command-generator.ts'

export interface FuzzOptions {
  port: number
  seed: number
  commands: number
}

export interface FuzzReport {
  /** Replies by code. */
  replies: Map<number, number>
  /** Mails of which the client was told that they are queued. */
  accepted: number
}

const COMMANDS_A_SESSION = 40
const SESSIONS_AT_ONCE = 8
/** A reply, or the end of a session, that takes longer is a hang. */
const HANG_MS = 10_000
const REPLY = /^[2345]\d\d(?: |-|$)/
const LEAK =
  /node:|\.[jt]s\b|\/src\/|\bat \S+ \(|Error:(?! )|TypeError|undefined|\[object|NaN|select |smtp-server|Node\.js|v\d+\.\d+\.\d+/
const LONGEST_REPLY = 510

/** @throws AssertionError naming what was said */
export async function fuzzSmtp({ port, seed, commands }: FuzzOptions): Promise<FuzzReport> {
  const report: FuzzReport = { replies: new Map(), accepted: 0 }
  let started = 0
  const worker = async (index: number) => {
    const below = numbersFrom(seed * 1_000 + index)
    while (started < commands) {
      started += COMMANDS_A_SESSION
      await (below(5) === 0 ? shouted(port, below, report) : spoken(port, below, report))
    }
  }
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, (_, index) => worker(index)))
  return report
}

/** A session that waits for each reply. */
async function spoken(port: number, below: Numbers, report: FuzzReport): Promise<void> {
  const client = new Client(port)
  let code = await client.reply('the connection')
  for (let i = 0; i < COMMANDS_A_SESSION && code !== undefined; i++) {
    const isMessage = code === 354
    const said = isMessage ? messageFrom(below) : i === 0 ? Buffer.from('EHLO fuzz.test\r\n') : commandFrom(below)
    client.write(said)
    code = await client.reply(JSON.stringify(said.toString('latin1').slice(0, 300)))
    // A handshake that never comes.
    if (code === 220) break
  }
  client.end()
  take(await client.closed(), report)
}

/** A session that sends all at once, cut anywhere. */
async function shouted(port: number, below: Numbers, report: FuzzReport): Promise<void> {
  const client = new Client(port)
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
  take(await client.closed(), report)
}

function take(text: string, report: FuzzReport): void {
  const lines = text.split('\r\n')
  if (lines.pop() !== '') return
  for (const line of lines) {
    assert.match(line, REPLY)
    assert.doesNotMatch(line, LEAK)
    assert.ok(line.length <= LONGEST_REPLY, `a reply of ${line.length} octets`)
    const code = Number(line.slice(0, 3))
    report.replies.set(code, (report.replies.get(code) ?? 0) + 1)
    if (line.includes('queued as')) report.accepted++
  }
}

class Client {
  readonly #socket: Socket
  readonly #closed: Promise<unknown>
  #text = ''
  #read = 0
  #isClosed = false
  #wake = () => {}

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#closed = new Promise((resolve) => this.#socket.once('close', resolve))
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
    const deadline = Date.now() + HANG_MS
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

  async closed(): Promise<string> {
    const timer = setTimeout(() => this.#socket.destroy(new Error('hang')), HANG_MS)
    const since = Date.now()
    await this.#closed
    clearTimeout(timer)
    assert.ok(Date.now() - since < HANG_MS, 'a session does not end')
    return this.#text
  }

  async #more(deadline: number, after: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()))
    await promise
    clearTimeout(timer)
    assert.ok(Date.now() < deadline, `no reply within ${HANG_MS} ms to ${after}`)
  }
}
