// Ports for servers that a test starts in other processes.
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below what npm start and the kernel choose from, so that nobody takes one between choice and use.
const LOWEST = 10_000
const HIGHEST = 19_999

// In a row from a place of each process's own: chosen one by one, two processes would now and then choose the same one.
let next = randomInt(LOWEST, HIGHEST)

/** So many different ports on 127.0.0.1 that nobody listens on. */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = next
    next = port < HIGHEST ? port + 1 : LOWEST
    if (await isFree(port)) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)))
  })
}
