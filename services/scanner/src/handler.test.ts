// What becomes of a scanned mail, with ports as object literals.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { handleScan, type Ports } from './handler.ts'
import { summarize } from './summary.ts'
import { policyOf } from './testing/scan-ports.ts'
import type { Verdict } from './verdict.ts'

const job: Job = {
  queueId: 'q1',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'eve@stranger.test', recipients: [{ address: 'bob@example.test' }] },
  session: { receivedBy: 'mx' },
  added: ['X-Virus-Status: clean; host=mx.test', 'Received: from x'],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\nbody') },
}

function portsWith(verdict: Verdict, seen: string[] = []): Ports {
  return {
    hostname: 'mx.test',
    scan: async () => ({ verdict, engine: 'ClamAV 1' }),
    head: async () => Buffer.from('Subject: x\r\n\r\n'),
    policy: async (domain) => policyOf(domain),
    setAside: async ({ queueId }, [part], engine, head, isEnd) => {
      assert.ok(part?.kind === 'infected' && isEnd)
      seen.push(`${queueId} ${part.signature} ${engine} ${head.length}`)
    },
    recall: async () => undefined,
    haveAllEnded: () => assert.fail('the content is there'),
    claimRelease: () => assert.fail('nothing was released'),
  }
}

test('clean and unscannable mail goes on, with this verdict in its header and no earlier one', async () => {
  for (const [verdict, words] of [
    [{ kind: 'clean' }, 'clean'],
    [{ kind: 'unscannable', reason: 'encrypted' }, 'unscannable (encrypted)'],
  ] as const) {
    const [next, ...others] = await handleScan(job, portsWith(verdict))
    assert.equal(next!.queue.name, 'authenticate')
    assert.equal(others.length, 0)
    const passed = next!.message as Job
    assert.deepEqual(passed.added, [
      `X-Virus-Status: ${words}; host=mx.test;\r\n\tengine="ClamAV 1"`,
      'Received: from x',
    ])
    assert.deepEqual(passed.content, job.content)
    assert.deepEqual(
      passed.history.map(({ stage, outcome }) => [stage, outcome]),
      [['scan', `${words} by ClamAV 1`]],
    )
  }
})

test('submitted mail is signed next', async () => {
  const [next] = await handleScan({ ...job, direction: 'submission' }, portsWith({ kind: 'clean' }))
  assert.equal(next!.queue.name, 'sign')
})

test('infected mail goes nowhere: it is set aside, and what the notifier gets is its header only', async () => {
  const seen: string[] = []
  const publications = await handleScan(job, portsWith({ kind: 'infected', signature: 'Eicar' }, seen))
  assert.deepEqual(seen, ['q1 Eicar ClamAV 1 14'])
  assert.deepEqual(
    publications.map(({ queue }) => queue.name),
    ['notify'],
  )
  const notice = publications[0]!.message as unknown as Record<string, unknown>
  assert.equal(notice.kind, 'infected')
  assert.equal(notice.signature, 'Eicar')
  assert.deepEqual(notice.content, { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\n') })
  assert.ok(!('content' in (notice.job as object)))
})

test('without a verdict, or a place to set it aside, nothing is decided', async () => {
  const away = { ...portsWith({ kind: 'clean' }), scan: () => Promise.reject(new DependencyAway('clamd')) }
  await assert.rejects(handleScan(job, away), DependencyAway)
  const full: Ports = {
    ...portsWith({ kind: 'infected', signature: 'Eicar' }),
    setAside: () => Promise.reject(new DependencyAway('postgres')),
  }
  await assert.rejects(handleScan(job, full), DependencyAway)
})

test('an operator sees who and what a mail says it is, cut to a bearable length', () => {
  const head = Buffer.from(`From: a@b\r\nSubject: ${'x'.repeat(499)}😀 y\r\nDate: today\r\nX-Other: z\r\n\r\n`)
  assert.deepEqual(summarize(head), { from: 'a@b', subject: `${'x'.repeat(499)}\ufffd`, date: 'today' })
})
