// Who reads of mail that could not be checked, in which words; ports are objects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job, JobHeader } from '@sekimori/mail/job'
import type { UnscannableAction } from '@sekimori/mail/unscannable'
import type { TraceEntry } from '@sekimori/store/trace'
import { textOf } from '@sekimori/testing/mail-text'
import { noticeOfUnscannable, type UnscannablePorts } from './unscannable.ts'

const head = Buffer.from('Subject: see http://evil.example\r\nFrom: x@sender.example\r\n\r\n')

function jobOf(changes: Partial<JobHeader>, ...addresses: string[]): JobHeader {
  return {
    queueId: '01hq0000000000000000000000'.slice(0, 22),
    direction: 'inbound',
    acceptedAt: 0,
    envelope: { mailFrom: 'x@sender.example', recipients: addresses.map((address) => ({ address })) },
    session: { receivedBy: 'mx' },
    added: [],
    struck: [],
    history: [],
    ...changes,
  }
}

function portsFor(): UnscannablePorts & { traced: TraceEntry[] } {
  const traced: TraceEntry[] = []
  return {
    traced,
    hostname: 'mail.example.test',
    localVirusWarning: 'both',
    head: async () => head,
    trace: async (entries) => void traced.push(...entries),
    lookup: async (address) => {
      if (address.startsWith('list')) return { kind: 'list', address, name: 'list' }
      return address.endsWith('@a.test') ? { kind: 'account', accountId: 1, address } : { kind: 'foreign' }
    },
    members: async () => [{ accountId: 2, address: 'off@a.test' }],
    preference: async (address) => ({
      locale: address.startsWith('en') ? 'en' : 'ja',
      hasVirusWarning: !address.startsWith('off'),
    }),
  }
}

async function written(job: JobHeader, action: UnscannableAction, ports = portsFor()): Promise<Job[]> {
  const content = { kind: 'inline' as const, bytes: head }
  const published = await noticeOfUnscannable({ kind: 'unscannable', reason: 'encrypted', action, job, content }, ports)
  return published.map(({ message }) => message as Job)
}

const recipientsOf = (jobs: Job[]) =>
  jobs.map(({ envelope }) => envelope.recipients.map(({ address }) => address).join())

const mailOf = ({ content }: Job) => (content as { bytes: Buffer }).bytes

test('local recipients are told once each, in their language, and nobody outside', async () => {
  const jobs = await written(jobOf({}, 'bob@a.test', 'bob@a.test', 'en@a.test', 'x@elsewhere.example'), 'deliver')
  assert.deepEqual(recipientsOf(jobs), ['bob@a.test', 'en@a.test'])
  assert.match(textOf(mailOf(jobs[0]!)), /検査できませんでした/)
  assert.match(textOf(mailOf(jobs[1]!)), /could not be checked/)
  for (const job of jobs) {
    assert.equal(job.envelope.mailFrom, '')
    assert.equal(job.session.receivedBy, 'internal')
    assert.match(mailOf(job).toString(), /^Auto-Submitted: auto-replied\r$/m)
  }
})

test('the words tell delivered, held and refused mail apart, and show no live link', async () => {
  const texts = await Promise.all(
    (['deliver', 'hold', 'refuse'] as const).map(async (action) =>
      textOf(mailOf((await written(jobOf({}, 'en@a.test'), action))[0]!)),
    ),
  )
  assert.match(texts[0]!, /delivered all the same/)
  assert.match(texts[1]!, /is held/)
  assert.match(texts[2]!, /was refused/)
  for (const text of texts) {
    assert.match(text, /encrypted/)
    assert.doesNotMatch(text, /http:\/\//)
  }
})

test('the sender is told of what is held on its way out, and the recipients are not', async () => {
  const session = { receivedBy: 'submission' as const, account: 'en@a.test' }
  const jobs = await written(jobOf({ direction: 'submission', session }, 'bob@a.test', 'x@elsewhere.example'), 'hold')
  assert.deepEqual(recipientsOf(jobs), ['en@a.test'])
  assert.match(textOf(mailOf(jobs[0]!)), /that you sent/)
})

test('S1-28 S1-32 who switched warnings off is not told, but as a member of a list', async () => {
  const ports = portsFor()
  assert.deepEqual(await written(jobOf({}, 'off@a.test'), 'hold', ports), [])
  assert.deepEqual(
    ports.traced.map(({ recipient, stage, outcome }) => [recipient, stage, outcome]),
    [['off@a.test', 'warning', 'dropped']],
  )
  assert.deepEqual(recipientsOf(await written(jobOf({}, 'list@a.test'), 'hold')), ['off@a.test'])
})

test('a notice that is written again is the same mail', async () => {
  const ids = async (action: UnscannableAction) =>
    (await written(jobOf({}, 'bob@a.test'), action)).map(({ queueId }) => queueId)
  assert.deepEqual(await ids('hold'), await ids('hold'))
  assert.notDeepEqual(await ids('hold'), await ids('deliver'))
})
