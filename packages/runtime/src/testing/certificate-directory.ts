// Certificates in files, and the ways in which such files are replaced.
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TlsSettings } from '../certificates.ts'

export interface PemPair {
  cert: string
  key: string
}

export class CertificateDirectory implements AsyncDisposable {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Writes certificates by renaming, as `name.pem` and `name.key`, and makes settings that name them. */
  async settingsFor(made: Record<string, PemPair>, legacy?: TlsSettings['TLS_LEGACY']): Promise<TlsSettings> {
    for (const [name, { cert, key }] of Object.entries(made)) {
      await this.#replaceFile(`${name}.pem`, cert)
      await this.#replaceFile(`${name}.key`, key)
    }
    return settingsOf(this.path, Object.keys(made), legacy)
  }

  /** Writes over what is there. */
  async writeInPlace(name: string, { cert, key }: PemPair): Promise<void> {
    await writeFile(join(this.path, `${name}.pem`), cert)
    await writeFile(join(this.path, `${name}.key`), key)
  }

  /** The files as a cluster mounts a secret: links through `..data`, which is one rename away from other files. */
  async mountSecret(made: Record<string, PemPair>): Promise<TlsSettings> {
    const generation = new CertificateDirectory(join(this.path, `..${randomUUID()}`))
    await mkdir(generation.path)
    for (const [name, pair] of Object.entries(made)) await generation.writeInPlace(name, pair)
    const data = join(this.path, '..data')
    await symlink(generation.path, `${data}_tmp`)
    await rename(`${data}_tmp`, data)
    for (const file of Object.keys(made).flatMap((name) => [`${name}.pem`, `${name}.key`]))
      await symlink(join('..data', file), join(this.path, file)).catch(unlessItExists)
    return settingsOf(this.path, Object.keys(made))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true })
  }

  /** Nobody ever reads half of it. */
  async #replaceFile(name: string, text: string): Promise<void> {
    await writeFile(join(this.path, `${name}.new`), text)
    await rename(join(this.path, `${name}.new`), join(this.path, name))
  }
}

/** A directory of the test's own. Disposing removes it. */
export async function makeCertificateDirectory(): Promise<CertificateDirectory> {
  return new CertificateDirectory(await mkdtemp(join(tmpdir(), 'certificates-')))
}

/** Settings that name `name.pem` and `name.key` in a directory. */
export function settingsOf(dir: string, names: string[], legacy: TlsSettings['TLS_LEGACY'] = 'deny'): TlsSettings {
  const list = (ending: string) => names.map((name) => join(dir, `${name}.${ending}`)).join(', ')
  return { TLS_CERT_FILE: list('pem'), TLS_KEY_FILE: list('key'), TLS_LEGACY: legacy }
}

function unlessItExists(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
