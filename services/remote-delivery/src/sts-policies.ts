// The MTA-STS policy of each domain: from memory, from Postgres, or fetched when the domain announces a new one
// (RFC 8461 sections 3 and 5.1). A policy that has not expired holds, whatever becomes of the announcement.
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import type { Log } from '@sekimori/runtime/log'
import { LRUCache } from 'lru-cache'
import { announcedId, type StsPolicy } from './mta-sts.ts'
import { PolicyError, type PolicyFault } from './sts-fetch.ts'

export interface StsPorts {
  resolve: Resolve
  find(domain: string): Promise<StsPolicy | undefined>
  keep(domain: string, policy: StsPolicy): Promise<void>
  /** @throws PolicyError when there is no policy that can be used. */
  fetch(domain: string, id: string): Promise<StsPolicy>
  /** Tells that a domain announces a policy that can't be had. */
  reportFault(domain: string, fault: PolicyFault): void
  log: Log
}

/** How long an answer is taken from memory; an announcement has its own time to live beside that. */
const REMEMBERED_MS = 60_000
const REMEMBERED_DOMAINS = 5_000
/** How long a policy that could not be fetched is not asked for again (section 3.3: at least five minutes). */
const REST_MS = 300_000

export class StsPolicies {
  readonly #ports: StsPorts
  readonly #known = new LRUCache<string, { policy: StsPolicy | undefined }>({
    max: REMEMBERED_DOMAINS,
    ttl: REMEMBERED_MS,
  })
  readonly #failed = new LRUCache<string, string>({ max: REMEMBERED_DOMAINS, ttl: REST_MS })
  readonly #underWay = new Map<string, Promise<StsPolicy | undefined>>()

  constructor(ports: StsPorts) {
    this.#ports = ports
  }

  /** The policy that mail to the domain goes by, of mode `enforce` or `testing`. */
  async of(domain: string): Promise<StsPolicy | undefined> {
    const known = this.#known.get(domain)
    if (known !== undefined) return known.policy
    const underWay = this.#underWay.get(domain) ?? this.#look(domain).finally(() => this.#underWay.delete(domain))
    this.#underWay.set(domain, underWay)
    return underWay
  }

  async #look(domain: string): Promise<StsPolicy | undefined> {
    const [id, kept] = await Promise.all([this.#announced(domain), this.#ports.find(domain)])
    const policy = id === undefined || id === kept?.id ? kept : ((await this.#fetch(domain, id)) ?? kept)
    const effective = policy?.mode === 'none' ? undefined : policy
    this.#known.set(domain, { policy: effective })
    return effective
  }

  async #announced(domain: string): Promise<string | undefined> {
    try {
      return announcedId(await this.#ports.resolve(`_mta-sts.${domain}`, 'TXT'))
    } catch (error) {
      if (error instanceof DnsError) return undefined // without an announcement only what is kept counts
      throw error
    }
  }

  async #fetch(domain: string, id: string): Promise<StsPolicy | undefined> {
    if (this.#failed.get(domain) === id) return undefined
    try {
      const policy = await this.#ports.fetch(domain, id)
      await this.#ports.keep(domain, policy)
      return policy
    } catch (error) {
      this.#failed.set(domain, id)
      this.#ports.reportFault(domain, error instanceof PolicyError ? error.fault : 'sts-policy-fetch-error')
      this.#ports.log.info({ err: error, domain }, 'MTA-STS policy could not be fetched')
      return undefined
    }
  }
}
