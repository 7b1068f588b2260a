// What an edge's mail leaves behind when the broker can't take it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { serviceStandIn } from '@sekimori/testing/test-service'
import type { Broker } from './broker.ts'
import { publishAccepted } from './publish-accepted.ts'
import { MessageNeverSent } from './publisher.ts'
import { type Publication, scan } from './queues.ts'
import { jobFor } from './testing/job.ts'

const stored: Job = { ...jobFor('q1'), content: { kind: 'stored', id: 'c1', sizeBytes: 9 } }

/** Publishes with a broker that does this; resolves to what was released and confirmed, and the error. */
async function published(job: Job, publish: () => Promise<void>, confirm = async () => {}) {
  const seen: { queue: string; traceparent: string }[] = []
  const publisher = {
    publish: (publication: Publication, traceparent: string) => {
      seen.push({ queue: publication.queue.name, traceparent })
      return publish()
    },
  }
  const released: string[] = []
  const broker = { publisher, service: serviceStandIn() } as unknown as Broker
  const confirmed: string[] = []
  const hold = {
    release: async (id: string) => void released.push(id),
    confirm: async (id: string) => {
      await confirm()
      confirmed.push(id)
    },
  }
  const error = await publishAccepted(broker, scan, job, hold).catch((thrown) => thrown)
  return { seen, released, confirmed, error }
}

test('an accepted mail is published under a trace of its own, and keeps its content', async () => {
  const { seen, released, confirmed, error } = await published(stored, async () => {})
  assert.equal(error, undefined)
  assert.equal(seen[0]!.queue, 'scan')
  assert.match(seen[0]!.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
  assert.deepEqual([released, confirmed], [[], ['c1']])
})

test('a mail is not accepted as long as its content is not confirmed', async () => {
  const away = new DependencyAway('postgres')
  const { error, released } = await published(
    stored,
    async () => {},
    () => Promise.reject(away),
  )
  assert.deepEqual([error, released], [away, []])
  const refused = await published(stored, () => Promise.reject(new DependencyAway('rabbitmq')))
  assert.deepEqual(refused.confirmed, [])
})

test('content is released only when the broker certainly has nothing of the mail', async () => {
  const never = new MessageNeverSent(new Error('away'))
  const perhaps = new DependencyAway('rabbitmq')
  const sure = await published(stored, () => Promise.reject(never))
  assert.deepEqual([sure.released, sure.error], [['c1'], never])
  const unsure = await published(stored, () => Promise.reject(perhaps))
  assert.deepEqual([unsure.released, unsure.error], [[], perhaps])
  const inline = await published(jobFor('q2'), () => Promise.reject(never))
  assert.deepEqual([inline.released, inline.error], [[], never])
})
