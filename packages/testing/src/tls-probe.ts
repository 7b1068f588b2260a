// The client's side of TLS on any of the listeners: from the first octet, or after STARTTLS or STLS.
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { settled } from './deadline.ts'
import type { Endpoint } from './line-socket.ts'

export const tlsListeners = ['submission', 'smtps', 'mx', 'pop3', 'pop3s'] as const
export type TlsListener = (typeof tlsListeners)[number]

const TIMEOUT_MS = 20_000

/** Connects and negotiates. @throws Error when no TLS session comes about */
export async function startClientTls(
  endpoints: Record<TlsListener, Endpoint>,
  listener: TlsListener,
  options: ConnectionOptions,
): Promise<TLSSocket> {
  const socket = connectTcp({ ...endpoints[listener], noDelay: true })
  try {
    if (listener === 'submission' || listener === 'mx')
      await askForTls(socket, /^220 /m, 'EHLO client.example', 'STARTTLS')
    if (listener === 'pop3') await askForTls(socket, /^\+OK/m, 'STLS')
    const secure = connect({ ...options, socket })
    await settled(once(secure, 'secureConnect'), TIMEOUT_MS, 'the TLS handshake', secure)
    return secure
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** Says each line once the reply before it is in. */
async function askForTls(socket: Socket, greeting: RegExp, ...lines: string[]): Promise<void> {
  await reply(socket, greeting)
  for (const line of lines) {
    socket.write(`${line}\r\n`)
    await reply(socket, /^(?:\d{3} |\+OK)/m)
  }
}

async function reply(socket: Socket, end: RegExp): Promise<void> {
  let text = ''
  while (!end.test(text)) {
    const [chunk] = (await settled(once(socket, 'data'), TIMEOUT_MS, 'a reply', socket)) as [Buffer]
    text += chunk.toString('latin1')
  }
}
