// Garbage, and valid answers with bytes changed, cut off and repeated, from a server that is not to be trusted.
import assert from 'node:assert/strict'
import { isIPv4 } from 'node:net'
import { test } from 'node:test'
import { serveDns } from '@sekimori/testing/dns-server-socket'
import { eventually } from '@sekimori/testing/eventually'
import { type Answer, encode, RECURSION_AVAILABLE } from 'dns-packet'
import { readAnswer } from './answer.ts'
import { DnsError } from './dns-error.ts'
import { encodeQuestion, readMessage, withId } from './message.ts'
import type { RecordType } from './records.ts'
import { createResolver } from './resolver.ts'

const NAME = 'fuzz.example.test'
const ID = 4711
const DATA: Record<RecordType, unknown[]> = {
  A: ['192.0.2.1', '192.0.2.2'],
  AAAA: ['2001:db8::1'],
  CNAME: ['next.example.test'],
  NS: ['ns.example.test'],
  PTR: ['ptr.example.test'],
  TXT: [['one', 'two'], 'k'.repeat(200)],
  MX: [{ exchange: 'mx.example.test', preference: 5 }],
  TLSA: [{ usage: 3, selector: 1, matchingType: 1, certificate: Buffer.alloc(32) }],
  SOA: [{ mname: 'ns.test', rname: 'h.test', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 9 }],
}
const TYPES = Object.keys(DATA) as RecordType[]

/** Pseudo-random numbers from 0 to `below`, the same in every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

function validAnswer(type: RecordType): Buffer {
  const alias: Answer = { type: 'CNAME', name: NAME, ttl: 9, class: 'IN', data: 'host.example.test' }
  const owner = type === 'CNAME' ? NAME : alias.data
  const answers = DATA[type].map((data) => ({ type, name: owner, ttl: 9, class: 'IN', data }) as Answer)
  const authorities: Answer[] = [{ type: 'SOA', name: 'test', ttl: 9, class: 'IN', data: DATA.SOA[0] as never }]
  const all = type === 'CNAME' ? answers : [alias, ...answers]
  const questions = [{ type, name: NAME }]
  return encode({ type: 'response', id: ID, flags: RECURSION_AVAILABLE, questions, answers: all, authorities })
}

/** Damages what follows the id; the question stays, so that the message is read at all. */
function damage(message: Buffer, below: (limit: number) => number): Buffer {
  const start = 12 + NAME.length + 6
  const damaged = Buffer.from(message)
  for (let hits = below(6); hits >= 0; hits--) damaged[start + below(damaged.length - start)] = below(256)
  if (below(3) === 0) damaged.writeUInt16BE(below(65_536), [6, 8, 10][below(3)]!)
  if (below(8) === 0) damaged[3] = below(256)
  if (below(4) === 0) return damaged.subarray(0, start + below(damaged.length - start))
  if (below(8) === 0) return Buffer.concat([damaged, damaged.subarray(start)])
  return damaged
}

test('no damaged message makes the reader throw, or take longer than reading takes', () => {
  const below = numbers(1)
  const kinds = new Set<string>()
  const before = process.cpuUsage()
  for (let round = 0; round < 20_000; round++) {
    const type = TYPES[below(TYPES.length)]!
    const question = encodeQuestion(NAME, type)
    const reading = readMessage(damage(validAnswer(type), below), question, ID)
    kinds.add(reading.kind)
    if (reading.kind !== 'answer') continue
    const answer = readAnswer(reading.packet, reading.rcode & 3, NAME, type)
    kinds.add(answer.kind)
    if (answer.kind === 'records') assertClean(type, answer.records)
  }
  for (const kind of ['answer', 'malformed', 'none', 'records']) assert.ok(kinds.has(kind), kind)
  assert.ok(process.cpuUsage(before).user < 20_000_000)
})

function assertClean(type: RecordType, records: unknown): void {
  const text = JSON.stringify(records)
  if (type === 'A') assert.ok((records as string[]).every(isIPv4), text)
  if (type !== 'TXT' && type !== 'TLSA') assert.match(text, /^[\x20-\x7e]*$/)
  assert.ok(text.length < 20_000)
}

test('a message that claims more than it holds is dropped before it is decoded', () => {
  const claims = validAnswer('A')
  claims.writeUInt16BE(65_535, 6)
  assert.equal(readMessage(claims, encodeQuestion(NAME, 'A'), ID).kind, 'malformed')
})

test('an address that is not as long as an address is no address', () => {
  for (const type of ['A', 'AAAA'] as const) {
    const short = validAnswer(type)
    const data = short.lastIndexOf(Buffer.from([0, 0, 0, 9, 0, type === 'A' ? 4 : 16]), -40)
    assert.ok(data > 0)
    short[data + 5]! -= 1
    assert.equal(readMessage(short, encodeQuestion(NAME, type), ID).kind, 'malformed')
  }
})

test('whatever a server sends, the resolver gives records or a DnsError, and goes on working', async () => {
  const below = numbers(2)
  const messages = TYPES.map(validAnswer)
  let round = 0
  await using server = await serveDns((query, via) => {
    const id = query.readUInt16BE(0)
    if (round >= 40) return [withId({ name: NAME, type: 'A', bytes: validAnswer('A') }, id)]
    const garbage = Buffer.from(Array.from({ length: below(600) }, () => below(256)))
    const damaged = damage(messages[below(messages.length)]!, below)
    return via === 'tcp' ? [garbage] : [garbage, withId({ name: NAME, type: 'A', bytes: damaged }, id), garbage]
  })
  const now = () => round * 1e9
  await using resolver = createResolver({ servers: [server.address], timeoutMs: 30, attempts: 1, now })
  for (; round < 40; round++) {
    for (const outcome of await Promise.allSettled(TYPES.map((type) => resolver.resolve(NAME, type))))
      if (outcome.status === 'rejected') assert.ok(outcome.reason instanceof DnsError, String(outcome.reason))
  }
  assert.ok(resolver.counters.queries >= 40 * TYPES.length)
  const answered = await eventually(() => {
    round++ // what was cached before has expired, a try that came too late included
    return resolver.resolve(NAME, 'A')
  })
  assert.deepEqual(answered, DATA.A)
})
