// Failed logins, counted in Postgres for all replicas: by pair of network and account, and by network for all accounts.
import { createHash } from 'node:crypto'
import type { Database } from '@sekimori/store/database'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'

export interface LoginLimits {
  /** Failures of one network at one account within the window; then it waits the window out. */
  ofPair: number
  /** Failures of one network at all accounts within the window. */
  ofNetwork: number
  windowSeconds: number
  /** How much each further failure from a network that the account knows delays its reply. */
  delayStepMs: number
}

export const LOGIN_LIMITS: LoginLimits = { ofPair: 10, ofNetwork: 300, windowSeconds: 600, delayStepMs: 250 }

/** For how long a process knows by itself that somebody has to wait, without asking Postgres. */
const REMEMBERED_SECONDS = 10

/** An attempt counts as failed from its beginning, so that many at the same time are no way around the limit. */
export class LoginLimit {
  readonly #pairs: RateLimiterPostgres
  readonly #networks: RateLimiterPostgres

  constructor(database: Database, limits: LoginLimits) {
    const limiter = (keyPrefix: string, points: number) =>
      new RateLimiterPostgres({
        storeClient: database,
        storeType: 'pool',
        tableName: 'login_failure',
        tableCreated: true,
        keyPrefix,
        points,
        duration: limits.windowSeconds,
        blockDuration: limits.windowSeconds,
        inMemoryBlockOnConsumed: points + 1,
        inMemoryBlockDuration: Math.min(REMEMBERED_SECONDS, limits.windowSeconds),
      })
    this.#pairs = limiter('pair', limits.ofPair)
    this.#networks = limiter('network', limits.ofNetwork)
  }

  /** Counts an attempt; false when the network has to wait. @throws DependencyAway */
  async begin(network: string, address: string): Promise<boolean> {
    if (!(await consume(this.#pairs, pairKey(network, address)))) return false
    return consume(this.#networks, network)
  }

  /** The attempt was right: the pair starts anew. */
  async succeed(network: string, address: string): Promise<void> {
    await this.#pairs.delete(pairKey(network, address))
    await this.#networks.reward(network)
  }

  /** The attempt was not looked at. */
  async takeBack(network: string, address: string): Promise<void> {
    await this.#pairs.reward(pairKey(network, address))
    await this.#networks.reward(network)
  }

  /** Counts a failure without ever sending away; resolves to how many there were within the window. */
  async countFailure(network: string, address: string): Promise<number> {
    return (await this.#pairs.penalty(pairKey(network, address))).consumedPoints
  }
}

async function consume(limiter: RateLimiterPostgres, key: string): Promise<boolean> {
  try {
    await limiter.consume(key)
    return true
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return false
    throw refusal
  }
}

/** A client may send any address; a digest is short and tells nothing. */
function pairKey(network: string, address: string): string {
  return createHash('sha256').update(`${network}\n${address}`).digest('base64url')
}
