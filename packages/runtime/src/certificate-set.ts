// The certificates of one moment: ECDSA and RSA side by side, several names by SNI (RFC 6066 section 3). Never changes.
import type { SecureContext, TLSSocket } from 'node:tls'
import { type CertificatePair, secureContextOf } from './certificate-pair.ts'

/**
 * What to show: at the start of a handshake to everybody, and then to the client that asks for this name; undefined when
 * that is the same.
 */
export interface ContextFor {
  (): SecureContext
  (servername: string, client: TLSSocket): SecureContext | undefined
}

export class CertificateSet {
  readonly #pairs: CertificatePair[]
  readonly #isLegacy: boolean
  readonly #contexts = new Map<string, SecureContext>()

  /** @throws Error when one of them, or the ones for everybody together, can't be used */
  constructor(pairs: CertificatePair[], isLegacy: boolean) {
    this.#pairs = pairs
    this.#isLegacy = isLegacy
    for (const index of pairs.keys()) this.#contextOf([index])
    this.#contextOf(this.#fitting())
  }

  /** Of each certificate, for the log. */
  get names(): (string | undefined)[] {
    return this.#pairs.map(({ leaf }) => leaf.subjectAltName)
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
        this.#isLegacy,
      )
      this.#contexts.set(key, context)
    }
    return context
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
