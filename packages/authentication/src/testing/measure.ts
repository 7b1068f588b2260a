// What verifying costs beside the bare library, in one process, in turns: node deploy/local/run.mjs packages/authentication/src/testing/measure.ts

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
const ROUNDS = 10
/** Mails in hand at a time, as in the stage. */
const AT_ONCE = 16

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

/** Mails a second. */
async function rate(verify: (job: Job) => Promise<unknown>): Promise<number> {
  const since = performance.now()
  const rest = jobs.values()
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const job of rest) await verify(job)
    }),
  )
  return (MAILS * 1000) / (performance.now() - since)
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!

for (let round = 0; round < 3; round++) for (const verify of [bare, ours]) await rate(verify)
const queriesBefore = server.queries.length
const ratios: number[] = []
const rates: Record<'bare' | 'ours', number[]> = { bare: [], ours: [] }
for (let round = 0; round < ROUNDS; round++) {
  // In turns, and each first in half of the rounds: the machine's other work hits both alike.
  const order = round % 2 === 0 ? (['bare', 'ours'] as const) : (['ours', 'bare'] as const)
  for (const name of order) rates[name].push(await rate(name === 'bare' ? bare : ours))
  ratios.push(rates.ours.at(-1)! / rates.bare.at(-1)!)
}
const queries = (server.queries.length - queriesBefore) / (2 * ROUNDS * MAILS)
console.log(`bare library ${median(rates.bare).toFixed(0)} mails/s, ours ${median(rates.ours).toFixed(0)} mails/s`)
console.log(`ours / bare: ${(100 * median(ratios)).toFixed(0)}% (median of ${ROUNDS} rounds of ${MAILS} mails)`)
console.log(`DNS queries a mail, all senders known: ${queries.toFixed(3)}`)
