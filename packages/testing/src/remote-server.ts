// A remote SMTP server for tests: takes and records mail on a real socket, and fails as the test's script says.
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { ConnectionClosed, LineSocket } from './line-socket.ts'
import { Script, type ScriptedReply, type Step } from './remote-server-script.ts'
import { type ReceivedMail, RemoteSession, type SessionPorts } from './remote-server-session.ts'

export interface RemoteServerOptions {
  /** Default: one that is free. */
  port?: number
  /** Default 127.0.0.1; several servers can share a port on 127.0.0.2, 127.0.0.3, … */
  host?: string
  /** Name in the greeting; default remote.test. */
  hostname?: string
  replies?: ScriptedReply[]
  /** PEM; with it STARTTLS is offered. */
  certificate?: { cert: string; key: string }
  /** What goes wrong at a step that no reply of the script is for. */
  fails?: (at: Step) => string | undefined
  /** Offered beside 8BITMIME and SMTPUTF8. */
  extensions?: string[]
  /** What of these two is not offered. */
  without?: ('8BITMIME' | 'SMTPUTF8')[]
}

const COMMON = ['8BITMIME', 'SMTPUTF8'] as const

const IDLE_MS = 300_000

/** Starts a server that takes every mail, except as `replies` say. */
export async function startRemoteServer(options: RemoteServerOptions = {}): Promise<RemoteServer> {
  const server = new RemoteServer(options)
  await server.listen(options.port ?? 0, options.host ?? '127.0.0.1')
  return server
}

class RemoteServer implements AsyncDisposable {
  /** Every mail that was answered with 2xx, in order. */
  readonly mails: ReceivedMail[] = []
  /** Every command line of every session, in order. */
  readonly commands: string[] = []
  /** What ended a session other than QUIT, script or hang-up: a failed TLS handshake, for one. */
  readonly errors: Error[] = []
  readonly #script: Script
  readonly #listener = net.createServer({ noDelay: true })
  readonly #sockets = new Set<LineSocket>()
  readonly #watchers = new Set<() => void>()

  constructor(options: RemoteServerOptions) {
    this.#script = new Script(options.fails)
    for (const reply of options.replies ?? []) this.#script.add(reply)
    const ports: SessionPorts = {
      hostname: options.hostname ?? 'remote.test',
      script: this.#script,
      certificate: options.certificate,
      extensions: [...COMMON.filter((name) => !options.without?.includes(name)), ...(options.extensions ?? [])],
      onCommand: (line) => this.commands.push(line),
      onMail: (mail) => {
        this.mails.push(mail)
        for (const look of this.#watchers) look()
      },
    }
    this.#listener.on('connection', (socket) => this.#converse(new LineSocket(socket, IDLE_MS), ports))
  }

  async listen(port: number, host: string): Promise<void> {
    this.#listener.listen(port, host)
    await once(this.#listener, 'listening')
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  get host(): string {
    return (this.#listener.address() as AddressInfo).address
  }

  /** Adds a rule behind those there are. */
  script(reply: ScriptedReply): void {
    this.#script.add(reply)
  }

  /** The replies of the script that were used, in order: what a test waits for that wants the server to be at that point. */
  get scripted(): string[] {
    return this.#script.used.map(({ reply }) => reply)
  }

  /** Forgets every rule: from now on all mail is taken. */
  unscript(): void {
    this.#script.clear()
  }

  /** Waits for the first mail, received already or to come, that fits. */
  async received(fits: (mail: ReceivedMail) => boolean = () => true, timeoutMs = 60_000): Promise<ReceivedMail> {
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedMail>()
    const look = () => {
      const mail = this.mails.find(fits)
      if (mail !== undefined) resolve(mail)
    }
    const timer = setTimeout(() => reject(new Error(this.#describeMiss(timeoutMs))), timeoutMs)
    this.#watchers.add(look)
    look()
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#watchers.delete(look)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    await Promise.all([...this.#sockets].map((socket) => socket.close()))
    await closed
  }

  async #converse(socket: LineSocket, ports: SessionPorts): Promise<void> {
    this.#sockets.add(socket)
    try {
      await new RemoteSession(socket, ports).run()
      await socket.end()
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) this.errors.push(error as Error)
    } finally {
      await socket.close()
      this.#sockets.delete(socket)
    }
  }

  #describeMiss(timeoutMs: number): string {
    const seen = this.mails.map(({ mailFrom, recipients }) => `<${mailFrom}> to ${recipients.join(', ')}`)
    const said = this.commands.slice(-5).join(' / ')
    return `no such mail in ${timeoutMs} ms; received: ${seen.join('; ') || 'none'}; last commands: ${said || 'none'}`
  }
}

export type { ReceivedMail, RemoteServer, ScriptedReply }
