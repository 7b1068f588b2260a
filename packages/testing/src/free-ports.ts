// Ports for servers that a test starts in other processes.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below what npm start and the kernel choose from, so that nobody takes one between choice and use.
const LOWEST = 10_000
const HIGHEST = 19_999

/** So many different ports on 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = randomInt(LOWEST, HIGHEST)
    if (!ports.has(port) && (await isFree(port))) ports.add(port)
  }
  return [...ports]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
