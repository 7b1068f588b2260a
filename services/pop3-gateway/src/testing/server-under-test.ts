// A POP3 server on free ports whose outside world is object literals.
import { createSecureContext } from 'node:tls'
import type { SessionLog } from '../conversation.ts'
import type { Maildrop, Ports } from '../ports.ts'
import { Pop3Server, type ServerSettings } from '../server.ts'
import { certificate, privateKey } from './certificate.ts'

const secureContext = createSecureContext({ cert: certificate, key: privateKey })

export interface ServerUnderTest extends AsyncDisposable {
  server: Pop3Server
  pop3Port: number
  pop3sPort: number
  /** What the server logged: the facts and the text of each line. */
  logged: { level: string; facts: object; text: string }[]
}

/** Starts a server; what a test doesn't say is as in production, but on ports of its own. */
export async function startServer(ports: Ports, settings: Partial<ServerSettings> = {}): Promise<ServerUnderTest> {
  const logged: ServerUnderTest['logged'] = []
  const log: SessionLog = {
    info: (facts, text) => void logged.push({ level: 'info', facts, text }),
    error: (facts, text) => void logged.push({ level: 'error', facts, text }),
  }
  const server = new Pop3Server(
    {
      host: '127.0.0.1',
      pop3Port: 0,
      pop3sPort: 0,
      allowsPlaintextAuth: false,
      secureContext: () => secureContext,
      idleTimeoutMs: 600_000,
      handshakeTimeoutMs: 60_000,
      loginTimeoutMs: 180_000,
      preferredLanguage: 'ja',
      maxSessions: 100,
      isBalancer: () => false,
      drainTimeoutMs: 2_000,
      ...settings,
    },
    ports,
    log,
  )
  return { server, logged, ...(await server.listen()), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

/** Takes everybody in. */
export const openDoor: Ports['admission'] = { admit: () => undefined, leave: () => {} }

/** A world with one account (bob@example.test, "secret") and one maildrop. */
export function portsWith(maildrop: Maildrop): Ports {
  return {
    admission: openDoor,
    login: async (address, password) =>
      address === 'bob@example.test' && password === 'secret'
        ? { kind: 'ok', account: { id: 7, address } }
        : { kind: 'refused' },
    openMaildrop: async () => ({ kind: 'open', maildrop }),
  }
}

export interface MaildropUnderTest extends Maildrop {
  removed: number[]
  closed: number
}

/** A maildrop of these messages; uids count up from 101. */
export function maildropOf(texts: string[], changes: Partial<Maildrop> = {}): MaildropUnderTest {
  const maildrop: MaildropUnderTest = {
    messages: texts.map((text, index) => ({ uid: 101 + index, sizeBytes: Buffer.byteLength(text) })),
    lost: new AbortController().signal,
    async *read(uid) {
      yield Buffer.from(texts[uid - 101]!)
    },
    remove: async (uids) => {
      maildrop.removed.push(...uids)
      return { kind: 'removed' }
    },
    [Symbol.asyncDispose]: async () => {
      maildrop.closed += 1
    },
    removed: [],
    closed: 0,
    ...changes,
  }
  return maildrop
}

/** Waits until the condition holds. */
export async function eventually(isTrue: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`never happened: ${what}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
