// What verifying costs beside the bare library, in one process: npm run bench:authentication. Both work on blocks of the same
// mails in turns, and what counts is the CPU time of the process, so that other work on the machine hits neither.

import { createResolver } from '@sekimori/dns/resolver'
import type { Job } from '@sekimori/mail/job'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { authenticate } from 'mailauth'
import { createVerifier } from '../verify.ts'
import { openInline, readInlineHead } from './inline-content.ts'
import { publishSenders } from './steady-senders.ts'

const HOSTNAME = 'mx.here.test'
const SENDERS = 50
const MAILS = 400
const ROUNDS = 30
const WARM_UP_ROUNDS = 5
/** Mails of a block: long enough for the clock, short enough that heat and garbage hit both. */
const BLOCK = 50
/** Mails in hand at a time, as in the stage. */
const AT_ONCE = 16
const LEAST_PERCENT = 90

await using server = await startDnsServer({ zones: { test: { negativeTtlSeconds: 3_600 } } })
await using resolver = createResolver({ servers: [server.address] })
const senders = publishSenders(server, SENDERS)
const jobs = Array.from({ length: MAILS }, (_, n) => senders[n % SENDERS]!.mail())

const ours = createVerifier({
  resolve: resolver.resolve,
  isDnsAway: async () => false,
  hostname: HOSTNAME,
  open: openInline,
  head: readInlineHead,
})

async function bare({ content, session, envelope }: Job): Promise<unknown> {
  if (content.kind !== 'inline') throw new Error('only inline content is measured')
  return authenticate(content.bytes, {
    ip: session.clientAddress!,
    helo: session.ehloName!,
    sender: envelope.mailFrom,
    mta: HOSTNAME,
    resolver: resolver.resolve,
    trustReceived: false,
    strict: true,
    disableBimi: true,
  })
}

/** CPU milliseconds of the whole process for these mails. */
async function cost(verify: (job: Job) => Promise<unknown>, block: Job[]): Promise<number> {
  const since = process.cpuUsage()
  const rest = block.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const job of rest) await verify(job)
    }),
  )
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** One round over all mails: what each has cost. */
async function measure(round: number): Promise<{ bare: number; ours: number }> {
  const sums = { bare: 0, ours: 0 }
  for (let from = 0; from < MAILS; from += BLOCK) {
    const block = jobs.slice(from, from + BLOCK)
    // Each first in half of the blocks.
    const isBareFirst = (round + from / BLOCK) % 2 === 0
    for (const name of isBareFirst ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const))
      sums[name] += await cost(name === 'bare' ? bare : ours, block)
  }
  return sums
}

for (let round = 0; round < WARM_UP_ROUNDS; round++) await measure(round)
const queriesBefore = server.queries.length
const rounds: { bare: number; ours: number }[] = []
for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(round))
const queries = (server.queries.length - queriesBefore) / (2 * ROUNDS * MAILS)
const each = (name: 'bare' | 'ours') => median(rounds.map((round) => round[name])) / MAILS
const percent = 100 * median(rounds.map((round) => round.bare / round.ours))
console.log(`CPU a mail: bare library ${each('bare').toFixed(3)} ms, ours ${each('ours').toFixed(3)} ms`)
console.log(`our rate: ${percent.toFixed(0)}% of the bare library's (median of ${ROUNDS} rounds of ${MAILS} mails)`)
console.log(`DNS queries a mail, all senders known: ${queries.toFixed(3)}`)
if (percent < LEAST_PERCENT) process.exitCode = 1
