// DMARC results on a real database: summed, bounded whoever sends, and the newest policy counts.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { DmarcObservation, DmarcRow } from '@sekimori/mail/dmarc-observation'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { addDmarcResults, readDmarcSubject } from './dmarc-result.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

const today = async () =>
  (await stack.database.query<{ day: string }>("select (now() at time zone 'utc')::date::text as day")).rows[0]!.day
const row = (sourceIp: string): DmarcRow => ({
  sourceIp,
  disposition: 'none',
  dkim: 'fail',
  spf: 'fail',
  headerFrom: 'a.test',
  envelopeFrom: '',
  signatures: [],
})
function seen(domain: string, sourceIp: string, count = 1, p = 'none', organization = domain) {
  const policy = { domain, p, sp: p, adkim: 'r', aspf: 'r', testing: 'n', rua: 'mailto:x@a.test' } as const
  return { item: { policy, organization, row: row(sourceIp) } satisfies DmarcObservation, count }
}
const read = async (domain: string) => readDmarcSubject(stack.database, await today(), domain)

test('the same is one row, whoever writes it and when', async () => {
  await using other = await stack.openAnother()
  const writes = Array.from({ length: 10 }, (_, n) => n % 2 === 0)
  await Promise.all(
    writes.map((isFirst) =>
      addDmarcResults(isFirst ? stack.database : other, [
        seen('sum.test', '192.0.2.1', 3),
        seen('sum.test', '192.0.2.2'),
      ]),
    ),
  )
  const { rows, leftOut } = (await read('sum.test'))!
  assert.deepEqual(
    rows.map((one) => `${one.row.sourceIp} ${one.mails}`),
    ['192.0.2.1 30', '192.0.2.2 10'],
  )
  assert.equal(leftOut, 0)
})

test('the policy is the one that was seen last', async () => {
  await addDmarcResults(stack.database, [seen('policy.test', '192.0.2.1', 1, 'none')])
  await addDmarcResults(stack.database, [
    seen('policy.test', '192.0.2.1', 1, 'none'),
    seen('policy.test', '192.0.2.1', 1, 'reject'),
  ])
  const { policy, rows } = (await read('policy.test'))!
  assert.deepEqual([policy.p, rows.map(({ mails }) => mails)], ['reject', [3]])
})

test('a domain has so many rows; what is over them is counted, and what has a row goes on', async () => {
  const bounds = { subjects: 1_000, subjectsPerOrganization: 50, rowsPerSubject: 3 }
  const sources = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, n) => seen('flood.test', `192.0.2.${from + n}`, 2))
  await addDmarcResults(stack.database, sources(0, 2), bounds)
  await addDmarcResults(stack.database, sources(0, 6), bounds)
  await addDmarcResults(stack.database, sources(0, 6), bounds)
  const { rows, leftOut } = (await read('flood.test'))!
  assert.deepEqual(rows.map(({ mails }) => mails).sort(), [4, 6, 6])
  assert.equal(leftOut, 12)
})

test('one organisation has so many domains of a day, and the day has so many in all', async () => {
  const bounds = { subjects: 1_000, subjectsPerOrganization: 5, rowsPerSubject: 10 }
  const names = Array.from({ length: 20 }, (_, n) => `s${n}.wild.test`)
  await addDmarcResults(
    stack.database,
    names.map((name) => seen(name, '192.0.2.1', 1, 'none', 'wild.test')),
    bounds,
  )
  await addDmarcResults(stack.database, [seen('other.test', '192.0.2.1')], bounds)
  const found = await Promise.all([...names, 'other.test'].map(read))
  assert.equal(found.filter((subject) => subject !== undefined).length, 6)
  const count = await stack.database.query<{ count: number }>('select count(*)::integer as count from dmarc_subject')
  const full = { ...bounds, subjects: count.rows[0]!.count }
  await addDmarcResults(stack.database, [seen('late.test', '192.0.2.1'), seen('other.test', '192.0.2.1')], full)
  assert.equal(await read('late.test'), undefined)
  assert.equal((await read('other.test'))!.rows[0]!.mails, 2)
})
