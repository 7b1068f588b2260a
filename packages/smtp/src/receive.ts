// Takes a mail in from a DATA stream: small mail into memory, large mail chunk by chunk into the content store.
import type { Content } from '@sekimori/mail/content'
import { type HeaderField, parseHeader } from '@sekimori/mail/header'
import type { SMTPServerDataStream } from 'smtp-server'
import type { LineFault } from './dot-decoder.ts'
import { lineFaultOf } from './input.ts'
import { SmtpReply } from './reply.ts'

/** More header than this is no mail but an attack (RFC 5321 sets no limit; common servers take 100 to 250 KB). */
const HEADER_MAX_BYTES = 262_144

export interface ReceiveOptions {
  maxMessageBytes: number
  inlineMaxBytes: number
  /** Looks at the header section and gives the one to keep; may throw an SmtpReply. */
  repair: (head: Buffer, fields: HeaderField[]) => Buffer
  /** Stores large content; resolves to its size when it is committed. */
  store: (input: AsyncIterable<Buffer>) => Promise<{ id: string; sizeBytes: number }>
}

/**
 * Reads the stream to its end. @throws SmtpReply for a mail that is refused; in that case nothing is kept. The rest of
 * a refused mail is read and dropped, as the client expects its reply after the final dot.
 */
export async function receiveMail(stream: SMTPServerDataStream, options: ReceiveOptions): Promise<Content> {
  const chunks = limited(stream, options)
  try {
    const { parts, isEnd } = await fill(chunks, options.inlineMaxBytes)
    if (isEnd) return { kind: 'inline', bytes: parts.length === 1 ? parts[0]! : Buffer.concat(parts) }
    return { kind: 'stored', ...(await options.store(chain(parts, chunks))) }
  } catch (error) {
    await chunks.return(undefined)
    stream.resume()
    throw error
  }
}

/** The repaired mail as chunks: the header section first; throws when the mail is too large. */
async function* limited(stream: SMTPServerDataStream, options: ReceiveOptions): AsyncGenerator<Buffer> {
  const head = new HeadCollector()
  let sizeBytes = 0
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > options.maxMessageBytes) throw tooLarge(options.maxMessageBytes)
    if (head.isComplete) yield chunk
    else if (head.add(chunk)) yield* repaired(head, options)
    else if (head.size > HEADER_MAX_BYTES) throw headerTooLarge()
  }
  const fault = lineFaultOf(stream)
  if (fault !== undefined) throw new SmtpReply(554, '5.6.0', LINE_FAULTS[fault])
  if (!head.isComplete) yield* repaired(head, options)
}

/** RFC 5321 sections 2.3.8 and 4.5.3.1.6: what the next server may read as another line end, or as another mail. */
const LINE_FAULTS: Record<LineFault, string> = {
  'bare-cr': 'The message has a CR without LF',
  'bare-lf': 'The message has an LF without CR',
  nul: 'The message has a NUL',
  'long-line': 'The message has a line that is too long',
}

/** Gathers chunks up to the end of the header section; looks at each octet once, however the mail is cut. */
class HeadCollector {
  isComplete = false
  size = 0
  /** Offset where the body begins. */
  end = 0
  #parts: Buffer[] = []
  #tail = Buffer.from('\n')

  /** Adds a chunk; true when the empty line is in. */
  add(chunk: Buffer): boolean {
    const window = Buffer.concat([this.#tail, chunk])
    const found = emptyLineEnd(window)
    if (found >= 0) this.end = this.size - this.#tail.length + found
    this.isComplete = found >= 0
    this.#parts.push(chunk)
    this.size += chunk.length
    this.#tail = window.subarray(-2)
    return this.isComplete
  }

  bytes(): Buffer {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
  }
}

/** The offset after an empty line in a window that begins somewhere in a line, or -1. */
function emptyLineEnd(window: Buffer): number {
  for (let at = window.indexOf(0x0a); at >= 0; at = window.indexOf(0x0a, at + 1)) {
    if (window[at + 1] === 0x0a) return at + 2
    if (window[at + 1] === 0x0d && window[at + 2] === 0x0a) return at + 3
  }
  return -1
}

function* repaired(collector: HeadCollector, { repair }: ReceiveOptions): Iterable<Buffer> {
  const bytes = collector.bytes()
  const end = collector.isComplete ? collector.end : bytes.length
  if (end > HEADER_MAX_BYTES) throw headerTooLarge()
  const head = bytes.subarray(0, end)
  const kept = repair(head, parseHeader(head))
  if (kept === head) {
    if (bytes.length > 0) yield bytes
    return
  }
  yield kept
  if (end < bytes.length) yield bytes.subarray(end)
}

function headerTooLarge(): SmtpReply {
  return new SmtpReply(552, '5.3.4', `Header section is larger than ${HEADER_MAX_BYTES} octets`)
}

/** The reply to a mail over the limit (RFC 1870 section 6.1). */
export function tooLarge(maxMessageBytes: number): SmtpReply {
  return new SmtpReply(552, '5.3.4', `Message is larger than the limit of ${maxMessageBytes} octets`)
}

async function fill(chunks: AsyncIterator<Buffer>, most: number): Promise<{ parts: Buffer[]; isEnd: boolean }> {
  const parts: Buffer[] = []
  let size = 0
  while (size <= most) {
    const next = await chunks.next()
    if (next.done) return { parts, isEnd: true }
    parts.push(next.value)
    size += next.value.length
  }
  return { parts, isEnd: false }
}

async function* chain(parts: Buffer[], rest: AsyncIterator<Buffer>): AsyncIterable<Buffer> {
  yield* parts.splice(0)
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}
