import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type EngineStatus, forgetSignatures, listSignatures, reportSignatures } from './signature-status.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

const young: EngineStatus = {
  endpoint: 'clamd-0:3310',
  version: 'ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026',
  signaturesAt: new Date('2026-11-16T08:00:00Z'),
  fault: undefined,
  checkedAt: new Date('2026-11-17T00:00:00Z'),
}
const silent: EngineStatus = { endpoint: 'clamd-1:3310', fault: 'unreachable' }

async function shown(): Promise<string[]> {
  const all = await listSignatures(stack.database)
  return all.map(({ scanner, endpoint, fault }) => `${scanner} ${endpoint} ${fault ?? 'fit'}`)
}

/** As if the scanner had said nothing since. */
async function age(scanner: string, by: string): Promise<void> {
  const text = 'update signature_status set reported_at = reported_at - $2::interval where scanner = $1'
  await stack.database.query(text, [scanner, by])
}

test('what a scanner says of its clamds is listed as it said it, and replaced by what it says next', async () => {
  await reportSignatures(stack.database, 'a', [young, silent])
  const [first, second] = await listSignatures(stack.database)
  assert.deepEqual(first, { ...young, scanner: 'a' })
  assert.deepEqual(second, {
    ...silent,
    scanner: 'a',
    version: undefined,
    signaturesAt: undefined,
    checkedAt: undefined,
  })
  await reportSignatures(stack.database, 'b', [{ ...young, fault: 'too-old' }])
  assert.deepEqual(await shown(), ['a clamd-0:3310 fit', 'b clamd-0:3310 too-old', 'a clamd-1:3310 unreachable'])
  await reportSignatures(stack.database, 'a', [silent])
  assert.deepEqual(await shown(), ['b clamd-0:3310 too-old', 'a clamd-1:3310 unreachable'])
  await forgetSignatures(stack.database, 'b')
  assert.deepEqual(await shown(), ['a clamd-1:3310 unreachable'])
})

test('what nobody renews is not shown any more, and is removed by the next who reports', async () => {
  await reportSignatures(stack.database, 'a', [young])
  await reportSignatures(stack.database, 'b', [young])
  await age('a', '3 minutes')
  assert.equal((await shown()).length, 2)
  await age('a', '1 minute')
  assert.deepEqual(await shown(), ['b clamd-0:3310 fit'])
  await reportSignatures(stack.database, 'b', [young])
  const { rows } = await stack.database.query('select scanner from signature_status')
  assert.deepEqual(rows, [{ scanner: 'b' }])
  await age('b', '1 hour')
  await reportSignatures(stack.database, 'b', [young])
  assert.deepEqual(await shown(), ['b clamd-0:3310 fit'])
  await forgetSignatures(stack.database, 'b')
})

test('any number of scanners report at the same time', async () => {
  const scanners = Array.from({ length: 20 }, (_, index) => `scanner-${index}`)
  await Promise.all(scanners.map((name) => reportSignatures(stack.database, name, [young, silent])))
  for (const name of scanners) await age(name, '1 hour')
  await Promise.all(scanners.map((name) => reportSignatures(stack.database, name, [young])))
  assert.equal((await listSignatures(stack.database)).length, 20)
})
