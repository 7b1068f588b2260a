// Content that travels inside the job, for tests that have no content store.
import type { Content, OpenContent } from '@sekimori/mail/content'
import { headerEnd } from '@sekimori/mail/header'

export const openInline: OpenContent = async function* (content) {
  yield bytesOf(content)
}

export async function readInlineHead(content: Content): Promise<Buffer> {
  const bytes = bytesOf(content)
  return bytes.subarray(0, headerEnd(bytes))
}

function bytesOf(content: Content): Buffer {
  if (content.kind !== 'inline') throw new Error('stored content, where there is no store')
  return content.bytes
}
