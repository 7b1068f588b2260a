// The octets of an AMQP message: length of the JSON header (4 octets, big endian), the header, then inline content.
import type { Content } from '@sekimori/mail/content'
import type { Queue } from './queues.ts'

/** A message that does not decode: it goes to the dead queue as it is. */
export class UndecodableMessage extends Error {
  override name = 'UndecodableMessage'
}

type Wire = Record<string, unknown> & {
  content: { kind: 'inline' } | { kind: 'stored'; id: string; sizeBytes: number }
}

const LENGTH_OCTETS = 4

/** Encodes a message; inline content is copied once. */
export function encodeMessage(message: { content: Content }): Buffer {
  const { content } = message
  const inline = content.kind === 'inline' ? content.bytes : Buffer.alloc(0)
  const header = Buffer.from(
    JSON.stringify({ ...message, content: content.kind === 'inline' ? { kind: 'inline' } : content }),
  )
  const length = Buffer.allocUnsafe(LENGTH_OCTETS)
  length.writeUInt32BE(header.length)
  return Buffer.concat([length, header, inline])
}

/**
 * Decodes a message of this queue. Inline content is a view of `bytes`.
 * @throws UndecodableMessage
 */
export function decodeMessage<T extends { content: Content }>(queue: Queue<T>, bytes: Buffer): T {
  const { header, rest } = split(bytes)
  if (!queue.accepts(header)) throw new UndecodableMessage(`not a message of queue ${queue.name}`)
  return { ...header, content: decodeContent(header.content, rest) } as unknown as T
}

function split(bytes: Buffer): { header: Wire; rest: Buffer } {
  const end = bytes.length < LENGTH_OCTETS ? Number.POSITIVE_INFINITY : LENGTH_OCTETS + bytes.readUInt32BE()
  if (end > bytes.length) throw new UndecodableMessage('shorter than its header')
  try {
    return { header: JSON.parse(bytes.toString('utf8', LENGTH_OCTETS, end)), rest: bytes.subarray(end) }
  } catch (cause) {
    throw new UndecodableMessage('header is not JSON', { cause })
  }
}

function decodeContent(content: Wire['content'] | undefined, rest: Buffer): Content {
  if (content?.kind === 'inline') return { kind: 'inline', bytes: rest }
  if (
    content?.kind === 'stored' &&
    typeof content.id === 'string' &&
    Number.isSafeInteger(content.sizeBytes) &&
    content.sizeBytes >= 0
  )
    return content
  throw new UndecodableMessage('content is neither inline nor stored')
}
