// The order of steps: whatever fails or crashes, nobody is sent a mail twice and no notice is lost.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import type { Delivery } from './attempt.ts'
import { destinationsOf } from './destination.ts'
import { handleDeliverRemote, type Ports } from './handler.ts'
import { deferred, type Outcome, rejected } from './outcome.ts'
import { mailOf, outboundJob } from './testing/outside.ts'

const [BOB, CAROL, DAVE] = ['bob@remote.test', 'carol@remote.test', 'dave@other.test']
const sent: Outcome = { kind: 'sent', reply: '250 ok', remoteMta: 'mx' }
const no = rejected('5.1.1', '550 no')
const later = deferred('4.2.1', '450 later')

interface Scene {
  outcomes?: Record<string, Outcome>
  settled?: string[]
  /** A step that fails. */
  failing?: string
  hops?: number
  isBusy?: boolean
}

/** Runs the handler; tells the steps in their order and whether the job is done. */
async function play({ outcomes = {}, settled = [], failing, hops = 0, isBusy = false }: Scene, job: Job) {
  const steps: string[] = []
  const step = (name: string) => {
    steps.push(name)
    if (name === failing) throw new Error(`failed: ${name}`)
  }
  const ports: Ports = {
    schedule: { intervalsMs: [60_000], lifetimeMs: 5 * 86_400_000, delayNoticeAfterMs: 4 * 3_600_000 },
    drained: new AbortController().signal,
    settledRecipients: async () => new Set(settled),
    prepare: async (mail) => ({ ...mailOf(mail), hops }),
    destinations: (recipients) => destinationsOf(recipients),
    async deliver(_mail, { recipients }): Promise<Delivery> {
      step(`deliver ${recipients.map(({ address }) => address).join(' ')}`)
      if (isBusy) return { kind: 'busy' }
      return { kind: 'answered', outcomes: new Map(recipients.map(({ address }) => [address, outcomes[address]!])) }
    },
    async record(_job, { ended, deferred, notices = [] }) {
      for (const { recipient, outcome } of ended) step(`end ${recipient} ${outcome}`)
      for (const { recipient, attempts } of deferred) step(`defer ${recipient} ${attempts}`)
      for (const notice of notices) step(`with notice ${(notice as { action?: string }).action}`)
    },
    async publish({ message }) {
      const { action, recipients } = message as unknown as { action: string; recipients: { address: string }[] }
      step(`notice ${action} ${recipients[0]!.address}`)
    },
    markDelayNotified: async (_queueId, recipients) => step(`noted ${recipients}`),
    release: async () => step('release'),
  }
  const result = await handleDeliverRemote(job, ports).then(
    (publications) => ({ isDone: true, publications }),
    () => ({ isDone: false, publications: [] }),
  )
  return { steps, ...result }
}

const all = () => outboundJob([BOB, CAROL, DAVE])

test('each destination gets one dialogue, and its result is written right after it', async () => {
  const { steps, isDone } = await play({ outcomes: { [BOB]: sent, [CAROL]: later, [DAVE]: sent } }, all())
  assert.equal(isDone, true)
  assert.deepEqual(steps.slice(0, 2), [`deliver ${BOB} ${CAROL}`, `deliver ${DAVE}`])
  assert.deepEqual(steps.slice(2, -1).sort(), [`defer ${CAROL} 1`, `end ${BOB} sent`, `end ${DAVE} sent`])
  assert.equal(steps.at(-1), 'release')
})

test('what was sent is written first, a failure is an end only when its notice is confirmed', async () => {
  const { steps } = await play({ outcomes: { [BOB]: no, [CAROL]: sent } }, outboundJob([BOB, CAROL]))
  assert.deepEqual(steps.slice(1), [`end ${CAROL} sent`, `notice failed ${BOB}`, `end ${BOB} bounced`, 'release'])
})

test('without a confirm for the notice the failure is no end and the job comes again, for the others it is over', async () => {
  const failing = `notice failed ${BOB}`
  const { steps, isDone } = await play({ outcomes: { [BOB]: no, [CAROL]: sent }, failing }, outboundJob([BOB, CAROL]))
  assert.equal(isDone, false)
  assert.deepEqual(steps.slice(1), [`end ${CAROL} sent`, failing])
})

test('a job that comes again leaves recipients alone that have ended or wait', async () => {
  const { steps } = await play({ settled: [BOB, DAVE], outcomes: { [CAROL]: sent } }, all())
  assert.deepEqual(steps, [`deliver ${CAROL}`, `end ${CAROL} sent`, 'release'])
})

test('a job that comes again after all is done only lets go of its content', async () => {
  assert.deepEqual((await play({ settled: [BOB, CAROL, DAVE] }, all())).steps, ['release'])
})

test('a destination that can not be decided does not touch the others, and keeps the job and its content', async () => {
  const failing = `deliver ${BOB} ${CAROL}`
  const { steps, isDone } = await play({ outcomes: { [DAVE]: sent }, failing }, all())
  assert.equal(isDone, false)
  assert.deepEqual(steps, [failing, `deliver ${DAVE}`, `end ${DAVE} sent`])
})

test('a bounce that bounces ends without a notice', async () => {
  const job = outboundJob([BOB], { envelope: { mailFrom: '' } as never })
  assert.deepEqual((await play({ outcomes: { [BOB]: no } }, job)).steps.slice(1), [`end ${BOB} bounced`, 'release'])
})

test('a mail that has passed more than 50 servers is returned without a dialogue', async () => {
  const { steps } = await play({ hops: 51 }, outboundJob([BOB]))
  assert.deepEqual(steps, [`notice failed ${BOB}`, `end ${BOB} bounced`, 'release'])
  assert.equal((await play({ hops: 50, outcomes: { [BOB]: sent } }, outboundJob([BOB]))).steps[0], `deliver ${BOB}`)
})

test('a mail that we forward to somebody whom it was delivered to before is returned; what an account sends goes', async () => {
  const text = `Delivered-To: ${BOB}\r\nSubject: x\r\n\r\nbody\r\n`
  const forwarded = outboundJob([BOB], { session: { receivedBy: 'mx' } }, text)
  assert.deepEqual((await play({}, forwarded)).steps, [`notice failed ${BOB}`, `end ${BOB} bounced`, 'release'])
  const { steps } = await play({ outcomes: { [BOB]: sent } }, outboundJob([BOB], {}, text))
  assert.equal(steps[0], `deliver ${BOB}`)
})

test('the notice that a mail was relayed is written with its end, in one step: no crash comes between', async () => {
  const job = outboundJob([{ address: BOB, notify: ['SUCCESS'] }, CAROL])
  const { steps } = await play({ outcomes: { [BOB]: sent, [CAROL]: sent } }, job)
  assert.deepEqual(steps.slice(1), [`end ${BOB} sent`, `end ${CAROL} sent`, 'with notice relayed', 'release'])
})

test('failures at several destinations are told in one notice', async () => {
  const { steps } = await play({ outcomes: { [BOB]: no, [CAROL]: no, [DAVE]: no } }, all())
  assert.equal(steps.filter((step) => step.startsWith('notice')).length, 1)
  assert.equal(steps.filter((step) => step.startsWith('end')).length, 3)
})

test('a destination that has all the dialogues it may have puts the mail off, which is no attempt', async () => {
  const { steps, isDone } = await play({ isBusy: true }, outboundJob([BOB]))
  assert.deepEqual([steps, isDone], [[`deliver ${BOB}`, `defer ${BOB} 0`, 'release'], true])
})

test('received fields are counted, struck ones are not', () => {
  const head = `${'Received: from a by b; date\r\n'.repeat(3)}Subject: x\r\n\r\n`
  const job = outboundJob([BOB], { added: ['Received: from c\r\n\tby d; date'], struck: [0, 29] }, head)
  assert.equal(mailOf(job).hops, 3)
})
