// The listening port, and its orderly end: requests in hand get their answers, then connections close.
import type { FastifyInstance } from 'fastify'

const SWEEP_MS = 50

export interface ListenSettings {
  host: string
  /** 0 lets the system choose. */
  port: number
  /** How long disposing waits for requests in hand before it cuts them. */
  drainTimeoutMs: number
}

export interface HttpListener extends AsyncDisposable {
  port: number
}

/** Listens; disposing it takes no new connection and waits for the requests that it has. */
export async function listenHttp(app: FastifyInstance, settings: ListenSettings): Promise<HttpListener> {
  await app.listen({ host: settings.host, port: settings.port })
  const { port } = app.server.address() as { port: number }
  app.log.info({ port }, 'listening')
  return {
    port,
    async [Symbol.asyncDispose]() {
      // Closing ends the connections that are idle now; those that are answered later would be kept for a next request.
      const sweep = setInterval(() => app.server.closeIdleConnections(), SWEEP_MS)
      const cut = setTimeout(() => app.server.closeAllConnections(), settings.drainTimeoutMs)
      await app.close()
      clearInterval(sweep)
      clearTimeout(cut)
    },
  }
}
