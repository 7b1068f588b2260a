// The process on a real broker: what SIGTERM and SIGKILL leave of the mail in hand.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { decodeMessage, encodeMessage } from '@sekimori/queue/codec'
import { notify } from '@sekimori/queue/queues'
import { type CuttableProxy, openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { freePorts } from '@sekimori/testing/free-ports'
import type { RemoteServer } from '@sekimori/testing/remote-server'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'

const BOB = 'bob@remote.test'
const resources = new AsyncDisposableStack()
let database: TestDatabase
let broker: TestBroker
let outside: Outside
let remote: RemoteServer
let smtp: CuttableProxy

before(async () => {
  database = resources.use(await createTestDatabase())
  broker = resources.use(await createTestBroker())
  outside = resources.use(await openOutside())
  remote = await outside.startMx('other.test')
  smtp = resources.use(await openCuttableProxy(`smtp://${remote.host}:${remote.port}`))
  outside.addMx('remote.test', '127.0.0.1', 10)
})
after(() => resources.disposeAsync())

async function startProcess(): Promise<ChildProcess & AsyncDisposable> {
  const [healthPort] = await freePorts(1)
  const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url))], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      DATABASE_URL: database.url,
      AMQP_URL: broker.url,
      BIND_ADDRESS: '127.0.0.1',
      HEALTH_PORT: String(healthPort),
      MAIL_HOSTNAME: 'mail.example.test',
      DNS_SERVERS: outside.dns.address,
      RELAY_PORT: String(smtp.port),
      RETRY_SCHEDULE: '200ms',
    },
  })
  const isReady = async () => (await fetch(`http://127.0.0.1:${healthPort}/readyz`)).ok
  await eventually(isReady, { what: 'the process is ready' })
  return Object.assign(child, {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  })
}

const put = (job: Job) => broker.put('deliver-remote', encodeMessage(job))
const newJob = () => outboundJob([BOB], { queueId: newQueueId() })
const untilEnded = ({ queueId }: Job) =>
  eventually(async () => {
    const { rows } = await database.database.query<{ outcome: string }>(
      'select outcome from message_trace where queue_id = $1',
      [queueId],
    )
    return rows[0]?.outcome
  })

test('SIGTERM lets the dialogue in hand come to its end, and its job is done', async () => {
  await using child = await startProcess()
  smtp.pause('down')
  const job = newJob()
  await put(job)
  await eventually(() => smtp.open() === 1)
  child.kill('SIGTERM')
  smtp.resume('down')
  const [status] = await once(child, 'exit')
  assert.equal(status, 0)
  assert.equal(await untilEnded(job), 'sent')
  assert.equal(remote.mails.length, 1)
  assert.equal(await broker.ready('deliver-remote'), 0)
})

test('a job that is in the queue twice is delivered once, also by two replicas at the same time', async () => {
  remote.mails.length = 0
  await using _one = await startProcess()
  await using _other = await startProcess()
  const jobs = Array.from({ length: 10 }, newJob)
  await Promise.all(jobs.flatMap((job) => [put(job), put(job), put(job)]))
  for (const job of jobs) assert.equal(await untilEnded(job), 'sent')
  await eventually(async () => (await broker.ready('deliver-remote')) === 0)
  const last = newJob()
  await put(last)
  assert.equal(await untilEnded(last), 'sent')
  assert.equal(remote.mails.length, jobs.length + 1)
})

test('after SIGKILL in the dialogue the next process delivers the mail, once', async () => {
  remote.mails.length = 0
  const job = newJob()
  {
    await using child = await startProcess()
    smtp.pause('down')
    await put(job)
    await eventually(() => smtp.open() === 1)
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  smtp.cut()
  smtp.resume('down')
  await using _next = await startProcess()
  assert.equal(await untilEnded(job), 'sent')
  assert.equal(remote.mails.length, 1)
})

test('after SIGKILL a mail that waited is delivered by the next process, and a refused one is told of', async () => {
  remote.mails.length = 0
  remote.commands.length = 0
  remote.script({ at: 'MAIL', reply: '451 4.3.0 later', times: 1 })
  const waiting = newJob()
  {
    await using child = await startProcess()
    await put(waiting)
    await eventually(() => remote.commands.at(-1) === 'QUIT')
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await using _next = await startProcess()
  assert.equal(await untilEnded(waiting), 'sent')
  remote.script({ at: 'RCPT', reply: '550 5.1.1 no such user' })
  const refused = newJob()
  await put(refused)
  assert.equal(await untilEnded(refused), 'bounced')
  const found = await broker.take('notify')
  const notice = decodeMessage(notify, found!.octets)
  assert.equal(notice.job.queueId, refused.queueId)
  assert.match(String(found!.headers.traceparent), /^00-/)
})
