// Records in an object, in place of DNS: absence, aliases and failures as our resolver gives them.
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'

/** What a question for one type gets: records in the shapes of node:dns (TXT: also plain texts), or no answer in time. */
export type ZoneAnswer = unknown[] | 'TIMEOUT' | 'SERVFAIL'

/** By name, then by type; `ANY` stands for every type that is not there. Names compare without regard to case. */
export type Zone = Record<string, Record<string, ZoneAnswer>>

const CHAIN_LIMIT = 8

/** A resolver over these records. `questions` collects what was asked, as "TXT name". */
export function zoneResolver(zone: Zone, questions: string[] = []): Resolve {
  const nodes = new Map(Object.entries(zone).map(([name, node]) => [canonical(name), node]))
  const resolve = async (name: string, type: string): Promise<unknown[]> => {
    questions.push(`${type} ${name}`)
    let current = canonical(name)
    for (let links = 0; links <= CHAIN_LIMIT; links++) {
      if (current.split('.').some((label) => label === '' || label.length > 63))
        throw new DnsError('EBADNAME', name, type)
      const node = nodes.get(current)
      if (node === undefined) throw new DnsError(hasNamesBelow(nodes, current) ? 'ENODATA' : 'ENOTFOUND', name, type)
      const answer = node[type] ?? node.ANY
      if (answer === 'TIMEOUT') throw new DnsError('ETIMEOUT', name, type)
      if (answer === 'SERVFAIL') throw new DnsError('ESERVFAIL', name, type)
      if (answer !== undefined) return answer.map((record) => shaped(type, record))
      const alias = node.CNAME?.[0]
      if (alias === undefined) throw new DnsError('ENODATA', name, type)
      current = canonical(alias as string)
    }
    throw new DnsError('EBADRESP', name, type)
  }
  return resolve as unknown as Resolve
}

/** Texts come as our resolver gives them: a list of character-strings, octets as Latin-1. */
function shaped(type: string, record: unknown): unknown {
  if (type !== 'TXT') return record
  return [record as string | string[]].flat().map((text) => Buffer.from(text).toString('latin1'))
}

function hasNamesBelow(nodes: Map<string, unknown>, name: string): boolean {
  return [...nodes.keys()].some((owner) => owner.endsWith(`.${name}`))
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
