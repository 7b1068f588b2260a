// What the test DNS server knows: records by name and type, and what an authoritative server makes of a question
// about them (RFC 1034 section 4.3.2, negative answers RFC 2308 section 2).
import type { Answer, SoaData } from 'dns-packet'

/** What each type's records are given as: the shapes of node:dns, except that a long TXT string is split by itself. */
export interface TestRecords {
  A: string
  AAAA: string
  CNAME: string
  NS: string
  PTR: string
  TXT: string | string[]
  MX: { exchange: string; priority: number }
  TLSA: { usage: number; selector: number; matchingType: number; data: Buffer }
}
export type TestRecordType = keyof TestRecords

export interface Zone {
  /** TTL of "no such name" and "no such data" in this zone; 0 keeps them out of every cache. */
  negativeTtlSeconds: number
}

/** The parts of a response; the server adds header and question. */
export interface Response {
  rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED' | 'SERVFAIL'
  answers: Answer[]
  authorities: Answer[]
}

const CHAIN_LIMIT = 9

/** Records of a few zones, changed while the server runs. Names compare without regard to case or a final dot. */
export class ZoneRecords {
  readonly #zones = new Map<string, Zone>()
  readonly #nodes = new Map<string, Map<string, Answer[]>>()

  constructor(zones: Record<string, Zone>) {
    for (const [apex, zone] of Object.entries(zones)) this.#zones.set(canonical(apex), zone)
  }

  set(name: string, type: string, answers: Answer[]): void {
    const key = canonical(name)
    const node = this.#nodes.get(key) ?? new Map<string, Answer[]>()
    this.#nodes.set(key, node.set(type, answers))
  }

  delete(name: string, type: string): void {
    const node = this.#nodes.get(canonical(name))
    node?.delete(type)
    if (node?.size === 0) this.#nodes.delete(canonical(name))
  }

  /** Answers a question, following CNAMEs as far as this server's own zones go. */
  answer(name: string, type: string): Response {
    const answers: Answer[] = []
    let current = canonical(name)
    for (let links = 0; links < CHAIN_LIMIT; links++) {
      const apex = this.#apexOf(current)
      if (apex === undefined) return { rcode: links === 0 ? 'REFUSED' : 'NOERROR', answers, authorities: [] }
      const node = this.#nodes.get(current)
      const found = node?.get(type)
      if (found !== undefined) return { rcode: 'NOERROR', answers: [...answers, ...found], authorities: [] }
      const alias = node?.get('CNAME')?.[0]
      if (alias === undefined) {
        const rcode = this.#exists(current) ? 'NOERROR' : 'NXDOMAIN'
        return { rcode, answers, authorities: [this.#soa(apex)] }
      }
      answers.push(alias)
      current = canonical((alias as { data: string }).data)
    }
    return { rcode: 'NOERROR', answers, authorities: [] }
  }

  /** True for a name with records and for an empty non-terminal above one (RFC 8020). */
  #exists(name: string): boolean {
    if (this.#zones.has(name) || this.#nodes.has(name)) return true
    return [...this.#nodes.keys()].some((owner) => owner.endsWith(`.${name}`))
  }

  #apexOf(name: string): string | undefined {
    for (let rest = name; ; rest = rest.slice(rest.indexOf('.') + 1)) {
      if (this.#zones.has(rest)) return rest
      if (!rest.includes('.')) return this.#zones.has('') ? '' : undefined
    }
  }

  #soa(apex: string): Answer {
    const ttl = this.#zones.get(apex)!.negativeTtlSeconds
    const within = apex === '' ? 'test' : apex
    const data: SoaData = { mname: `ns.${within}`, rname: `hostmaster.${within}`, serial: 1, minimum: ttl }
    return { type: 'SOA', name: apex === '' ? '.' : apex, ttl, data: { ...data, refresh: 60, retry: 60, expire: 60 } }
  }
}

/** Turns a record as a test writes it into one as dns-packet encodes it. */
export function toAnswer<T extends TestRecordType>(name: string, type: T, record: TestRecords[T], ttl: number): Answer {
  const owner = { name: canonical(name) || '.', ttl }
  switch (type) {
    case 'TXT':
      return { ...owner, type, data: [record as string | string[]].flat().flatMap(characterStrings) }
    case 'MX': {
      const { exchange, priority } = record as TestRecords['MX']
      return { ...owner, type, data: { exchange: exchange || '.', preference: priority } }
    }
    case 'TLSA': {
      const { data, ...rest } = record as TestRecords['TLSA']
      return { ...owner, type, data: { ...rest, certificate: data } }
    }
    case 'A':
    case 'AAAA':
    case 'CNAME':
    case 'NS':
    case 'PTR':
      return { ...owner, type, data: record as string }
  }
  throw new TypeError(`the test DNS server has no records of type ${String(type)}`)
}

/** Cuts a text into character-strings of at most 255 bytes (RFC 1035 section 3.3). */
function characterStrings(text: string): Buffer[] {
  const bytes = Buffer.from(text)
  const strings: Buffer[] = [bytes.subarray(0, 255)]
  for (let start = 255; start < bytes.length; start += 255) strings.push(bytes.subarray(start, start + 255))
  return strings
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/\.$/, '')
}
