// Logins of mail clients by password: argon2id behind a bounded queue, limits that all replicas share, app passwords,
// and a short-lived cache of verified logins that a change of password empties.
import { createHmac, randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { normalizeAddress } from '@sekimori/mail/address'
import { logins } from '@sekimori/runtime/metrics'
import { appPasswordDigest, noteAppPasswordUse } from '@sekimori/store/app-password'
import type { Database } from '@sekimori/store/database'
import {
  findLoginAccount,
  forgetOldLoginFailures,
  type LoginAccount,
  type LoginService,
  noteLoginNetwork,
} from '@sekimori/store/login-account'
import { hashPassword, isPassword } from '@sekimori/store/password'
import { WatchedCache } from '@sekimori/store/watched-cache'
import { isPasswordInBackground } from './background-check.ts'
import { LOGIN_LIMITS, LoginLimit, type LoginLimits } from './login-limit.ts'
import { networkOf } from './network.ts'
import { PasswordQueue, type QueueBounds, QueueFull } from './password-queue.ts'

export interface Account {
  id: number
  address: string
}

export interface Attempt {
  address: string
  password: string
  clientAddress: string
  service: LoginService
}

export type LoginOutcome =
  | { kind: 'ok'; account: Account }
  /** Unknown account or wrong password: neither the answer nor its time tells which. */
  | { kind: 'refused' }
  /** Too many failures from this network, or at this account from unknown ones: the password was not looked at. */
  | { kind: 'slowed' }
  /** More logins than this process can check; nothing was looked at. */
  | { kind: 'busy' }

/** Checks a login; throws when that can't be done. */
export type Login = (attempt: Attempt) => Promise<LoginOutcome>

const LONGEST_PASSWORD = 1_024
/** Half of the processors: mail has the other half. */
const AT_ONCE = Math.max(1, availableParallelism() >> 1)
const QUEUE: QueueBounds = {
  atOnce: AT_ONCE,
  // Each is a process of some 50 MB.
  atOnceInBackground: Math.min(2, AT_ONCE),
  waiting: 100,
  ofOneNetwork: 60,
  // Twice as long as a check takes: a flood gets a third of a processor at most.
  restMs: 60,
}
/** The longest delay of a reply. */
const LONGEST_DELAY_MS = 5_000
/** One failure in so many sweeps out the old counts. */
const SWEEP_ODDS = 1_000

/** A login check with its cache. The cache holds keyed digests of verified logins, never a password. */
export async function openLogin(
  database: Database,
  limits: LoginLimits = LOGIN_LIMITS,
  bounds = QUEUE,
): Promise<Login> {
  const cache = new WatchedCache<Account>(database)
  const key = randomBytes(32)
  const nobody = await hashPassword(randomBytes(32).toString('base64'))
  const check = new LoginCheck(database, nobody, limits, bounds)
  const underWay = new Map<string, Promise<LoginOutcome>>()

  async function decide(attempt: Attempt): Promise<LoginOutcome> {
    const { password, service } = attempt
    if (password.length > LONGEST_PASSWORD || password === '') return { kind: 'refused' }
    const address = normalizeAddress(attempt.address)
    const network = networkOf(attempt.clientAddress)
    // The network is part of it: who has to wait must not learn from the cache what the owner has proved.
    const digest = createHmac('sha256', key).update(`${service}\n${network}\n${address}\n${password}`).digest('base64')
    let outcome: LoginOutcome | undefined
    const account = await cache.get(digest, async () => {
      outcome = await shared(digest, () => check.verify({ ...attempt, address }, network))
      return outcome.kind === 'ok' ? outcome.account : undefined
    })
    return outcome ?? { kind: 'ok', account: account! }
  }

  /** A client that opens many sessions at once has its password checked once. */
  function shared(digest: string, verify: () => Promise<LoginOutcome>): Promise<LoginOutcome> {
    const running = underWay.get(digest)
    if (running !== undefined) return running
    const started = verify().finally(() => underWay.delete(digest))
    underWay.set(digest, started)
    return started
  }

  return async (attempt) => {
    const outcome = await decide(attempt)
    logins.inc({ result: outcome.kind })
    return outcome
  }
}

class LoginCheck {
  readonly #database: Database
  readonly #nobody: string
  readonly #limit: LoginLimit
  readonly #queue: PasswordQueue
  readonly #delayStepMs: number

  constructor(database: Database, nobody: string, limits: LoginLimits, bounds: QueueBounds) {
    this.#database = database
    this.#nobody = nobody
    this.#limit = new LoginLimit(database, limits)
    this.#queue = new PasswordQueue(bounds)
    this.#delayStepMs = limits.delayStepMs
  }

  /** An unknown address takes every step that a known one takes. */
  async verify(attempt: Attempt, network: string): Promise<LoginOutcome> {
    const { address, password, service } = attempt
    const found = await findLoginAccount(this.#database, address, network, service, appPasswordDigest(password))
    try {
      const outcome = await (found?.knowsNetwork
        ? this.#fromKnown(found, attempt, network)
        : this.#fromUnknown(found, attempt, network))
      if (outcome.kind === 'refused' && Math.random() * SWEEP_ODDS < 1) await forgetOldLoginFailures(this.#database)
      return outcome
    } catch (error) {
      if (error instanceof QueueFull) return { kind: 'busy' }
      throw error
    }
  }

  async #fromKnown(found: LoginAccount, attempt: Attempt, network: string): Promise<LoginOutcome> {
    const check = () => isPassword(found.passwordHash, attempt.password)
    if (found.appPasswordId !== undefined || (await this.#queue.known(check)))
      return this.#accept(found, attempt, network)
    await this.#delay(network, attempt.address)
    return { kind: 'refused' }
  }

  /** Nothing is asked or counted for an attempt before it has a place in the queue: a flood must cost little. */
  async #fromUnknown(found: LoginAccount | undefined, attempt: Attempt, network: string): Promise<LoginOutcome> {
    const { address, password } = attempt
    const isAppPassword = found?.appPasswordId !== undefined
    using place = isAppPassword ? undefined : this.#queue.place(network)
    if (!(await this.#limit.begin(network, address, isAppPassword))) return { kind: 'slowed' }
    const check = () => isPasswordInBackground(found?.passwordHash ?? this.#nobody, password)
    const isRight = await (place?.run(check) ?? Promise.resolve(true)).catch(async (error: unknown) => {
      await this.#limit.takeBack(network, address)
      throw error
    })
    return isRight && found !== undefined ? this.#accept(found, attempt, network) : { kind: 'refused' }
  }

  async #accept(found: LoginAccount, { service }: Attempt, network: string): Promise<LoginOutcome> {
    const { id, address, appPasswordId, knowsNetwork, isNetworkNoted } = found
    if (!knowsNetwork) await this.#limit.succeed(network, address)
    if (!isNetworkNoted) await noteLoginNetwork(this.#database, id, network)
    if (appPasswordId !== undefined) await noteAppPasswordUse(this.#database, appPasswordId, service)
    return { kind: 'ok', account: { id, address } }
  }

  /** Whoever guesses from where the owner is gets slower; the owner is never sent away. */
  async #delay(network: string, address: string): Promise<void> {
    const failures = await this.#limit.countFailure(network, address)
    await wait(Math.min((failures - 1) * this.#delayStepMs, LONGEST_DELAY_MS))
  }
}
