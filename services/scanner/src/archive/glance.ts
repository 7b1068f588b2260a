// A glance that spares most attachments the way into a thread.
import { sealOf } from './sealed.ts'
import { findCandidates } from './signatures.ts'

/** More than this is not looked through where others wait. */
const MAX_BYTES = 1024 * 1024

/** Whether a walk may find anything: in a longer attachment always. */
export function mayHoldArchive(bytes: Buffer): boolean {
  return bytes.length > MAX_BYTES || findCandidates(bytes, 1).length > 0 || sealOf(bytes) !== undefined
}
