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

// Each process takes its ports in a row from a place of its own: two that start at the same time would otherwise choose,
// of the few dozen that they need, now and then the same one before either listens on it.
let next = randomInt(LOWEST, HIGHEST)

/** A port that nobody listens on now, and that is not among `taken`. */
export async function findFreePort(taken: ReadonlySet<number> = new Set(), host = '127.0.0.1'): Promise<number> {
  for (let attempt = LOWEST; attempt < HIGHEST; attempt++) {
    const port = next
    next = port + 1 < HIGHEST ? port + 1 : LOWEST
    if (!taken.has(port) && (await bindFault(host, port)) === undefined) return port
  }
  throw new Error(`No free port between ${LOWEST} and ${HIGHEST} on ${host}`)
}
