// A TLS server that shows certificates, and what a client of it sees.
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type ConnectionOptions, connect, TLSSocket } from 'node:tls'
import type { Certificates } from '../certificates.ts'

/** A server that echoes, with these certificates. */
export async function serve({ contextFor }: Certificates): Promise<{ port: number } & AsyncDisposable> {
  const sockets = new Set<TLSSocket>()
  const server: Server = createServer((socket) => {
    const secure: TLSSocket = new TLSSocket(socket, {
      isServer: true,
      secureContext: contextFor(),
      SNICallback: (name, callback) => callback(null, contextFor(name, secure)),
    })
    sockets.add(secure)
    secure.on('error', () => secure.destroy())
    secure.pipe(secure)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** The names of the certificate that a client is shown, and the kind of its key. */
export async function shown(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = await dial(port, options)
  const certificate = socket.getPeerX509Certificate()!
  socket.destroy()
  return `${certificate.publicKey.asymmetricKeyType} ${certificate.subjectAltName}`
}
