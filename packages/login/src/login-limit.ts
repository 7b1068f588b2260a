// Failed logins, counted in Postgres for all replicas: by pair of network and account, by network for all accounts, and by
// account for all networks that it does not know.
import { createHash } from 'node:crypto'
import type { Database } from '@sekimori/store/database'
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'

export interface LoginLimits {
  /** Failures of one network at one account within the window; then it waits the window out. */
  ofPair: number
  /** Failures of one network at all accounts within the window. */
  ofNetwork: number
  windowSeconds: number
  /** Failures of all networks that the account does not know, within its window; then only known ones get in. */
  ofAccount: number
  accountWindowSeconds: number
  /** How much each further failure from a network that the account knows delays its reply. */
  delayStepMs: number
}

export const LOGIN_LIMITS: LoginLimits = {
  ofPair: 10,
  ofNetwork: 300,
  windowSeconds: 600,
  ofAccount: 100,
  accountWindowSeconds: 3_600,
  delayStepMs: 250,
}

/** For how long a process knows by itself that somebody has to wait, without asking Postgres. */
const REMEMBERED_SECONDS = 10

/** An attempt counts as failed from its beginning, so that many at the same time are no way around the limit. */
export class LoginLimit {
  readonly #pairs: RateLimiterPostgres
  readonly #networks: RateLimiterPostgres
  readonly #accounts: RateLimiterPostgres

  constructor(database: Database, limits: LoginLimits) {
    const limiter = (keyPrefix: string, points: number, seconds: number) =>
      new RateLimiterPostgres({
        storeClient: database,
        storeType: 'pool',
        tableName: 'login_failure',
        tableCreated: true,
        keyPrefix,
        points,
        duration: seconds,
        blockDuration: seconds,
        inMemoryBlockOnConsumed: points + 1,
        inMemoryBlockDuration: Math.min(REMEMBERED_SECONDS, seconds),
      })
    this.#pairs = limiter('pair', limits.ofPair, limits.windowSeconds)
    this.#networks = limiter('network', limits.ofNetwork, limits.windowSeconds)
    this.#accounts = limiter('account', limits.ofAccount, limits.accountWindowSeconds)
  }

  /**
   * Counts an attempt of a network that the account does not know; false when it has to wait. `isBeyondGuessing` (an app
   * password that is right): nobody's failures at the account stand against it. @throws DependencyAway
   */
  async begin(network: string, address: string, isBeyondGuessing: boolean): Promise<boolean> {
    if (!(await consume(this.#pairs, keyOf(network, address)))) return false
    if (!(await consume(this.#networks, network))) return false
    return (await consume(this.#accounts, keyOf(address))) || isBeyondGuessing
  }

  /** The attempt was right: the pair starts anew. */
  async succeed(network: string, address: string): Promise<void> {
    await this.#pairs.delete(keyOf(network, address))
    await this.#networks.reward(network)
    await this.#accounts.reward(keyOf(address))
  }

  /** The attempt was not looked at. */
  async takeBack(network: string, address: string): Promise<void> {
    await this.#pairs.reward(keyOf(network, address))
    await this.#networks.reward(network)
    await this.#accounts.reward(keyOf(address))
  }

  /** Counts a failure without ever sending away; resolves to how many there were within the window. */
  async countFailure(network: string, address: string): Promise<number> {
    return (await this.#pairs.penalty(keyOf(network, address))).consumedPoints
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
function keyOf(...subject: string[]): string {
  return createHash('sha256').update(subject.join('\n')).digest('base64url')
}
