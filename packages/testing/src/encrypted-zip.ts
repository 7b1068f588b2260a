// ZIP archives with a password, by Info-ZIP: Python can read such archives, but not write them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runClientWell } from './real-client.ts'

/** Zips a file with a password (ZipCrypto). */
export async function encryptedZip(name: string, file: Buffer): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), 'encrypted-zip-'))
  try {
    const archive = join(directory, 'archive.zip')
    await writeFile(join(directory, name), file)
    await runClientWell('zip', ['-q', '-j', '-P', 'infected', archive, join(directory, name)])
    return await readFile(archive)
  } finally {
    await rm(directory, { recursive: true })
  }
}
