// The mail as it was accepted: small content travels along, large content lies in the content store (claim check).

/** A mail's bytes as accepted, never rewritten. `stored` content is read by its id; `sizeBytes` is its exact length. */
export type Content = { kind: 'inline'; bytes: Buffer } | { kind: 'stored'; id: string; sizeBytes: number }

/** Opens content of either kind as a sequence of chunks. */
export type OpenContent = (content: Content) => AsyncIterable<Buffer>

/** Length of the content in octets. */
export function contentSize(content: Content): number {
  return content.kind === 'inline' ? content.bytes.length : content.sizeBytes
}

/** The holder under which a leg of a mail in flight keeps its stored content (`content_use`). */
export function contentHolder(queueId: string, direction: string): string {
  return `${queueId}/${direction}`
}
