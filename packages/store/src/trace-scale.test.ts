// Searching a large trace. TRACE_ROWS=10000000 node deploy/local/test.mjs packages/store/src/trace-scale.test.ts fills so many
// rows (10 minutes), shows the plan and the time of each kind of search, the first and the middle one of four more, and fails
// when that takes 100 ms; without it, few rows are filled.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDatabase } from '@sekimori/testing/test-database'
import type { Database } from './database.ts'
import { BUSY, DAYS, fillTrace } from './testing/trace-filler.ts'
import { searchTrace } from './trace-admin.ts'
import { type TraceFilter, type TraceScope, traceQuery } from './trace-query.ts'

const ROWS = Number(process.env.TRACE_ROWS ?? 6_000)
const IS_LARGE = process.env.TRACE_ROWS !== undefined
const LONGEST_MS = 100
const PAGE = { limit: 50 }
const ALL: TraceScope = { kind: 'all' }

interface Search {
  name: string
  filter: TraceFilter
  scope?: TraceScope
  after?: string[]
}

async function searches(database: Database): Promise<Search[]> {
  const { rows } = await database.query<{ queue_id: string; recipient: string; message_id: string; account: string }>(
    `select queue_id, recipient, message_id, account from message_trace where account is not null
     and queue_id >= trace_bound(now() - interval '20 days') order by queue_id limit 1`,
  )
  const { queue_id: queueId, recipient, message_id: messageId, account } = rows[0]!
  const middle = new Date(Date.now() - (DAYS / 2) * 86_400_000)
  const domain = account.split('@')[1]!
  const busy = await searchTrace(database, { address: BUSY }, PAGE)
  return [
    { name: 'queue id', filter: { queueId } },
    { name: 'Message-ID', filter: { messageId } },
    { name: 'address outside', filter: { address: recipient.toUpperCase() } },
    { name: 'account', filter: { address: account } },
    { name: 'busy address', filter: { address: BUSY } },
    { name: 'busy address, second page', filter: { address: BUSY }, ...(busy.next ? { after: busy.next } : {}) },
    { name: 'busy address, bounced', filter: { address: BUSY, outcome: 'bounced' } },
    { name: 'address, a week', filter: { address: account, since: middle, until: new Date(middle.getTime() + 6e8) } },
    { name: 'bounced, a month ago', filter: { outcome: 'bounced', until: middle } },
    { name: 'everything, newest', filter: {} },
    { name: 'everything under way', filter: { outcome: 'under-way' } },
    { name: 'operator of a domain', filter: {}, scope: { kind: 'domains', domains: [domain] } },
    {
      name: 'operator, bounced',
      filter: { outcome: 'bounced' },
      scope: { kind: 'domains', domains: [domain, 'd1.test'] },
    },
    ...[account, BUSY].map((address) => ({
      name: `operator, ${address === BUSY ? 'busy ' : ''}address of another's`,
      filter: { address },
      scope: { kind: 'domains' as const, domains: ['d1.test'] },
    })),
    {
      name: 'operator of 50 domains',
      filter: {},
      scope: { kind: 'domains', domains: Array.from({ length: 50 }, (_, i) => `d${i}.test`) },
    },
    { name: 'owner of an account', filter: {}, scope: { kind: 'account', address: account } },
    { name: 'owner, to somebody', filter: { address: recipient }, scope: { kind: 'account', address: account } },
    { name: 'nothing found', filter: { address: 'nobody@nowhere.example' } },
  ]
}

test('every kind of search is answered by indexes, whole partitions are not read', {
  timeout: 3_600_000,
}, async (t) => {
  await using stack = await createTestDatabase()
  const { database } = stack
  await fillTrace(stack.url, ROWS, (rows) => IS_LARGE && t.diagnostic(`${rows} rows`))
  const slow: string[] = []
  for (const { name, filter, scope = ALL, after } of await searches(database)) {
    const page = { ...PAGE, after }
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const from = performance.now()
      await searchTrace(database, filter, page, scope)
      times.push(performance.now() - from)
    }
    const [first, ...rest] = times as [number, ...number[]]
    const { items } = await searchTrace(database, filter, page, scope)
    // Of few rows some searches find none.
    if (IS_LARGE || name === 'queue id') assert.equal(items.length > 0, !/nothing|another's/.test(name), name)
    if (!IS_LARGE) continue
    const warm = rest.toSorted((a, b) => a - b)[1]!
    t.diagnostic(`| ${name} | ${items.length} | ${first.toFixed(1)} | ${warm.toFixed(1)} |`)
    const { text, values } = traceQuery(filter, page, scope)
    const { rows } = await database.query<Record<string, string>>(`explain (costs off) ${text}`, values)
    const plan = rows.map((row) => row['QUERY PLAN']!)
    if (name === 'busy address, bounced') for (const line of plan) t.diagnostic(line)
    if (plan.some(readsPartition)) slow.push(`${name}: reads a partition`)
    if (warm > LONGEST_MS) slow.push(`${name}: ${warm.toFixed(0)} ms`)
  }
  assert.deepEqual(slow, [])
})

/** Those of weeks to come are empty: there is nothing to be read. */
function readsPartition(line: string): boolean {
  const day = /Seq Scan on message_trace_(\d{8})/.exec(line)?.[1]
  return day !== undefined && day <= new Date().toISOString().slice(0, 10).replaceAll('-', '')
}
