// The certificates of a listener: ECDSA and RSA side by side, several names by SNI, taken up anew when their files
// change. Sessions under way keep what they have.
import { stat } from 'node:fs/promises'
import type { SecureContext, TLSSocket } from 'node:tls'
import { type CertificatePair, readPair, secureContextOf } from './certificate-pair.ts'
import type { Log } from './log.ts'

export interface TlsSettings {
  /** Paths, separated by commas; the key of each certificate stands at the same place. */
  TLS_CERT_FILE: string
  TLS_KEY_FILE: string
  TLS_LEGACY: 'allow' | 'deny'
}

const POLL_INTERVAL_MS = 4_000

/** Reads the files. @throws Error that names a file, never its content, when they can't be used */
export async function openCertificates(
  settings: TlsSettings,
  log: Log,
  pollIntervalMs = POLL_INTERVAL_MS,
): Promise<Certificates> {
  const certificates = new Certificates(settings, log, pollIntervalMs)
  await certificates.load()
  certificates.watch()
  return certificates
}

/**
 * What to show: at the start of a handshake to everybody, and then to the client that asks for this name; undefined when
 * that is the same.
 */
export interface ContextFor {
  (): SecureContext
  (servername: string, client: TLSSocket): SecureContext | undefined
}

/** What a listener needs to know of certificates. */
export interface CertificateSource {
  readonly contextFor: ContextFor
  /** Calls `listener` after other certificates have been taken up. */
  onChange(listener: () => void): void
}

export class Certificates implements CertificateSource, AsyncDisposable {
  readonly #settings: TlsSettings
  readonly #log: Log
  readonly #pollIntervalMs: number
  readonly #listeners: (() => void)[] = []
  readonly #contexts = new Map<string, SecureContext>()
  #pairs: CertificatePair[] = []
  #version = ''
  #refusedVersion = ''
  #timer: NodeJS.Timeout | undefined
  #look: Promise<void> = Promise.resolve()

  constructor(settings: TlsSettings, log: Log, pollIntervalMs: number) {
    this.#settings = settings
    this.#log = log
    this.#pollIntervalMs = pollIntervalMs
  }

  /**
   * Of each kind of key the first certificate that fits. Node takes one certificate only from what is given for a name: so
   * the names of the start keep what is there, and for others the client decides which kind it is.
   */
  readonly contextFor = ((servername?: string, client?: TLSSocket): SecureContext | undefined => {
    if (servername === undefined || client === undefined) return this.#contextOf(this.#fitting())
    const fitting = this.#fitting(servername)
    if (fitting.join() === this.#fitting().join()) return undefined
    const isEcdsa = (index: number) => this.#pairs[index]!.leaf.publicKey.asymmetricKeyType === 'ec'
    const wanted = takesEcdsa(client)
    return this.#contextOf([fitting.find((index) => isEcdsa(index) === wanted) ?? fitting[0]!])
  }) as ContextFor

  #contextOf(indices: number[]): SecureContext {
    const key = indices.join()
    let context = this.#contexts.get(key)
    if (context === undefined) {
      context = secureContextOf(
        indices.map((index) => this.#pairs[index]!),
        this.#settings.TLS_LEGACY === 'allow',
      )
      this.#contexts.set(key, context)
    }
    return context
  }

  /** Calls `listener` after other certificates have been taken up. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Reads the files as they are now. @throws Error when they can't be used; then those from before stay. */
  async load(): Promise<void> {
    const version = await this.#versionOfFiles()
    const certificatePaths = paths(this.#settings.TLS_CERT_FILE)
    const keyPaths = paths(this.#settings.TLS_KEY_FILE)
    if (certificatePaths.length !== keyPaths.length)
      throw new Error('TLS_CERT_FILE and TLS_KEY_FILE must name as many certificates as keys')
    const pairs = await Promise.all(certificatePaths.map((path, index) => readPair(path, keyPaths[index]!)))
    for (const pair of pairs) secureContextOf([pair], this.#settings.TLS_LEGACY === 'allow')
    this.#pairs = pairs
    this.#contexts.clear()
    this.#version = version
    for (const listener of this.#listeners) listener()
  }

  /** Looks at the files from now on; polling also sees what is behind symbolic links, as Kubernetes mounts secrets. */
  watch(): void {
    this.#timer = setTimeout(() => {
      this.#look = this.#reload().then(() => {
        if (this.#timer !== undefined) this.watch()
      })
    }, this.#pollIntervalMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#look
  }

  async #reload(): Promise<void> {
    let version = ''
    try {
      version = await this.#versionOfFiles()
      if (version === this.#version || version === this.#refusedVersion) return
      await this.load()
      this.#log.info({ names: this.#pairs.map(({ leaf }) => leaf.subjectAltName) }, 'certificates were taken up')
    } catch (error) {
      // Certificate and key may be written one after the other: the next look will find both.
      this.#refusedVersion = version
      this.#log.error({ err: error }, 'the new certificates can not be used, those from before stay')
    }
  }

  async #versionOfFiles(): Promise<string> {
    const files = [...paths(this.#settings.TLS_CERT_FILE), ...paths(this.#settings.TLS_KEY_FILE)]
    const stats = await Promise.all(files.map((file) => stat(file)))
    return stats.map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`).join()
  }

  /** Places in the list, at most one for each kind of key. */
  #fitting(servername?: string): number[] {
    const names = servername === undefined || servername === '' ? [] : this.#covering(servername)
    const candidates = names.length > 0 ? names : this.#covering()
    const kinds = new Set<string | undefined>()
    return candidates.filter((index) => {
      const kind = this.#pairs[index]!.leaf.publicKey.asymmetricKeyType
      return kinds.size < kinds.add(kind).size
    })
  }

  /** The certificates of this name, or those that have the same names as the first one. */
  #covering(servername?: string): number[] {
    const [first] = this.#pairs
    return [...this.#pairs.keys()].filter((index) => {
      const { leaf } = this.#pairs[index]!
      if (servername !== undefined) return leaf.checkHost(servername) !== undefined
      return leaf.subjectAltName === first!.leaf.subjectAltName
    })
  }
}

/** As far as its hello tells: before TLS 1.3 the cipher suites count as well, which are not shown here; all have RSA. */
function takesEcdsa(client: TLSSocket): boolean {
  const algorithms = client.getSharedSigalgs()
  const has = (kind: string) => algorithms.some((algorithm) => algorithm.startsWith(kind))
  return has('ECDSA') && (client.getProtocol() === 'TLSv1.3' || !has('RSA'))
}

function paths(setting: string): string[] {
  return setting.split(',').map((path) => path.trim())
}
