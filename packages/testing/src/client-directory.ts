// The directory of a mail client that is not ours: its settings, which hold a password, and the authority that it trusts.
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface ClientDirectory extends AsyncDisposable {
  path: string
  /** The authority's certificate. */
  ca: string
  /** Writes a file that only the client's user may read; resolves to its path. */
  write(name: string, lines: string[]): Promise<string>
}

/** A new directory with the certificate at `caCertificate`. Disposing removes it. */
export async function makeClientDirectory(caCertificate: string): Promise<ClientDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'client-'))
  const ca = join(path, 'ca.pem')
  await copyFile(caCertificate, ca)
  return {
    path,
    ca,
    async write(name, lines) {
      await writeFile(join(path, name), `${lines.join('\n')}\n`, { mode: 0o600 })
      return join(path, name)
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}
