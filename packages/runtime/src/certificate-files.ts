// The files of a listener's certificates, read together: what they are worth as pairs, and by what one state of them is told
// from another.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** Paths, separated by commas; the key of each certificate stands at the same place. */
export interface CertificatePaths {
  TLS_CERT_FILE: string
  TLS_KEY_FILE: string
}

/** PEM of one certificate chain and its key, as the files were when they were read. */
export interface PairText {
  certificatePath: string
  keyPath: string
  cert: Buffer
  key: Buffer
}

export interface CertificateFiles {
  pairs: PairText[]
  /** The same as long as all contents are the same. */
  version: string
}

/**
 * Reads all of them. Their contents tell whether they are others, not their times: these are copied, or too coarse, and
 * behind a symbolic link they are those of what it leads to. @throws Error that names a file that can't be read
 */
export async function readCertificateFiles(settings: CertificatePaths): Promise<CertificateFiles> {
  const certificatePaths = paths(settings.TLS_CERT_FILE)
  const keyPaths = paths(settings.TLS_KEY_FILE)
  if (certificatePaths.length !== keyPaths.length)
    throw new Error('TLS_CERT_FILE and TLS_KEY_FILE must name as many certificates as keys')
  const pairs = await Promise.all(certificatePaths.map((path, index) => readPair(path, keyPaths[index]!)))
  const digests = pairs
    .flatMap(({ cert, key }) => [cert, key])
    .map((text) => createHash('sha256').update(text).digest('hex'))
  return { pairs, version: digests.join() }
}

async function readPair(certificatePath: string, keyPath: string): Promise<PairText> {
  const [cert, key] = await Promise.all([readFile(certificatePath), readFile(keyPath)])
  return { certificatePath, keyPath, cert, key }
}

function paths(setting: string): string[] {
  return setting.split(',').map((path) => path.trim())
}
