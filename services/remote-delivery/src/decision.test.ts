import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Recipient } from '@sekimori/mail/job'
import { cancel, decide, firstStanding, type Standing } from './decision.ts'
import { notices } from './notice.ts'
import { deferred, type Outcome, rejected } from './outcome.ts'
import type { Schedule } from './schedule.ts'
import { mailOf, outboundJob } from './testing/outside.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const BOB = 'bob@remote.test'
const NOW = Date.now()
const schedule: Schedule = {
  intervalsMs: [MINUTE, 5 * MINUTE, 4 * HOUR],
  lifetimeMs: 120 * HOUR,
  delayNoticeAfterMs: 4 * HOUR,
}
const later = deferred('4.2.1', '450 4.2.1 busy')
const no = rejected('5.1.1', '550 5.1.1 no such user')

interface Case {
  outcome: Outcome
  recipient?: Omit<Recipient, 'address'>
  mailFrom?: string
  standing?: Partial<Standing>
  ageMs?: number
}
function decideOne({ outcome, recipient, mailFrom = 'alice@example.test', standing, ageMs = 0 }: Case) {
  const job = outboundJob([{ address: BOB, ...recipient }], {
    acceptedAt: NOW - ageMs,
    envelope: { mailFrom } as never,
  })
  const before = { ...firstStanding(schedule, NOW), ...standing }
  return { job, ...decide(job, job.envelope.recipients, new Map([[BOB, outcome]]), before, schedule, NOW) }
}
const minutesToNext = (decision: ReturnType<typeof decideOne>) =>
  (decision.deferred[0]!.nextAttemptAt.getTime() - NOW) / MINUTE

test('a mail that was taken ends, and the trace says where and how', () => {
  const tls = { version: 'TLSv1.3', cipher: 'X', peer: 'CN=mx', verification: 'trusted' }
  const outcome = { kind: 'sent', reply: '250 ok', remoteMta: 'mx.remote.test[192.0.2.1]', tls } as const
  const { sent, failed, deferred } = decideOne({ outcome })
  assert.deepEqual([failed, deferred], [[], []])
  assert.equal(sent[0]?.stage, 'remote')
  assert.equal(sent[0]?.outcome, 'sent')
  assert.equal(sent[0]?.detail, 'mx.remote.test[192.0.2.1]: 250 ok (TLSv1.3 X, CN=mx trusted)')
  const { remote } = JSON.parse(sent[0]!.history).at(-1)
  assert.deepEqual(remote, { reply: '250 ok', server: 'mx.remote.test[192.0.2.1]', tls })
})

test('a refused mail ends as bounced', () => {
  const { sent, failed, deferred } = decideOne({ outcome: no })
  assert.deepEqual([sent, deferred], [[], []])
  assert.deepEqual([failed[0]?.end.outcome, failed[0]?.end.detail], ['bounced', '5.1.1 550 5.1.1 no such user'])
})

test('a deferred mail is tried again by the schedule', () => {
  const first = decideOne({ outcome: later })
  assert.deepEqual([first.deferred[0]?.attempts, first.deferred[0]?.lastReply], [1, '4.2.1 450 4.2.1 busy'])
  assert.deepEqual(first.deferred[0]?.remote, { reply: '450 4.2.1 busy' })
  assert.ok(minutesToNext(first) >= 0.9 && minutesToNext(first) <= 1.1)
  const third = decideOne({ outcome: later, standing: { attempts: new Map([[BOB, 2]]) }, ageMs: 5 * HOUR })
  assert.equal(third.deferred[0]?.attempts, 3)
  assert.ok(minutesToNext(third) >= 216 && minutesToNext(third) <= 264)
})

test('an attempt is made when the delay is to be told, and at the very end', () => {
  const attempts = new Map([[BOB, 3]])
  assert.equal(minutesToNext(decideOne({ outcome: later, standing: { attempts }, ageMs: 3 * HOUR })), 60)
  const notAsked = decideOne({
    outcome: later,
    standing: { attempts },
    ageMs: 3 * HOUR,
    recipient: { notify: ['FAILURE'] },
  })
  assert.ok(minutesToNext(notAsked) > 200)
  const expiresAt = new Date(NOW + 10 * MINUTE)
  assert.equal(minutesToNext(decideOne({ outcome: later, standing: { attempts, expiresAt }, ageMs: 119 * HOUR })), 10)
})

test('at the end of its life a mail is given up with 4.4.7 and the last reply', () => {
  const { deferred, failed } = decideOne({ outcome: later, standing: { expiresAt: new Date(NOW) } })
  assert.deepEqual(deferred, [])
  assert.equal(failed[0]?.end.outcome, 'deferred-expired')
  assert.match(failed[0]!.end.detail!, /^4\.4\.7 .*450 4\.2\.1 busy/)
  assert.deepEqual([failed[0]?.failure.status, failed[0]?.failure.diagnostic], ['4.4.7', '450 4.2.1 busy'])
})

const delayCases: [string, Partial<Case>, number][] = [
  ['before four hours nobody is told of a delay', { ageMs: 4 * HOUR - 1 }, 0],
  ['after four hours the sender is told', { ageMs: 4 * HOUR }, 1],
  ['once', { ageMs: 9 * HOUR, standing: { notified: new Set([BOB]) } }, 0],
  [
    'a sender who asked for failures only is not told of delays',
    { ageMs: 9 * HOUR, recipient: { notify: ['FAILURE'] } },
    0,
  ],
  ['a sender who asked for delays is told', { ageMs: 9 * HOUR, recipient: { notify: ['delay'] } }, 1],
  ['not with NOTIFY=NEVER, however late', { ageMs: 100 * HOUR, recipient: { notify: ['NEVER'] } }, 0],
  ['the null reverse-path is never told', { ageMs: 9 * HOUR, mailFrom: '' }, 0],
]
for (const [title, over, expected] of delayCases) {
  test(title, () => assert.equal(decideOne({ outcome: later, ...over }).delayed.length, expected))
}

const noticeCases: [string, Partial<Case>, number][] = [
  ['a failure is told to the sender', {}, 1],
  ['not with NOTIFY=NEVER', { recipient: { notify: ['NEVER'] } }, 0],
  ['not with NOTIFY=DELAY', { recipient: { notify: ['DELAY'] } }, 0],
  ['not with NOTIFY=SUCCESS', { recipient: { notify: ['SUCCESS'] } }, 0],
  ['but with NOTIFY=SUCCESS,FAILURE', { recipient: { notify: ['SUCCESS', 'FAILURE'] } }, 1],
  ['a bounce is never bounced', { mailFrom: '' }, 0],
]
for (const [title, over, expected] of noticeCases) {
  test(title, async () => {
    const { job, failed } = decideOne({ outcome: no, ...over })
    assert.equal(failed.length, 1, 'the trace has its end in any case')
    assert.equal((await notices(job, 'failed', failed, mailOf(job))).length, expected)
  })
}

test('a notice has what the DSN needs, and the header section instead of the mail', async () => {
  const outcome = { ...no, remoteMta: 'mx.remote.test[192.0.2.1]' }
  const { job, failed } = decideOne({ outcome, recipient: { orcpt: 'rfc822;robert@a.test' } })
  const head = Buffer.from('Subject: x\r\n\r\n')
  const { content: _, ...header } = job
  const [notice] = await notices(job, 'failed', failed, { ...mailOf(job), head })
  assert.equal(notice?.queue.name, 'notify')
  assert.deepEqual(notice?.message, {
    kind: 'undelivered',
    action: 'failed',
    recipients: [
      {
        address: BOB,
        orcpt: 'rfc822;robert@a.test',
        status: '5.1.1',
        diagnostic: '550 5.1.1 no such user',
        remoteMta: 'mx.remote.test[192.0.2.1]',
      },
    ],
    job: header,
    content: { kind: 'inline', bytes: head },
  })
})

test('with RET=FULL the whole mail comes back, unless it is large', async () => {
  const text = 'Subject: x\r\n\r\nbody\r\n'
  const job = outboundJob([BOB], { envelope: { ret: 'FULL' } as never }, text)
  const told = [{ recipient: { address: BOB }, failure: no }]
  const octets = async (sizeBytes: number) => {
    const [notice] = await notices(job, 'failed', told, { ...mailOf(job), sizeBytes })
    return (notice!.message as unknown as { content: { bytes: Buffer } }).content.bytes.toString()
  }
  assert.equal(await octets(262_144), text)
  assert.equal(await octets(262_145), 'Subject: x\r\n\r\n')
})

test('who wants to hear of success does, unless the next server tells it', () => {
  const wanted = { recipient: { notify: ['SUCCESS'] } }
  const taken: Outcome = { kind: 'sent', reply: '250 2.0.0 Ok', remoteMta: 'mx' }
  assert.equal(decideOne({ outcome: taken, ...wanted }).relayed.length, 1)
  assert.equal(decideOne({ outcome: { ...taken, isDsnPassedOn: true }, ...wanted }).relayed.length, 0)
  assert.equal(decideOne({ outcome: taken }).relayed.length, 0)
  assert.equal(decideOne({ outcome: taken, ...wanted, mailFrom: '' }).relayed.length, 0)
})

test('what an operator gives up ends, with a notice or without, and only that', () => {
  const recipients = ['a@remote.test', 'b@remote.test', 'c@remote.test'].map((address) => ({ address }))
  const standing: Standing = {
    ...firstStanding(schedule, NOW),
    orders: new Map([
      ['a@remote.test', 'return'],
      ['b@remote.test', 'drop'],
    ]),
  }
  const { failed, dropped } = cancel(outboundJob([]), recipients, standing)
  assert.deepEqual(
    failed.map(({ end }) => `${end.recipient} ${end.outcome}`),
    ['a@remote.test cancelled'],
  )
  assert.deepEqual(
    dropped.map(({ recipient, outcome }) => `${recipient} ${outcome}`),
    ['b@remote.test cancelled'],
  )
})
