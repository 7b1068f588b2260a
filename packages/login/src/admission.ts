// Who may open a session: so many at a time, and so many a minute, of one address and of one network, counted over all
// replicas of the edge.
import { limitRefusals } from '@sekimori/runtime/metrics'
import type { Database } from '@sekimori/store/database'
import { OpenSessions } from '@sekimori/store/open-sessions'
import { UsageCounter } from '@sekimori/store/usage-counter'
import { networkOf, widerNetworkOf } from './network.ts'

/** The settings of the same names (packages/config). */
export interface AdmissionSettings {
  MAX_SESSIONS_PER_ADDRESS: number
  MAX_SESSIONS_PER_NETWORK: number
  CONNECTIONS_PER_MINUTE_PER_ADDRESS: number
  CONNECTIONS_PER_MINUTE_PER_NETWORK: number
}

/** Beyond so many times the connections of a minute, a refusal is not worth the TLS handshake that it takes. */
const FLOOD = 2
/** A subject's use below this part of a limit is not told to other replicas. */
const WORTH_TELLING = 0.1

export class Admission implements AsyncDisposable {
  readonly #edge: string
  readonly #settings: AdmissionSettings
  readonly #usage: UsageCounter
  readonly #elsewhere: OpenSessions
  readonly #open = new Map<string, number>()
  readonly #subjects = new Map<string, string[]>()

  constructor(database: Database, edge: string, settings: AdmissionSettings, tellMs?: number) {
    this.#edge = edge
    this.#settings = settings
    this.#usage = new UsageCounter(database, tellMs)
    this.#elsewhere = new OpenSessions(database, edge, () => this.#many(), tellMs)
  }

  /** Takes the session in; or gives the reason, for the client, why not. */
  admit(sessionId: string, clientAddress: string): string | undefined {
    const address = networkOf(clientAddress)
    const network = widerNetworkOf(clientAddress)
    const settings = this.#settings
    const refusal =
      this.#checkRate(address, settings.CONNECTIONS_PER_MINUTE_PER_ADDRESS, 'address') ??
      this.#checkRate(network, settings.CONNECTIONS_PER_MINUTE_PER_NETWORK, 'network') ??
      this.#checkOpen(address, settings.MAX_SESSIONS_PER_ADDRESS, 'address') ??
      this.#checkOpen(network, settings.MAX_SESSIONS_PER_NETWORK, 'network')
    if (refusal !== undefined) return refusal
    this.#subjects.set(sessionId, [address, network])
    for (const subject of [address, network]) this.#open.set(subject, this.#openHere(subject) + 1)
    return undefined
  }

  /** Whether so many connections have come from there that those to come are not even worth a refusal. */
  isFlood(clientAddress: string): boolean {
    const { CONNECTIONS_PER_MINUTE_PER_ADDRESS: ofAddress, CONNECTIONS_PER_MINUTE_PER_NETWORK: ofNetwork } =
      this.#settings
    const used = (subject: string) => this.#usage.used('connections-minute', `${this.#edge} ${subject}`)
    return used(networkOf(clientAddress)) > FLOOD * ofAddress || used(widerNetworkOf(clientAddress)) > FLOOD * ofNetwork
  }

  /** The session is over, whether it was taken in or not. */
  leave(sessionId: string): void {
    for (const subject of this.#subjects.get(sessionId) ?? []) {
      const left = this.#openHere(subject) - 1
      if (left > 0) this.#open.set(subject, left)
      else this.#open.delete(subject)
    }
    this.#subjects.delete(sessionId)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#elsewhere[Symbol.asyncDispose]()
    await this.#usage[Symbol.asyncDispose]()
  }

  #openHere(subject: string): number {
    return this.#open.get(subject) ?? 0
  }

  #many(): Map<string, number> {
    const { MAX_SESSIONS_PER_ADDRESS, MAX_SESSIONS_PER_NETWORK } = this.#settings
    const least = Math.min(MAX_SESSIONS_PER_ADDRESS, MAX_SESSIONS_PER_NETWORK) * WORTH_TELLING
    return new Map([...this.#open].filter(([, open]) => open >= least))
  }

  #checkOpen(subject: string, limit: number, what: string): string | undefined {
    if (this.#openHere(subject) + this.#elsewhere.others(subject) < limit) return undefined
    limitRefusals.inc({ limit: `sessions-${what}` })
    return `Too many sessions from your ${what} at the same time, the limit is ${limit}`
  }

  #checkRate(subject: string, limit: number, what: string): string | undefined {
    const count = this.#usage.note('connections-minute', `${this.#edge} ${subject}`, 1, limit * WORTH_TELLING)
    if (count <= limit) return undefined
    limitRefusals.inc({ limit: `connections-${what}` })
    return `Too many connections from your ${what}, the limit is ${limit} a minute`
  }
}
