// What DNS shows for a key: every server of DNS_SERVERS is asked, and all must show it.
import { lookUpKey, type ShownKey } from '@sekimori/dns/dkim-record'
import { DnsError } from '@sekimori/dns/dns-error'
import { askEveryServer } from '@sekimori/dns/every-server'
import type { Resolve } from '@sekimori/dns/resolver'
import type { KeyToLookFor, Look } from '@sekimori/store/dkim-key-look'

/** Looks for a key. */
export async function lookForKey(servers: string[], key: KeyToLookFor): Promise<Look> {
  const seen = await askEveryServer(servers, async (resolve) => {
    const shown = await lookUpKey(resolve, key)
    const isAwaited = key.state === 'pending' && shown.kind === 'matches'
    return { shown, negativeTtlSeconds: isAwaited ? await longestNegativeTtl(resolve, key) : 0 }
  })
  return {
    shown: together(seen.map(({ shown }) => shown)),
    negativeTtlSeconds: Math.max(0, ...seen.map((one) => one.negativeTtlSeconds)),
  }
}

/** What one server lacks is not shown. Where nothing lacks but a server does not answer, nothing is known. */
function together(seen: ShownKey[]): Look['shown'] {
  const kinds = new Set(seen.map(({ kind }) => kind))
  return (['differs', 'missing', 'unknown'] as const).find((kind) => kinds.has(kind)) ?? 'matches'
}

const MOST_ALIASES = 8

/** Of the key's own zone, and of each zone that its name is delegated to by CNAME: any of these may have lacked the record. */
async function longestNegativeTtl(resolve: Resolve, { name }: KeyToLookFor): Promise<number> {
  let longest = 0
  let current: string | undefined = name
  for (let links = 0; current !== undefined && links <= MOST_ALIASES; links++) {
    longest = Math.max(longest, await negativeTtlSeconds(resolve, current))
    current = await aliasOf(resolve, current)
  }
  return longest
}

async function aliasOf(resolve: Resolve, name: string): Promise<string | undefined> {
  try {
    return (await resolve(name, 'CNAME'))[0]
  } catch (error) {
    if (error instanceof DnsError) return undefined // no alias, or none that can be told now
    throw error
  }
}

/** How long resolvers may remember that the zone had no such record (RFC 2308 section 5); 0 when the zone does not say. */
async function negativeTtlSeconds(resolve: Resolve, domain: string): Promise<number> {
  const labels = domain.split('.')
  for (let above = 0; above < labels.length; above++) {
    try {
      return (await resolve(labels.slice(above).join('.'), 'SOA')).minttl
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      const { code } = error
      if (code !== 'ENODATA' && code !== 'ENOTFOUND') return 0
    }
  }
  return 0
}
