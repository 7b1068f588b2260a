// Inflates one DEFLATE stream (RFC 1951) up to a bound, whatever is behind it.
import { constants, inflateRawSync } from 'node:zlib'

export type Inflated =
  | { kind: 'whole'; bytes: Buffer; consumedBytes: number }
  /** The stream ends before its end. */
  | { kind: 'cut'; bytes: Buffer }
  | { kind: 'broken' }
  | { kind: 'too long' }

const CHUNK = { minBytes: 256, maxBytes: 1024 * 1024 }

/** @param expectedBytes what a header says of the length; need not be true. */
export function inflate(stream: Buffer, limitBytes: number, expectedBytes: number): Inflated {
  const chunkSize = Math.max(CHUNK.minBytes, Math.min(CHUNK.maxBytes, expectedBytes + 1))
  const options = { info: true, maxOutputLength: Math.max(1, limitBytes), chunkSize }
  try {
    return whole(inflateRawSync(stream, options))
  } catch (error) {
    if (codeOf(error) !== 'Z_BUF_ERROR') return failure(error)
  }
  try {
    return {
      kind: 'cut',
      bytes: whole(inflateRawSync(stream, { ...options, finishFlush: constants.Z_SYNC_FLUSH })).bytes,
    }
  } catch (error) {
    return failure(error)
  }
}

/** With `info`, which the types do not know of. */
function whole(result: unknown): { kind: 'whole'; bytes: Buffer; consumedBytes: number } {
  const { buffer, engine } = result as { buffer: Buffer; engine: { bytesWritten: number } }
  // A short file must not keep the memory of a long chunk.
  const bytes = buffer.length * 2 < buffer.buffer.byteLength ? Buffer.from(new Uint8Array(buffer).buffer) : buffer
  return { kind: 'whole', bytes, consumedBytes: engine.bytesWritten }
}

function failure(error: unknown): Inflated {
  if (codeOf(error) === 'ERR_BUFFER_TOO_LARGE') return { kind: 'too long' }
  if (codeOf(error)?.startsWith('Z_')) return { kind: 'broken' }
  throw error
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
