// clamd over its socket (clamd(8), INSTREAM): one connection a scan, so that a scan never meets another one's trouble.
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { DependencyAway } from '@sekimori/runtime/dependency'

export const CLAMD = 'clamd'

/** clamd works and yet says nothing of this one content: an attempt that failed, not a server that is away. */
export class NoVerdict extends Error {
  override name = 'NoVerdict'
}

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
  const source: Source = { content, isSent: false, fault: undefined }
  try {
    await Promise.race([reply, send(socket, command, source)])
    const text = await reply
    if (!source.isSent && text.endsWith('OK')) throw new Error('called content clean that it has not seen to its end')
    return text
  } catch (cause) {
    // Trouble with reading the content is not clamd's.
    throw source.fault === undefined ? new DependencyAway(CLAMD, { cause }) : source.fault.cause
  } finally {
    socket.destroy()
  }
}

interface Source {
  content: AsyncIterable<Buffer> | undefined
  isSent: boolean
  /** Why the content could not be read. */
  fault: { cause: unknown } | undefined
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

async function send(socket: Socket, command: string, source: Source): Promise<void> {
  socket.write(`z${command}\0`)
  for await (const chunk of chunksOf(source)) {
    await sendChunk(socket, chunk)
    if (socket.destroyed) return // clamd has answered, or is gone: the race is over
  }
  if (source.content !== undefined) socket.write(Buffer.alloc(4))
  source.isSent = true
}

async function* chunksOf(source: Source): AsyncIterable<Buffer> {
  if (source.content === undefined) return
  try {
    for await (const bytes of source.content)
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES)
  } catch (cause) {
    source.fault = { cause }
    throw cause
  }
}

async function sendChunk(socket: Socket, bytes: Buffer): Promise<void> {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  socket.cork()
  socket.write(length)
  const hasRoom = socket.write(bytes)
  socket.uncork()
  if (hasRoom || socket.destroyed) return
  await new Promise<void>((resolve) => {
    const proceed = () => {
      socket.off('drain', proceed)
      socket.off('close', proceed)
      resolve()
    }
    socket.on('drain', proceed)
    socket.on('close', proceed)
  })
}
