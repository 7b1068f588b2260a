// A real authoritative DNS server for tests, over UDP and TCP on 127.0.0.1, whose records a test sets while it runs
// (RFC 1035; negative answers by RFC 2308, truncation and payload size by RFC 6891).

import type { Answer, DecodedPacket, Question } from 'dns-packet'
import {
  AUTHENTIC_DATA,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  RECURSION_AVAILABLE,
  TRUNCATED_RESPONSE,
} from 'dns-packet'
import { type TestRecords, type TestRecordType, toAnswer, type Zone, ZoneRecords } from './dns-server-records.ts'
import { type DnsSockets, serveDns, type Via } from './dns-server-socket.ts'

/** SERVFAIL: answers so. timeout: never answers. truncate: answers over UDP with the TC bit only, in full over TCP. */
export type Fault = 'SERVFAIL' | 'timeout' | 'truncate'

export interface DnsServerOptions {
  /** Zones by apex; a name in none of them is REFUSED. Default: the root, so that every unknown name is NXDOMAIN. */
  zones?: Record<string, Zone>
  port?: number
}

export interface SeenQuery {
  name: string
  type: string
  via: Via
}

const RCODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 }

/** Starts the server; nothing is cached from its negative answers unless a zone says so. */
export async function startDnsServer(options: DnsServerOptions = {}): Promise<TestDnsServer> {
  const server = new TestDnsServer(new ZoneRecords(options.zones ?? { '.': { negativeTtlSeconds: 0 } }))
  await server.listen(options.port)
  return server
}

class TestDnsServer {
  /** Every question in the order of arrival, names in lower case. */
  readonly queries: SeenQuery[] = []
  readonly #records: ZoneRecords
  readonly #faults = new Map<string, Fault>()
  readonly #validated = new Set<string>()
  #sockets!: DnsSockets

  constructor(records: ZoneRecords) {
    this.#records = records
  }

  async listen(port?: number): Promise<void> {
    this.#sockets = await serveDns((query, via) => this.#respond(query, via), port)
  }

  /** `127.0.0.1:port`, as DNS_SERVERS takes it. */
  get address(): string {
    return this.#sockets.address
  }

  /** Replaces the records of one name and type. */
  set<T extends TestRecordType>(name: string, type: T, records: TestRecords[T][], { ttlSeconds = 60 } = {}): void {
    this.#records.set(
      name,
      type,
      records.map((record) => toAnswer(name, type, record, ttlSeconds)),
    )
  }

  delete(name: string, type: TestRecordType): void {
    this.#records.delete(name, type)
  }

  /** Makes every question about `name` fail in one way, until `heal`. */
  fail(name: string, fault: Fault): void {
    this.#faults.set(name.toLowerCase(), fault)
  }

  heal(name: string): void {
    this.#faults.delete(name.toLowerCase())
  }

  /** Answers about this name claim from now on to be validated by DNSSEC, to who asks with AD or DO. */
  validate(name: string): void {
    this.#validated.add(name.toLowerCase())
  }

  /** How many questions about this name (and type) have arrived. */
  countQueries(name: string, type?: string): number {
    const wanted = name.toLowerCase()
    return this.queries.filter((query) => query.name === wanted && (type === undefined || query.type === type)).length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sockets[Symbol.asyncDispose]()
  }

  #respond(message: Buffer, via: Via): Buffer[] {
    const query = decode(message)
    const question = query.questions?.[0]
    if (question === undefined) return []
    const name = question.name.toLowerCase()
    this.queries.push({ name, type: question.type, via })
    const fault = this.#faults.get(name)
    if (fault === 'timeout') return []
    if (fault === 'SERVFAIL') return [build(query, question, RCODES.SERVFAIL)]
    if (fault === 'truncate' && via === 'udp') return [build(query, question, TRUNCATED_RESPONSE)]
    const { rcode, answers, authorities } = this.#records.answer(name, question.type)
    const isValidated = this.#validated.has(name) && asksForValidation(query)
    const flags = RCODES[rcode] | (isValidated ? AUTHENTIC_DATA : 0)
    const response = build(query, question, flags, answers, authorities)
    if (via === 'udp' && response.length > payloadLimit(query)) return [build(query, question, TRUNCATED_RESPONSE)]
    return [response]
  }
}

export type { TestDnsServer }

function build(
  query: DecodedPacket,
  question: Question,
  flags: number,
  answers: Answer[] = [],
  authorities: Answer[] = [],
): Buffer {
  return encode({
    type: 'response',
    id: query.id,
    flags: flags | AUTHORITATIVE_ANSWER | RECURSION_AVAILABLE,
    questions: [question],
    answers,
    authorities,
    additionals: query.additionals?.filter((record) => record.type === 'OPT'),
  })
}

/** RFC 6840 section 5.8: AD is for those who asked with AD or DO. */
function asksForValidation(query: DecodedPacket): boolean {
  return query.flag_ad || query.additionals?.some((record) => record.type === 'OPT' && record.flag_do) === true
}

function payloadLimit(query: DecodedPacket): number {
  const opt = query.additionals?.find((record) => record.type === 'OPT')
  return opt?.type === 'OPT' ? Math.max(512, opt.udpPayloadSize) : 512
}
