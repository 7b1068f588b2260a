// A clamd by script, for tests: it finds EICAR as the real one does, until it is told to misbehave.
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { eicar } from '@sekimori/testing/mail-text'

/** What it does with a command, or with content when that begins, or when it is there whole. True: this was all. */
export type Script = (event: 'command' | 'begin' | 'end', text: string, socket: Socket) => boolean

export interface FakeClamd extends AsyncDisposable {
  address: string
  /** Asked first at each event. */
  script: Script
  /** The answer to VERSION. */
  version: string
  /** Contents that came whole, tests of EICAR left out. */
  scanned: string[]
  connections: Set<Socket>
  /** Ends as a killed process does: every connection is reset, none is taken. */
  kill(): Promise<void>
  /** Listens again on the same port. */
  revive(): Promise<void>
}

const EICAR = [eicar(), Buffer.from(eicar()).toString('base64')]

/** Starts it on a port of the system's choice. */
export async function startFakeClamd(script: Script = () => false): Promise<FakeClamd> {
  const clamd = new ScriptedClamd(script)
  await clamd.revive()
  return clamd
}

class ScriptedClamd implements FakeClamd {
  script: Script
  version = 'ClamAV 1.4.6'
  scanned: string[] = []
  connections = new Set<Socket>()
  #port = 0
  #server: Server | undefined

  constructor(script: Script) {
    this.script = script
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`
  }

  async revive(): Promise<void> {
    this.#server = createServer({ noDelay: true }, (socket) => this.#take(socket))
    await once(this.#server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.connections) socket.resetAndDestroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  #take(socket: Socket): void {
    this.connections.add(socket)
    socket.on('close', () => this.connections.delete(socket))
    socket.on('error', () => {}) // a client that goes away is no trouble of the fake's
    let command: string | undefined
    let input: Buffer = Buffer.alloc(0)
    const content = new Content()
    socket.on('data', (octets: Buffer) => {
      input = Buffer.concat([input, octets])
      if (command === undefined) {
        const end = input.indexOf(0)
        if (end < 0) return
        command = input.subarray(1, end).toString()
        input = input.subarray(end + 1)
        if (command !== 'INSTREAM') this.#answer(command, socket)
      }
      if (command === 'INSTREAM') input = content.take(input, (event) => this.#scan(event, content.text, socket))
    })
  }

  #answer(command: string, socket: Socket): void {
    if (this.script('command', command, socket)) return
    socket.end(`${command === 'VERSION' ? this.version : 'UNKNOWN COMMAND'}\0`)
  }

  #scan(event: 'begin' | 'end', text: string, socket: Socket): void {
    const isSelfTest = EICAR.some((form) => text.includes(form))
    if (event === 'end' && !isSelfTest) this.scanned.push(text)
    if (this.script(event, text, socket) || event === 'begin') return
    socket.end(isSelfTest ? 'stream: Eicar-Test-Signature FOUND\0' : 'stream: OK\0')
  }
}

/** The chunks of one INSTREAM. */
class Content {
  text = ''
  #isBegun = false

  /** Takes the whole chunks of the input; the rest is returned. */
  take(input: Buffer, tell: (event: 'begin' | 'end') => void): Buffer {
    let rest = input
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const length = rest.readUInt32BE()
      this.text += rest.subarray(4, 4 + length).toString('latin1')
      rest = rest.subarray(4 + length)
      if (!this.#isBegun) tell('begin')
      this.#isBegun = true
      if (length === 0) tell('end')
    }
    return rest
  }
}
