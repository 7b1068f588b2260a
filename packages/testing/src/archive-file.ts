// Archives by the system's archivers, for tests, and what goes into them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runClientWell } from './real-client.ts'

export interface ArchiveFile {
  name: string
  bytes: Buffer
}

/** Archives one file by a command that runs where the file is; resolves to what it wrote to `output`. */
export async function archiveBy(
  file: ArchiveFile,
  output: string,
  command: string,
  ...args: string[]
): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'sekimori-archive-'))
  try {
    await writeFile(join(directory, file.name), file.bytes)
    await runClientWell('env', ['-C', directory, command, ...args])
    return await readFile(join(directory, output))
  } finally {
    await rm(directory, { recursive: true })
  }
}
