// One question over a TCP connection of its own, for answers that no datagram holds (RFC 7766).
import { randomInt } from 'node:crypto'
import net from 'node:net'
import { DnsError } from './dns-error.ts'
import { type Question, type Reading, readMessage, withId } from './message.ts'
import type { ServerAddress } from './server-address.ts'

/**
 * Asks over TCP; resolves to the server's message.
 * @throws DnsError ETIMEOUT, ECONNREFUSED (unreachable or cut off), ECANCELLED (by `signal`).
 */
export async function askOverTcp(
  server: ServerAddress,
  question: Question,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Reading> {
  const id = randomInt(0x1_0000)
  const deadline = AbortSignal.timeout(timeoutMs)
  const socket = net.connect({ ...server, noDelay: true, signal: AbortSignal.any([signal, deadline]) })
  try {
    const bytes = withId(question, id)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    socket.write(Buffer.concat([length, bytes]))
    return readMessage(await readFramed(socket), question, id)
  } catch (cause) {
    const code = signal.aborted ? 'ECANCELLED' : deadline.aborted ? 'ETIMEOUT' : 'ECONNREFUSED'
    throw new DnsError(code, question.name, question.type, { cause })
  } finally {
    socket.destroy()
  }
}

/** Reads one message that its length in two bytes precedes. */
async function readFramed(socket: net.Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  let wantedBytes = 2
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    sizeBytes += chunk.length
    if (sizeBytes < wantedBytes) continue
    const received = Buffer.concat(chunks)
    wantedBytes = 2 + received.readUInt16BE(0)
    if (sizeBytes >= wantedBytes) return received.subarray(2, wantedBytes)
  }
  throw new Error('the server closed the connection before its answer was complete')
}
