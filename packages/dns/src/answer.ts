// What a decoded message says about one question: records, an alias to ask on, or nothing, each with the time that it
// may be kept (RFC 1034 section 3.6.2, RFC 2181 section 8, RFC 2308).
import type { DecodedPacket, Answer as ResourceRecord } from 'dns-packet'
import type { DnsErrorCode } from './dns-error.ts'
import { toQueryName } from './name.ts'
import { type Records, type RecordType, toRecords } from './records.ts'

/**
 * `ttlSeconds` 0 means: for this caller only. An alias is left when the message stops short of the chain's end.
 * `isValidated`: the server says that it has validated all of this by DNSSEC (AD bit, RFC 4035 section 3.2.3).
 */
export type Answer =
  | { kind: 'records'; records: Records; isValidated: boolean; ttlSeconds: number }
  | { kind: 'alias'; target: string; isValidated: boolean; ttlSeconds: number }
  | { kind: 'none'; code: 'ENOTFOUND' | 'ENODATA'; isValidated: boolean; ttlSeconds: number }
  | { kind: 'failure'; code: DnsErrorCode; cause: unknown; ttlSeconds: number }

/** Longest chain of aliases followed, in one message and over several. */
export const CHAIN_LIMIT = 8

/** Longest times that an answer is kept: RFC 8767 section 4 names a week, RFC 2308 section 5 three hours. */
const MAX_TTL_SECONDS = 7 * 24 * 3600
const MAX_NEGATIVE_TTL_SECONDS = 3 * 3600

const NXDOMAIN = 3

type Owned = Exclude<ResourceRecord, { type: 'OPT' }>

/** Reads a NOERROR or NXDOMAIN message. */
export function readAnswer(packet: DecodedPacket, rcode: number, name: string, type: RecordType): Answer {
  const answers = recordsIn(packet.answers)
  let current = name
  let ttlSeconds = MAX_TTL_SECONDS
  for (let links = 0; ; links++) {
    const own = answers.filter((record) => record.name.toLowerCase() === current)
    const found = own.filter((record) => record.type === type)
    if (found.length > 0) {
      const foundTtl = Math.min(ttlSeconds, ...found.map(ttlOf))
      return { kind: 'records', records: toRecords(type, found), isValidated: packet.flag_ad, ttlSeconds: foundTtl }
    }
    const alias = own.find((record) => record.type === 'CNAME')
    if (alias === undefined) break
    const target = toQueryName(alias.data as string)
    if (target === undefined || links === CHAIN_LIMIT) return failure('EBADRESP', 'unusable alias')
    ttlSeconds = Math.min(ttlSeconds, ttlOf(alias))
    current = target
  }
  return readNothing(packet, rcode, current === name ? undefined : current, ttlSeconds)
}

/** The end of the chain has no such records: which kind of nothing is it, and how long does it hold? */
function readNothing(packet: DecodedPacket, rcode: number, target: string | undefined, chainTtl: number): Answer {
  const authorities = recordsIn(packet.authorities)
  const soa = authorities.find((record) => record.type === 'SOA')
  if (rcode !== NXDOMAIN && soa === undefined) {
    if (target !== undefined) return { kind: 'alias', target, isValidated: packet.flag_ad, ttlSeconds: chainTtl }
    if (authorities.some((record) => record.type === 'NS')) return failure('ESERVFAIL', 'a referral, no answer')
  }
  const minimum = soa?.type === 'SOA' ? clampTtl(soa.data.minimum ?? 0) : 0
  const negativeTtl = soa === undefined ? 0 : Math.min(ttlOf(soa), minimum, MAX_NEGATIVE_TTL_SECONDS)
  const code = rcode === NXDOMAIN ? 'ENOTFOUND' : 'ENODATA'
  return { kind: 'none', code, isValidated: packet.flag_ad, ttlSeconds: Math.min(chainTtl, negativeTtl) }
}

/** A question that could not be settled. Kept for the second that RFC 9520 section 3.2 asks for. */
export function failure(code: DnsErrorCode, cause: unknown): Answer {
  return { kind: 'failure', code, cause, ttlSeconds: code === 'ECANCELLED' ? 0 : 1 }
}

function recordsIn(section: ResourceRecord[] | undefined): Owned[] {
  return (section ?? []).filter((record) => record.type !== 'OPT').filter((record) => record.class === 'IN')
}

function ttlOf(record: Owned): number {
  return clampTtl(record.ttl ?? 0)
}

/** A TTL with the highest bit set counts as 0 (RFC 2181 section 8). */
function clampTtl(ttl: number): number {
  return ttl > 0x7fff_ffff ? 0 : Math.min(ttl, MAX_TTL_SECONDS)
}
