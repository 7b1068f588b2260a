// What DNS shows for a key: every server of DNS_SERVERS is asked, and all must show it.
import { lookUpKey, type ShownKey } from '@sekimori/dns/dkim-record'
import type { DnsError } from '@sekimori/dns/dns-error'
import { askEveryServer } from '@sekimori/dns/every-server'
import type { Resolve } from '@sekimori/dns/resolver'
import type { KeyToLookFor, Look } from '@sekimori/store/dkim-key-look'

/** Looks for a key. */
export async function lookForKey(servers: string[], key: KeyToLookFor): Promise<Look> {
  const seen = await askEveryServer(servers, async (resolve) => {
    const shown = await lookUpKey(resolve, key)
    const isAwaited = key.state === 'pending' && shown.kind === 'matches'
    return { shown, negativeTtlSeconds: isAwaited ? await negativeTtlSeconds(resolve, key.domain) : 0 }
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

/** How long resolvers may remember that the zone had no such record (RFC 2308 section 5); 0 when the zone does not say. */
async function negativeTtlSeconds(resolve: Resolve, domain: string): Promise<number> {
  const labels = domain.split('.')
  for (let above = 0; above < labels.length; above++) {
    try {
      return (await resolve(labels.slice(above).join('.'), 'SOA')).minttl
    } catch (error) {
      const { code } = error as DnsError
      if (code !== 'ENODATA' && code !== 'ENOTFOUND') return 0
    }
  }
  return 0
}
