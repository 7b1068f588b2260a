// One replica of this service inside a test's process: real Postgres, DNS and SMTP; the broker's part is played by the test.
import { readConfig } from '@sekimori/config/config'
import type { Job } from '@sekimori/mail/job'
import type { Broker } from '@sekimori/queue/broker'
import type { Service } from '@sekimori/runtime/service'
import { type Database, openDatabase } from '@sekimori/store/database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { Alarm } from '../alarm.ts'
import { schema } from '../config.ts'
import { handleDeliverRemote } from '../handler.ts'
import { openPorts, type Resources, retryOptions } from '../open-ports.ts'
import { startRetryLoop } from '../retry-loop.ts'
import type { Outside } from './outside.ts'

export interface Notice {
  action: string
  recipients: { address: string; status: string }[]
  content: { bytes: Buffer }
}

export interface ReplicaOptions {
  url: string
  outside: Outside
  settings?: Record<string, string>
  /** Whether the retry loop runs. */
  hasLoop?: boolean
  /** What was published, of all replicas. */
  notices: Notice[]
}

export interface Replica extends AsyncDisposable {
  database: Database
  handle(job: Job): Promise<unknown>
}

export async function startReplica({
  url,
  outside,
  settings,
  hasLoop = true,
  notices,
}: ReplicaOptions): Promise<Replica> {
  const stop = new AbortController()
  const service = { ...serviceStandIn(), stopping: stop.signal } as unknown as Service
  const config = readConfig(schema, {
    DATABASE_URL: url,
    AMQP_URL: 'amqp://none',
    MAIL_HOSTNAME: 'mail.example.test',
    RELAY_PORT: String(outside.port),
    RETRY_SCHEDULE: '100ms',
    RETRY_POLL_INTERVAL: '200ms',
    ...settings,
  })
  const publisher = { publish: async ({ message }: { message: unknown }) => void notices.push(message as Notice) }
  const database = await openDatabase(config, service)
  const drained = new AbortController().signal
  const broker = { publisher } as unknown as Broker
  const alarm = new Alarm()
  const resources: Resources = { config, service, database, broker, resolver: outside.resolver, alarm, drained }
  const ports = openPorts(resources)
  const loop = hasLoop ? startRetryLoop(ports.retry, alarm, retryOptions(resources)) : undefined
  return {
    database,
    handle: (job) => handleDeliverRemote(job, ports.handler),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await loop?.[Symbol.asyncDispose]()
      await ports[Symbol.asyncDispose]()
      await database[Symbol.asyncDispose]()
    },
  }
}
