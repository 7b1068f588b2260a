// A file as it may be scanned by somebody who must not unpack it: without the marks by which packed files are recognised.
import { eachCandidate, type Format } from './signatures.ts'

/** What packs its content; containers that only hold files are told by the marks of these inside of them. */
const PACKERS = new Set<Format>([
  ...(['zip', 'zip-directory', 'gzip', 'bzip2', 'xz', '7z', 'rar', 'rar5', 'cab', 'arj', 'lzh'] as const),
  ...(['zstd', 'lzma', 'z', 'wim', 'xar', 'rpm', 'tnef'] as const),
])
const MARK_BYTES = 8

/** A copy in which nothing packed begins any more; the file itself when there is nothing packed in it. */
export function defused(bytes: Buffer): Buffer {
  let copy: Buffer | undefined
  eachCandidate(bytes, ({ format, at }) => {
    if (!PACKERS.has(format)) return true
    copy ??= Buffer.from(bytes)
    copy.fill(0, at, at + MARK_BYTES)
    return true
  })
  return copy ?? bytes
}

/** Whether something packed begins anywhere in the file. */
export function holdsPacked(bytes: Buffer): boolean {
  let isFound = false
  eachCandidate(bytes, ({ format }) => {
    isFound = PACKERS.has(format)
    return !isFound
  })
  return isFound
}
