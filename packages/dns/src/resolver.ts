// The one DNS resolver of a process: a caching stub that asks the configured servers (RFC 1034 section 5.3.1) and
// answers in the shapes, and with the error codes, of node:dns/promises.
import { getServers } from 'node:dns'
import { type Answer, CHAIN_LIMIT, failure, readAnswer } from './answer.ts'
import { AnswerCache } from './answer-cache.ts'
import { DnsError } from './dns-error.ts'
import { Failover } from './failover.ts'
import { toQueryName, toReverseName } from './name.ts'
import { copyRecords, isRecordType, type Records, type RecordsByType, type RecordType } from './records.ts'
import { parseServerAddress } from './server-address.ts'
import { Slots } from './slots.ts'
import { type Counters, Upstream } from './upstream.ts'

/** Questions not yet answered; more are turned away, so that a flood of slow names costs no more than memory for these. */
const MAX_UNDER_WAY = 10_000
const MAX_BURST = 100
const BURST_MS = 500

export interface ResolverOptions {
  /** As in DNS_SERVERS; empty: the machine's own. */
  servers: string[]
  /** How long one server has for one try; default 3,000. */
  timeoutMs?: number
  /** Tries with each server that does not answer; default 2. */
  attempts?: number
  /** Answers kept at most; default 10,000. */
  maxEntries?: number
  /** Clock for expiry, in milliseconds. */
  now?: () => number
}

/**
 * Looks up records. Needs no `this`, so that it can be handed to mailauth (`resolver`) and to mx-connect
 * (`dnsOptions.resolveRecords`) as it is.
 * @throws DnsError: ENOTFOUND and ENODATA are answers, EBADNAME and EBADQUERY the caller's fault, all others temporary.
 */
export interface Resolve {
  <T extends RecordType>(name: string, type: T): Promise<RecordsByType[T]>
  /** The signature that mailauth declares, for every type; MX comes as `{ exchange, priority }` all the same. */
  (name: string, type: string): Promise<string[] | string[][]>
}

/** Records, and whether the DNS server says that it has validated them, with every alias on the way (DNSSEC, AD bit). */
export interface Validated<T extends RecordType> {
  records: RecordsByType[T]
  isValidated: boolean
}

export interface Resolver extends AsyncDisposable {
  readonly resolve: Resolve
  /**
   * As `resolve`, for DANE (RFC 7672): `isValidated` is worth as much as the DNS server and the way to it.
   * @throws DnsError as `resolve`; that of ENOTFOUND and ENODATA has `isValidated` too.
   */
  readonly resolveValidated: <T extends RecordType>(name: string, type: T) => Promise<Validated<T>>
  /** Names of an IP address (PTR). */
  readonly reverse: (address: string) => Promise<string[]>
  /** Whether any of the servers says anything now; asks them, past the cache. */
  readonly isAnswering: () => Promise<boolean>
  readonly counters: Readonly<Counters>
}

/** Makes a resolver. @throws TypeError for a server's address that can't be read. */
export function createResolver(options: ResolverOptions): Resolver {
  const resolver = new CachingResolver(options)
  const resolve = (async (name: string, type: string) => (await resolver.resolve(name, type)).records) as Resolve
  return {
    resolve,
    resolveValidated: (name, type) => resolver.resolve(name, type) as Promise<Validated<typeof type>>,
    reverse: (address) => resolve(toReverseName(address) ?? '', 'PTR'),
    isAnswering: () => resolver.isAnswering(),
    counters: resolver.counters,
    [Symbol.asyncDispose]: () => resolver.close(),
  }
}

class CachingResolver {
  readonly counters: Counters = { queries: 0, hits: 0, answers: 0, timeouts: 0 }
  readonly #servers: Failover
  readonly #cache: AnswerCache
  readonly #underWay = new Map<string, Promise<Answer>>()
  #listening: Promise<boolean> | undefined
  readonly #slots = new Slots(MAX_BURST, BURST_MS)

  constructor(options: ResolverOptions) {
    const { servers, timeoutMs = 3000, attempts = 2, maxEntries = 10_000 } = options
    const addresses = (servers.length > 0 ? servers : getServers()).map(parseServerAddress)
    const upstreams = addresses.map((address) => new Upstream(address, this.counters))
    this.#servers = new Failover(upstreams, attempts, timeoutMs)
    this.#cache = new AnswerCache(maxEntries, options.now ?? (() => performance.now()))
  }

  async resolve(name: string, type: string): Promise<{ records: Records; isValidated: boolean }> {
    if (!isRecordType(type)) throw new DnsError('EBADQUERY', name, type)
    let current = toQueryName(name)
    if (current === undefined) throw new DnsError('EBADNAME', name, type)
    let isValidated = true
    for (let links = 0; links <= CHAIN_LIMIT; links++) {
      const answer = await this.#ask(current, type)
      switch (answer.kind) {
        case 'records':
          return { records: copyRecords(answer.records), isValidated: isValidated && answer.isValidated }
        case 'alias':
          current = answer.target
          isValidated &&= answer.isValidated
          break
        case 'none':
          throw new DnsError(answer.code, name, type, { isValidated: isValidated && answer.isValidated })
        case 'failure':
          throw new DnsError(answer.code, name, type, { cause: answer.cause })
      }
    }
    throw new DnsError('ESERVFAIL', name, type, { cause: 'too many aliases' })
  }

  /** One question at a time, however many ask. */
  isAnswering(): Promise<boolean> {
    this.#listening ??= this.#servers.isAnswering().finally(() => {
      this.#listening = undefined
    })
    return this.#listening
  }

  async close(): Promise<void> {
    this.#servers.close()
    await Promise.all(this.#underWay.values())
  }

  #ask(name: string, type: RecordType): Answer | Promise<Answer> {
    const key = `${type} ${name}`
    const kept = this.#cache.get(key)
    if (kept !== undefined) {
      this.counters.hits += 1
      return kept
    }
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    if (this.#underWay.size >= MAX_UNDER_WAY) return failure('ETIMEOUT', 'too many questions are under way')
    const asked = this.#fetch(key, name, type).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, asked)
    return asked
  }

  async #fetch(key: string, name: string, type: RecordType): Promise<Answer> {
    try {
      const message = await this.#slots.run(() => this.#servers.ask(name, type))
      const answer = readAnswer(message.packet, message.rcode, name, type)
      this.#cache.set(key, answer, message.sizeBytes)
      return answer
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      const answer = failure(error.code, error)
      this.#cache.set(key, answer, 0)
      return answer
    }
  }
}
