// The mail as delivered: the added header lines, then the original without the struck ranges. The body stays untouched.

/** Header lines as octets, CRLF after each. */
export function headerBytes(lines: string[]): Buffer {
  return lines.length === 0 ? Buffer.alloc(0) : Buffer.from(`${lines.join('\r\n')}\r\n`, 'utf8')
}

/** How many octets the struck ranges (flat start, end pairs) leave out. */
export function struckSize(struck: readonly number[]): number {
  let size = 0
  for (let i = 0; i + 1 < struck.length; i += 2) size += struck[i + 1]! - struck[i]!
  return size
}

/** The mail as delivered, chunk by chunk. `struck` must be sorted and free of overlaps. */
export async function* asDelivered(
  added: Buffer,
  original: AsyncIterable<Buffer>,
  struck: readonly number[],
): AsyncIterable<Buffer> {
  if (added.length > 0) yield added
  let offset = 0
  for await (const chunk of original) {
    yield* keptParts(chunk, offset, struck)
    offset += chunk.length
  }
}

function* keptParts(chunk: Buffer, offset: number, struck: readonly number[]): Iterable<Buffer> {
  let from = 0
  for (let i = 0; i + 1 < struck.length; i += 2) {
    const start = Math.min(Math.max(struck[i]! - offset, from), chunk.length)
    const end = Math.min(Math.max(struck[i + 1]! - offset, start), chunk.length)
    if (start > from) yield chunk.subarray(from, start)
    from = end
  }
  if (from < chunk.length) yield chunk.subarray(from)
}

/** The beginning of the original without what the struck ranges take out of it. */
export function withoutStruck(head: Buffer, struck: readonly number[]): Buffer {
  return struck.length === 0 ? head : Buffer.concat([...keptParts(head, 0, struck)])
}
