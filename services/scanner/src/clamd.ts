// clamd over its socket (clamd(8), INSTREAM): one connection a scan, so that a scan never meets another one's trouble.
import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { ContentGone } from '@sekimori/store/content'

export const CLAMD = 'clamd'

/** One write to clamd; larger inline mail is cut into several. */
const CHUNK_BYTES = 1_048_576
/** Replies are one line; more than this is no clamd. */
const REPLY_MAX_BYTES = 4_096

/** Where clamd listens: a path, or host:port. */
export function clamdAddress(text: string): NetConnectOpts {
  if (text.startsWith('/')) return { path: text }
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port)) throw new Error('CLAMD_ADDRESS must be the path of a socket or host:port')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port, noDelay: true }
}

/** Sends a command, and for INSTREAM the content after it; resolves to the reply. @throws DependencyAway */
export async function askClamd(
  address: NetConnectOpts,
  command: string,
  timeoutMs: number,
  content?: AsyncIterable<Buffer>,
): Promise<string> {
  const socket = connect(address)
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  const reply = readLine(socket)
  try {
    await Promise.race([reply, send(socket, command, content)])
    return await reply
  } catch (cause) {
    // Trouble with reading the content is not clamd's.
    if (cause instanceof DependencyAway || cause instanceof ContentGone) throw cause
    throw new DependencyAway(CLAMD, { cause })
  } finally {
    socket.destroy()
  }
}

async function readLine(socket: Socket): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\0')
    if (end >= 0) resolve(text.slice(0, end))
    else if (text.length > REPLY_MAX_BYTES) reject(new Error('the answer is not one of clamd'))
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('closed the connection without an answer')))
  promise.catch(() => {}) // a failure is met where the reply is awaited, which may be after it happened
  return promise
}

async function send(socket: Socket, command: string, content: AsyncIterable<Buffer> | undefined): Promise<void> {
  socket.write(`z${command}\0`)
  if (content === undefined) return
  for await (const bytes of content) {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) await sendChunk(socket, bytes.subarray(at, at + CHUNK_BYTES))
  }
  socket.write(Buffer.alloc(4))
}

async function sendChunk(socket: Socket, bytes: Buffer): Promise<void> {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  socket.cork()
  socket.write(length)
  const hasRoom = socket.write(bytes)
  socket.uncork()
  if (!hasRoom) await once(socket, 'drain')
}
