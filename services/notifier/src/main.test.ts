// Two notifiers on a real broker, one of them killed, every notice twice: warnings, the cap and the end of an account's
// sending are counted once all the same.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { decodeMessage, encodeMessage } from '@sekimori/queue/codec'
import { sign } from '@sekimori/queue/queues'
import { eventually } from '@sekimori/testing/eventually'
import { freePorts } from '@sekimori/testing/free-ports'
import { subjectOf, textOf } from '@sekimori/testing/mail-text'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { infected, jobOf, SUBMITTED } from './testing/notices.ts'

const [ALICE, BOB] = ['alice@example.test', 'bob@example.test']
const MAILS = 60
const CAP = 5
const resources = new AsyncDisposableStack()
let database: TestDatabase
let broker: TestBroker

before(async () => {
  database = resources.use(await createTestDatabase())
  broker = resources.use(await createTestBroker())
  await database.database.query("insert into domain (name) values ('example.test')")
  await database.database.query(
    "insert into account (address, domain, password_hash, locale) select unnest($1::text[]), 'example.test', '', 'en'",
    [[ALICE, BOB]],
  )
})
after(() => resources.disposeAsync())

async function startReplica(): Promise<ChildProcess & AsyncDisposable> {
  const [healthPort] = await freePorts(1)
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      DATABASE_URL: database.url,
      AMQP_URL: broker.url,
      BIND_ADDRESS: '127.0.0.1',
      HEALTH_PORT: String(healthPort),
      MAIL_HOSTNAME: 'mail.example.test',
      WARNING_LIMIT_PER_HOUR: String(CAP),
      WARNING_SUMMARY_AFTER_MS: '1000',
      INFECTED_LIMIT: '8',
    },
  })
  await eventually(async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok)
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  })
}

/** Takes what lies in `sign`: the mails by queue id, as later stages make one of what comes twice. */
async function collect(into: Map<string, Job>): Promise<void> {
  for (let found = await broker.take('sign'); found !== undefined; found = await broker.take('sign')) {
    const job = decodeMessage(sign, found.octets) as Job
    into.set(job.queueId, job)
  }
}

function bytesOf({ content }: Job): Buffer {
  return content.kind === 'inline' ? content.bytes : Buffer.alloc(0)
}

test('S1-26 warnings over the cap, summaries and the stop notice are exact over replicas, a kill and redeliveries', async () => {
  await using first = await startReplica()
  await using _second = await startReplica()
  const notices = Array.from({ length: MAILS }, (_, i) =>
    infected(jobOf({ ...SUBMITTED, queueId: newQueueId(), acceptedAt: Date.now() + i })),
  )
  const mails = new Map<string, Job>()
  for (const [i, notice] of [...notices, ...notices].entries()) {
    await broker.put('notify', encodeMessage(notice))
    if (i === MAILS / 2) first.kill('SIGKILL')
  }
  const leftOut = (address: string) =>
    [...mails.values()]
      .filter(({ envelope }) => envelope.recipients[0]?.address === address)
      .map((job) => Number(/^Warnings left out: (\d+)$/m.exec(textOf(bytesOf(job)))?.[1] ?? 0))
      .reduce((sum, count) => sum + count, 0)
  await eventually(async () => {
    await collect(mails)
    return [ALICE, BOB].every((address) => leftOut(address) >= MAILS - CAP)
  })
  const subjects = [...mails.values()].map((job) => subjectOf(bytesOf(job)))
  const count = (subject: string) => subjects.filter((found) => found === subject).length
  assert.equal(count('Virus warning'), 2 * CAP)
  assert.equal(count('Sending from your account was stopped'), 1)
  assert.deepEqual([ALICE, BOB].map(leftOut), [MAILS - CAP, MAILS - CAP])
  const { rows } = await database.database.query('select count(*) from infected_submission')
  assert.equal(rows[0]?.count, String(MAILS))
})
