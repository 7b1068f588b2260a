// Commands to clamd over its socket (clamd(8)): one connection each.
import { connect } from 'node:net'

const TIMEOUT_MS = 5_000

/** Sends a command such as PING or RELOAD and returns the answer's text. */
export function askClamd(socketPath: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect({ path: socketPath, timeout: TIMEOUT_MS }, () => socket.write(`z${command}\0`))
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.on('end', () => resolve(Buffer.concat(chunks).toString().replace(/\0$/, '')))
    socket.on('timeout', () => socket.destroy(new Error(`clamd did not answer ${command} within ${TIMEOUT_MS} ms`)))
    socket.on('error', reject)
  })
}

/** Whether clamd has its signatures loaded and takes commands. */
export async function isClamdReady(socketPath: string): Promise<boolean> {
  try {
    return (await askClamd(socketPath, 'PING')) === 'PONG'
  } catch {
    // Not there yet; the caller watches the time.
    return false
  }
}
