// A directory outside of the state directory for what must have a short path (sockets) or belongs into memory.
import { createHash } from 'node:crypto'
import { lstat, mkdir, rm, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartFailure } from './start-failure.ts'

const MIN_FREE_BYTES = 2 * 1024 * 1024 * 1024

/** The directory that belongs to this state directory; the same at every start. Not made here. */
export async function privateDirectoryPath(stateDir: string): Promise<string> {
  const name = `sekimori-${process.getuid?.()}-${createHash('sha256').update(stateDir).digest('hex').slice(0, 12)}`
  return join((await hasRoom('/dev/shm')) ? '/dev/shm' : tmpdir(), name)
}

/** Makes the directory, empty. Refuses one that somebody else has put there. */
export async function makePrivateDirectory(path: string): Promise<void> {
  const existing = await lstat(path).catch(() => undefined)
  if (existing !== undefined && (!existing.isDirectory() || existing.uid !== process.getuid?.()))
    throw new StartFailure(
      `${path} is in the way: it belongs to somebody else. Remove it, or set another STATE_DIR.`,
      `${path} は他のユーザーのものです。削除するか、別の STATE_DIR を指定してください。`,
    )
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { mode: 0o700 })
}

async function hasRoom(path: string): Promise<boolean> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize >= MIN_FREE_BYTES
  } catch {
    // No such file system here: the caller takes another.
    return false
  }
}
