// Log files of the programs that the launcher starts: kept for one run back, and cut when they grow too long.
import { closeSync, copyFileSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs'

const MAX_BYTES = 64 * 1024 * 1024
const TAIL_BYTES = 8_192

/** Moves the log of the last run aside, to `<path>.1`. */
export function rotateLog(path: string): void {
  try {
    renameSync(path, `${path}.1`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Opens the log for appending. The owner alone may read it. */
export function openLog(path: string): number {
  return openSync(path, 'a', 0o600)
}

/** Cuts a log that outgrew its limit; its writers hold it open for appending and go on at its new end. */
export function boundLog(path: string, maxBytes = MAX_BYTES): void {
  if (sizeOf(path) <= maxBytes) return
  copyFileSync(path, `${path}.1`)
  truncateSync(path)
}

/** The last lines of a log, for an error message. */
export function tailOf(path: string, lines = 24): string {
  const sizeBytes = sizeOf(path)
  if (sizeBytes === 0) return ''
  const fd = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(Math.min(sizeBytes, TAIL_BYTES))
    const length = readSync(fd, buffer, 0, buffer.length, sizeBytes - buffer.length)
    return buffer.toString('utf8', 0, length).trimEnd().split('\n').slice(-lines).join('\n')
  } finally {
    closeSync(fd)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
