// What the owner of a maildrop is told about a sender: in his language, with the domains that he knows in mind.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Authentication, Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Acquaintance, Contact } from '@sekimori/store/correspondent'
import libmime from 'libmime'
import { type JudgePorts, judged } from './judge.ts'

const MEMBER = { accountId: 7, address: 'bob@example.test' }
const PASS = { spf: 'pass', dkim: 'none', dmarc: 'pass', isAligned: true }

function jobFrom(authentication: Authentication | undefined, session: Job['session'] = { receivedBy: 'mx' }): Job {
  return {
    queueId: 'q1',
    direction: 'inbound',
    acceptedAt: 1,
    envelope: { mailFrom: '', recipients: [{ address: MEMBER.address }] },
    session,
    added: ['Received: from x'],
    struck: [],
    history: [],
    ...(authentication === undefined ? {} : { authentication }),
    content: { kind: 'inline', bytes: Buffer.from('') },
  }
}

const known = (domain: string, day: number, isWrittenTo = false) => ({
  domain,
  firstSeenAt: new Date(Date.UTC(2026, 0, day)),
  isWrittenTo,
})

function scene(acquaintance: Partial<Acquaintance> | undefined) {
  const noted: Omit<Contact, 'at'>[] = []
  const faults: unknown[] = []
  const ports: JudgePorts = {
    acquaintance: async () =>
      acquaintance === undefined ? undefined : { locale: 'en', domain: 'example.test', known: [], ...acquaintance },
    note: (contact) => void noted.push(contact),
    reportFault: (_job, error) => void faults.push(error),
  }
  const linesFor = async (job: Job) => (await judged(job, MEMBER, ports)).added
  const resembles = async (from: string) =>
    /resembles=(\S+)/.exec((await linesFor(jobFrom({ ...PASS, from }))).join('\n'))?.[1]
  return { ports, noted, faults, linesFor, resembles }
}

test('the verdict stands on top, in the language of the account, and in the history', async () => {
  const english = scene({})
  const job = await judged(jobFrom({ ...PASS, from: 'bank.test' }), MEMBER, english.ports)
  assert.deepEqual(job.added, [
    'X-Sekimori-Sender-Verdict: confirmed;\r\n from=bank.test;\r\n spf=pass;\r\n dkim=none;\r\n dmarc=pass',
    'X-Sekimori-Sender-Note: It is confirmed that this mail comes from bank.test (DMARC pass).',
    'Received: from x',
  ])
  assert.equal(job.history.at(-1)?.outcome, 'confirmed; from=bank.test; spf=pass; dkim=none; dmarc=pass')
  const [, note] = await scene({ locale: 'ja' }).linesFor(jobFrom({ ...PASS, dmarc: 'fail', from: 'bank.test' }))
  assert.match(note!, /^X-Sekimori-Sender-Note: =\?UTF-8\?B\?/)
  assert.ok(note!.split('\r\n').every((line) => line.length <= 100 && /^[\x09\x20-\x7e]*$/.test(line)))
  assert.match(libmime.decodeWords(note!.replaceAll('\r\n', '')), /bank\.test を騙るなりすましの可能性があります/)
})

test('S2-05 a domain that looks like the own one or a known one is named, also when everything passes', async () => {
  const { resembles, linesFor } = scene({ known: [known('bank.co.jp', 1), known('partner.test', 2)] })
  assert.equal(await resembles('examp1e.test'), 'example.test')
  assert.equal(await resembles('mail.partmer.test'), 'partner.test')
  assert.equal(await resembles('bank.jp'), 'bank.co.jp')
  assert.equal(await resembles('example.test'), undefined)
  assert.equal(await resembles('unrelated.test'), undefined)
  const lines = await linesFor(jobFrom({ ...PASS, from: 'partmer.test' }))
  assert.match(lines[1]!.replaceAll('\r\n', ''), /partmer\.test looks like partner\.test, which you know/)
})

test('a lookalike does not become trusted by sending often, only by being written to', async () => {
  const later = [known('partner.test', 1), known('partmer.test', 2)]
  assert.equal(await scene({ known: later }).resembles('partmer.test'), 'partner.test')
  assert.equal(await scene({ known: later }).resembles('partner.test'), undefined, 'the one known before')
  const written = [known('partner.test', 1), known('partmer.test', 2, true)]
  assert.equal(await scene({ known: written }).resembles('partmer.test'), undefined)
})

test('only confirmed senders are remembered, by their registered domain', async () => {
  const { linesFor, noted } = scene({})
  await linesFor(jobFrom({ ...PASS, from: 'news.bank.co.jp' }))
  await linesFor(jobFrom({ ...PASS, dmarc: 'none', from: 'small.test' }))
  for (const dmarc of ['fail', 'temperror']) await linesFor(jobFrom({ ...PASS, dmarc, from: 'forged.test' }))
  await linesFor(jobFrom({ ...PASS, dmarc: 'none', isAligned: false, from: 'nobody.test' }))
  await linesFor(jobFrom({ ...PASS, from: 'example.test' }, { receivedBy: 'submission', account: 'a@example.test' }))
  assert.deepEqual(noted, [
    { account: 7, domain: 'bank.co.jp', isWrittenTo: false },
    { account: 7, domain: 'small.test', isWrittenTo: false },
  ])
})

test('a fault leaves the mail as it is; without the database it waits', async () => {
  const { ports, faults } = scene({})
  const job = jobFrom({ ...PASS, from: 'bank.test' })
  const broken = { ...ports, acquaintance: () => Promise.reject(new Error('broken')) }
  assert.equal(await judged(job, MEMBER, broken), job)
  assert.equal(faults.length, 1)
  const away = { ...ports, acquaintance: () => Promise.reject(new DependencyAway('postgres')) }
  await assert.rejects(judged(job, MEMBER, away), DependencyAway)
  const unverified = jobFrom(undefined)
  assert.equal(await judged(unverified, MEMBER, ports), unverified)
  assert.equal(await judged(job, MEMBER, scene(undefined).ports), job)
})
