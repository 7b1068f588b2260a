// A client of Marionette, the remote control that Mozilla's programs have built in: JSON after its length, over TCP.
// https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
import { once } from 'node:events'
import net from 'node:net'

/** A command without an answer after this long is lost. */
const TIMEOUT_MS = 120_000

type Answer = [type: 1, id: number, error: { message: string; stacktrace: string } | null, value: unknown]

export class Marionette implements Disposable {
  readonly #socket: net.Socket
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #received: Buffer = Buffer.alloc(0)
  #lastId = 0

  /** Connects, and opens a session whose scripts have the rights of the program itself. */
  static async open(port: number): Promise<Marionette> {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    const marionette = new Marionette(socket)
    await marionette.say('WebDriver:NewSession', { timeouts: { script: TIMEOUT_MS } })
    await marionette.say('Marionette:SetContext', { value: 'chrome' })
    return marionette
  }

  constructor(socket: net.Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the program has closed the connection')))
  }

  /** Runs a function inside of the program: it can use nothing but its arguments and what the program itself has. */
  async run<Arguments extends unknown[], Result>(
    body: (...given: Arguments) => Result | Promise<Result>,
    ...given: Arguments
  ): Promise<Result> {
    const script = `const done = arguments[arguments.length - 1]
      const run = async (...given) => (${body})(...given)
      run(...[...arguments].slice(0, -1)).then(
        (value) => done({ value }),
        (error) => done({ error: [error, error?.stack].join(' ') }),
      )`
    const answer = await this.say('WebDriver:ExecuteAsyncScript', { script, args: given, sandbox: 'system' })
    const { value: outcome } = answer as { value: { value: Result; error?: string } | null }
    if (outcome === null) throw new Error('a dialog has opened in the program')
    if (outcome.error !== undefined) throw new Error(`in the program: ${outcome.error}`)
    return outcome.value
  }

  /** One command and its answer. @throws Error with what the program says of a failure */
  async say(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const id = ++this.#lastId
    const message = Buffer.from(JSON.stringify([0, id, command, parameters]))
    const answer = Promise.withResolvers<unknown>()
    this.#waiting.set(id, answer)
    const timer = setTimeout(() => answer.reject(new Error(`no answer to ${command}`)), 2 * TIMEOUT_MS)
    this.#socket.write(Buffer.concat([Buffer.from(`${message.length}:`), message]))
    try {
      return await answer.promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    for (;;) {
      const colon = this.#received.indexOf(':')
      const end = colon + 1 + Number(this.#received.toString('latin1', 0, colon))
      if (colon < 0 || this.#received.length < end) return
      this.#take(JSON.parse(this.#received.toString('utf8', colon + 1, end)))
      this.#received = this.#received.subarray(end)
    }
  }

  /** The first message is a greeting, all others are answers. */
  #take(message: Answer | Record<string, unknown>): void {
    if (!Array.isArray(message)) return
    const [, id, error, value] = message as Answer
    if (error === null) this.#waiting.get(id)?.resolve(value)
    else this.#waiting.get(id)?.reject(new Error(`${error.message}\n${error.stacktrace}`))
  }

  #fail(cause: Error): void {
    for (const { reject } of this.#waiting.values()) reject(cause)
  }
}
