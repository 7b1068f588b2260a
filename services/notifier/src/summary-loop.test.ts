// Summaries of warnings over the cap: published before they are marked, and the same mail whoever publishes them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Publication } from '@sekimori/queue/queues'
import { createLog } from '@sekimori/runtime/log'
import { eventually } from '@sekimori/testing/eventually'
import { type SummaryPorts, sendDueSummaries, startSummaryLoop } from './summary-loop.ts'
import { readNotice } from './testing/notices.ts'

const summary = {
  queueId: 'q',
  address: 'bob@example.test',
  locale: 'en' as const,
  leftOut: 137,
  from: 0,
  until: 60_000,
}

function portsOf(changes: Partial<SummaryPorts> = {}): { ports: SummaryPorts; events: string[]; mails: Publication[] } {
  const events: string[] = []
  const mails: Publication[] = []
  const ports: SummaryPorts = {
    hostname: 'mail.example.test',
    due: async () => (events.includes('marked 7') ? [] : ['7']),
    close: async (id) => ({ ...summary, id }),
    publish: async (publication) => {
      mails.push(publication)
      events.push('published')
    },
    markPublished: async (id) => void events.push(`marked ${id}`),
    whenUp: async () => {},
    log: createLog('test', 'silent'),
    ...changes,
  }
  return { ports, events, mails }
}

test('a summary names how many warnings were left out', async () => {
  const { ports, events, mails } = portsOf()
  await sendDueSummaries(ports)
  assert.deepEqual(events, ['published', 'marked 7'])
  const { job, body, fields } = readNotice(mails[0]!)
  assert.match(body, /Warnings left out: 137/)
  assert.equal(fields['auto-submitted'], 'auto-generated')
  assert.deepEqual([job.queueId, job.warning, job.envelope.mailFrom], ['q', { queueId: 'q' }, ''])
})

test('in Japanese for those who read Japanese', async () => {
  const { ports, mails } = portsOf({ close: async (id) => ({ ...summary, id, locale: 'ja' }) })
  await sendDueSummaries(ports)
  assert.match(readNotice(mails[0]!).body, /省略した警告メール: 137 通/)
})

test('what could not be published is not marked, and comes again', async () => {
  const { ports, events } = portsOf()
  const failing = { ...ports, publish: () => Promise.reject(new Error('no broker')) }
  await sendDueSummaries(failing)
  assert.deepEqual(events, [])
  await sendDueSummaries(ports)
  assert.deepEqual(events, ['published', 'marked 7'])
})

test('the loop goes on until it is stopped', async () => {
  const stopping = new AbortController()
  const { ports, events } = portsOf()
  await using _loop = startSummaryLoop(ports, 1, stopping.signal)
  await eventually(() => events.includes('marked 7'))
  stopping.abort()
})

test('the summary of an account that is gone is not written', async () => {
  const { ports, events } = portsOf({ close: async () => undefined })
  await sendDueSummaries(ports)
  assert.deepEqual(events, [])
})
