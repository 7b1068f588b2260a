// clamd over its socket (clamd(8), INSTREAM): one connection a question, so that a scan never meets another one's trouble.
import { once } from 'node:events'
import { connect, type NetConnectOpts, type Socket } from 'node:net'
import { DependencyAway } from '@sekimori/runtime/dependency'

export const CLAMD = 'clamd'

/** One write to clamd; larger inline mail is cut into several. */
const CHUNK_BYTES = 1_048_576
/** Replies are one line; more than this is no clamd. */
const REPLY_MAX_BYTES = 4_096
/** How much of a useless reply is shown in logs. */
const SHOWN_MAX_LENGTH = 200
const CONNECT_TIMEOUT_MS = 5_000

/** clamd gave no answer that can be used. */
export class ClamdFault extends Error {
  override name = 'ClamdFault'
}

/** Clamds that pass their self-test gave no verdict on this one content: an attempt that failed, not a server that is away. */
export class NoVerdict extends Error {
  override name = 'NoVerdict'
}

export interface Question {
  address: NetConnectOpts
  command: string
  /** Longest time for the whole exchange, however busy the connection is. */
  timeoutMs: number
  /** Sent after INSTREAM. */
  content?: AsyncIterable<Buffer>
  /** Ends the exchange when it aborts. */
  signal?: AbortSignal
}

/** Where clamd listens: a path, or host:port. @throws Error when the text is neither */
export function clamdAddress(text: string): NetConnectOpts {
  if (text.startsWith('/')) return { path: text }
  const colon = text.lastIndexOf(':')
  const port = Number(text.slice(colon + 1))
  if (colon < 1 || !(Number.isInteger(port) && port > 0 && port < 65_536))
    throw new Error(`${text} is neither the path of a socket nor host:port`)
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port, noDelay: true }
}

/**
 * Asks clamd; resolves to its reply. Before all of the content was sent that can be an error only.
 * @throws ClamdFault when there is none; DependencyAway('content') when the content took too long; what reading the content throws
 */
export async function askClamd(question: Question): Promise<string> {
  const socket = connect(question.address)
  const progress: Progress = { stage: 'clamd', isSent: false }
  const over = new AbortController()
  using _limits = limitTime(socket, question, progress)
  const reply = readReply(socket, progress)
  try {
    await Promise.race([reply, send(socket, question, progress, over.signal)])
    return await reply
  } catch (cause) {
    if (cause instanceof ContentFailure) throw cause.cause
    if (cause instanceof DependencyAway) throw cause
    throw new ClamdFault((cause as Error).message, { cause })
  } finally {
    over.abort()
    socket.destroy()
  }
}

interface Progress {
  /** Who is waited for. */
  stage: 'clamd' | 'content'
  /** Whether the question was sent whole: an answer before that is no verdict on it. */
  isSent: boolean
}

/** Reading the content failed, which is no fault of clamd's. */
class ContentFailure extends Error {}

/** Idle time would not do: who sends an octet now and then could hold a scan for ever. */
function limitTime(socket: Socket, { timeoutMs, signal }: Question, progress: Progress): Disposable {
  const end = (reason: Error) => socket.destroy(reason)
  const whole = setTimeout(() => {
    const late = new Error(`no answer within ${timeoutMs} ms`)
    end(progress.stage === 'content' ? new DependencyAway('content', { cause: late }) : late)
  }, timeoutMs)
  const connecting = setTimeout(() => {
    if (socket.connecting) end(new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
  }, CONNECT_TIMEOUT_MS)
  const abandon = () => end(signal!.reason)
  signal?.addEventListener('abort', abandon)
  if (signal?.aborted) abandon()
  return {
    [Symbol.dispose]() {
      clearTimeout(whole)
      clearTimeout(connecting)
      signal?.removeEventListener('abort', abandon)
    },
  }
}

async function readReply(socket: Socket, progress: Progress): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    const end = text.indexOf('\0')
    if (text.length > REPLY_MAX_BYTES || (end >= 0 && end < text.length - 1))
      reject(new Error(`the answer is not one of clamd: ${shown(text)}`))
    else if (end >= 0 && !progress.isSent && !text.endsWith('ERROR\0'))
      reject(new Error(`an answer before the whole question was sent: ${shown(text)}`))
    else if (end >= 0) resolve(text.slice(0, end))
  })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('closed the connection without an answer')))
  promise.catch(() => {}) // a failure is met where the reply is awaited, which may be after it happened
  return promise
}

/** The reply in print: a line of bearable length. */
export function shown(reply: string): string {
  return reply.slice(0, SHOWN_MAX_LENGTH).replace(/[^ -~]/g, '?')
}

async function send(socket: Socket, question: Question, progress: Progress, over: AbortSignal): Promise<void> {
  socket.write(`z${question.command}\0`)
  if (question.content === undefined) {
    progress.isSent = true
    return
  }
  progress.stage = 'content'
  try {
    for await (const bytes of question.content) {
      progress.stage = 'clamd'
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
        await sendChunk(socket, bytes.subarray(at, at + CHUNK_BYTES), over)
      progress.stage = 'content'
    }
  } catch (cause) {
    throw progress.stage === 'content' ? new ContentFailure('content', { cause }) : cause
  }
  progress.stage = 'clamd'
  progress.isSent = true
  socket.write(Buffer.alloc(4))
}

async function sendChunk(socket: Socket, bytes: Buffer, over: AbortSignal): Promise<void> {
  over.throwIfAborted()
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  socket.cork()
  socket.write(length)
  const hasRoom = socket.write(bytes)
  socket.uncork()
  if (!hasRoom) await once(socket, 'drain', { signal: over })
}
