// So many failing logins a second, each from another network and at another account: the worst case, as no limit by
// network stops it.
import { connect as connectTcp } from 'node:net'
import { connect } from 'node:tls'

/** As many as an SMTP session takes before it is ended. */
const LOGINS_A_SESSION = 5

export class LoginFlood implements AsyncDisposable {
  /** How many got which reply code. */
  readonly answers: Record<string, number> = {}
  readonly #target: { host: string; port: number }
  readonly #start = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #open = new Set<Promise<void>>()
  #begun = 0

  constructor(target: { host: string; port: number }, perSecond: number) {
    this.#target = target
    this.#timer = setInterval(() => this.#begin(), (1_000 * LOGINS_A_SESSION) / perSecond)
  }

  /** Answered logins a second, up to now. */
  rate(): number {
    const answered = Object.values(this.answers).reduce((sum, count) => sum + count, 0)
    return answered / ((performance.now() - this.#start) / 1_000)
  }

  #begin(): void {
    const session = this.#attack(++this.#begun)
    this.#open.add(session)
    void session.finally(() => this.#open.delete(session))
  }

  #attack(index: number): Promise<void> {
    const localAddress = `127.${1 + (index >> 16)}.${(index >> 8) & 255}.${1 + (index & 127)}`
    const transport = connectTcp({ ...this.#target, localAddress })
    transport.on('error', () => transport.destroy())
    const socket = connect({ socket: transport, rejectUnauthorized: false })
    let said = 0
    socket.on('data', (chunk: Buffer) => {
      const code = /^(\d{3}) /m.exec(chunk.toString('latin1'))?.[1]
      if (code === undefined) return
      if (code === '535' || code === '454') this.answers[code] = (this.answers[code] ?? 0) + 1
      if (said > LOGINS_A_SESSION) return void socket.end()
      const token = Buffer.from(`\0nobody-${index}-${said}@example.test\0guess`).toString('base64')
      socket.write(said++ === 0 ? 'EHLO flood.example\r\n' : `AUTH PLAIN ${token}\r\n`)
    })
    return new Promise((resolve) => socket.on('error', () => socket.destroy()).once('close', () => resolve()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#open)
  }
}
