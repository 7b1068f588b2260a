// Puts one question to several DNS servers until one settles it: each in turn, a few rounds, beginning with the one
// that answered last.
import { DnsError, type DnsErrorCode } from './dns-error.ts'
import { encodeQuestion } from './message.ts'
import type { RecordType } from './records.ts'
import type { ServerAnswer, Upstream } from './upstream.ts'

const NOERROR = 0
const NXDOMAIN = 3
const CODES: Record<number, DnsErrorCode> = { 1: 'EFORMERR', 4: 'ENOTIMP', 5: 'EREFUSED' }

export class Failover {
  readonly #servers: Upstream[]
  readonly #attempts: number
  readonly #timeoutMs: number
  #preferred = 0

  constructor(servers: Upstream[], attempts: number, timeoutMs: number) {
    this.#servers = servers
    this.#attempts = attempts
    this.#timeoutMs = timeoutMs
  }

  /**
   * Resolves to a NOERROR or NXDOMAIN answer. A server that answers anything else is not asked again; one that
   * does not answer is, in the next round.
   * @throws DnsError of the last failure.
   */
  async ask(name: string, type: RecordType): Promise<ServerAnswer> {
    const question = encodeQuestion(name, type)
    const refusing = new Set<Upstream>()
    let failure = new DnsError('ESERVFAIL', name, type)
    for (const server of this.#inTurn()) {
      if (refusing.has(server)) continue
      try {
        const answer = await server.ask(question, this.#timeoutMs)
        if (answer.rcode === NOERROR || answer.rcode === NXDOMAIN) return answer
        failure = new DnsError(CODES[answer.rcode] ?? 'ESERVFAIL', name, type)
        refusing.add(server)
      } catch (error) {
        if (!(error instanceof DnsError) || error.code === 'ECANCELLED') throw error
        failure = error
        this.#demote(server)
      }
    }
    throw failure
  }

  /** Whether any server says anything at all, when it is asked for a name that each answers by itself (RFC 6761). */
  async isAnswering(): Promise<boolean> {
    const question = encodeQuestion('localhost', 'A')
    const heard = this.#servers.map(async (server) => {
      try {
        await server.ask(question, this.#timeoutMs)
      } catch (error) {
        // What can't be read is an answer too.
        if (!(error instanceof DnsError) || error.code !== 'EBADRESP') throw error
      }
    })
    return Promise.any(heard).then(
      () => true,
      () => false,
    )
  }

  close(): void {
    for (const server of this.#servers) server.close()
  }

  #inTurn(): Upstream[] {
    const round = [...this.#servers.slice(this.#preferred), ...this.#servers.slice(0, this.#preferred)]
    return Array<Upstream[]>(this.#attempts).fill(round).flat()
  }

  #demote(server: Upstream): void {
    if (this.#servers[this.#preferred] === server) this.#preferred = (this.#preferred + 1) % this.#servers.length
  }
}
