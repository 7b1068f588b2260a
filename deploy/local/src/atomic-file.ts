// Files that readers find whole or not at all.
import { open, rename, rm } from 'node:fs/promises'

/** Replaces the file in one step; it is on the disk when this resolves. The owner alone may read it. */
export async function writeFileAtomically(path: string, content: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`
  try {
    await using file = await open(partial, 'w', 0o600)
    await file.writeFile(content)
    await file.sync()
    await rename(partial, path)
  } catch (error) {
    await rm(partial, { force: true })
    throw error
  }
}
