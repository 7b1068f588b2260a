// Ports: is one free, and which one may a private server take.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range that the kernel hands out to outgoing connections, so that a port stays free between runs.
const LOWEST = 20_000
const HIGHEST = 32_000

/** The reason why a listener can't bind there (`EADDRINUSE`, `EACCES`, …), or undefined when it can. */
export function bindFault(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)))
  })
}

/** A port that nobody listens on now, and that is not among `taken`. */
export async function findFreePort(taken: ReadonlySet<number> = new Set(), host = '127.0.0.1'): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const port = randomInt(LOWEST, HIGHEST)
    if (!taken.has(port) && (await bindFault(host, port)) === undefined) return port
  }
  throw new Error(`No free port between ${LOWEST} and ${HIGHEST} on ${host}`)
}
