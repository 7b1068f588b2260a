// The certificates of a listener, taken up anew within 10 s of a change of their files. Sessions under way keep what they
// have, and files that can't be used change nothing.
import { type CertificateFiles, type CertificatePaths, readCertificateFiles } from './certificate-files.ts'
import { pairOf } from './certificate-pair.ts'
import { CertificateSet, type ContextFor } from './certificate-set.ts'
import type { Log } from './log.ts'

export type { ContextFor }

export interface TlsSettings extends CertificatePaths {
  TLS_LEGACY: 'allow' | 'deny'
}

/** What listeners need to know of certificates. */
export interface CertificateSource {
  readonly contextFor: ContextFor
  /** Calls `listener` after other certificates have been taken up. */
  onChange(listener: () => void): void
}

/** Files are taken up when two looks in a row find them the same: a second or two after they are written. */
const LOOK_INTERVAL_MS = 1_000

/** Reads the files. @throws Error that names a file, never its content, when they can't be used */
export async function openCertificates(
  settings: TlsSettings,
  log: Log,
  lookIntervalMs = LOOK_INTERVAL_MS,
): Promise<Certificates> {
  const files = await readCertificateFiles(settings)
  const certificates = new Certificates(settings, files, log, lookIntervalMs)
  certificates.watch()
  return certificates
}

export class Certificates implements CertificateSource, AsyncDisposable {
  readonly #settings: TlsSettings
  readonly #log: Log
  readonly #lookIntervalMs: number
  readonly #listeners: (() => void)[] = []
  #set: CertificateSet
  #version: string
  /** That of the last look. */
  #seenVersion: string
  /** What was wrong at the last look, and is in the log. */
  #fault = ''
  #timer: NodeJS.Timeout | undefined
  #look: Promise<void> = Promise.resolve()

  constructor(settings: TlsSettings, files: CertificateFiles, log: Log, lookIntervalMs: number) {
    this.#settings = settings
    this.#log = log
    this.#lookIntervalMs = lookIntervalMs
    this.#set = setOf(files, settings)
    this.#version = this.#seenVersion = files.version
  }

  readonly contextFor = ((...asked: Parameters<ContextFor>) => this.#set.contextFor(...asked)) as ContextFor

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Looks at the files from now on. */
  watch(): void {
    this.#timer = setTimeout(() => {
      this.#look = this.#lookAtFiles().then(() => {
        if (this.#timer !== undefined) this.watch()
      })
    }, this.#lookIntervalMs)
  }

  /** Resolves when no look is under way. */
  async untilLooked(): Promise<void> {
    await this.#look
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#look
  }

  /** Certificate and key may be written one after the other, and piece by piece: what is still changing is left alone. */
  async #lookAtFiles(): Promise<void> {
    try {
      const files = await readCertificateFiles(this.#settings)
      const isSettled = files.version === this.#seenVersion
      this.#seenVersion = files.version
      if (isSettled && files.version !== this.#version) this.#take(files)
      if (isSettled) this.#fault = ''
    } catch (error) {
      // What could not be read or used may be there at the next look; the log has it once.
      const fault = `${this.#seenVersion} ${error}`
      if (fault !== this.#fault)
        this.#log.error({ err: error }, 'the new certificates can not be used, those from before stay')
      this.#fault = fault
    }
  }

  #take(files: CertificateFiles): void {
    this.#set = setOf(files, this.#settings)
    this.#version = files.version
    this.#log.info({ names: this.#set.names }, 'certificates were taken up')
    for (const listener of this.#listeners) listener()
  }
}

function setOf({ pairs }: CertificateFiles, { TLS_LEGACY }: TlsSettings): CertificateSet {
  return new CertificateSet(pairs.map(pairOf), TLS_LEGACY === 'allow')
}
