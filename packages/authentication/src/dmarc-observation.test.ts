// What a mail adds to the report on its author's domain, and which mails add nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { observe } from './dmarc-observation.ts'
import { openInline, readInlineHead } from './testing/inline-content.ts'
import { zoneResolver } from './testing/zone.ts'
import { createVerifier } from './verify.ts'

const RECORD = 'v=DMARC1; p=reject; sp=quarantine; fo=1; rua=mailto:x@a.test'
const job = (over: { from?: string; mailFrom?: string; receivedBy?: 'mx' | 'submission' } = {}): Job => ({
  queueId: 'q',
  direction: 'inbound',
  acceptedAt: Date.now(),
  envelope: { mailFrom: over.mailFrom ?? 'anna@bounce.a.test', recipients: [{ address: 'bob@here.test' }] },
  session: { receivedBy: over.receivedBy ?? 'mx', clientAddress: '192.0.2.7', ehloName: 'mx.a.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from(`From: ${over.from ?? 'anna@a.test'}\r\n\r\nbody\r\n`) },
})

async function seen(mail: Job, record: string | undefined = RECORD, spf = 'v=spf1 -all') {
  const resolve = zoneResolver({
    ...(record === undefined ? {} : { '_dmarc.a.test': { TXT: [record] } }),
    'bounce.a.test': { TXT: [spf] },
    'a.test': { TXT: [spf] },
  })
  const ports = { resolve, isDnsAway: async () => false, hostname: 'here.test', open: openInline, head: readInlineHead }
  const findings = await createVerifier(ports)(mail)
  return { of: (disposition: 'none' | 'quarantine' | 'reject') => observe(mail, findings, disposition) }
}

test('a forged mail is told with what was done about it', async () => {
  const found = (await seen(job())).of('none')!
  const { rua: _, ...policy } = found.policy
  assert.deepEqual(policy, {
    domain: 'a.test',
    p: 'reject',
    sp: 'quarantine',
    adkim: 'r',
    aspf: 'r',
    fo: '1',
    testing: 'n',
  })
  assert.deepEqual(found.row, {
    sourceIp: '192.0.2.7',
    disposition: 'none',
    override: 'local_policy',
    dkim: 'fail',
    spf: 'fail',
    headerFrom: 'a.test',
    envelopeFrom: 'bounce.a.test',
    signatures: [],
    spfResult: { domain: 'bounce.a.test', scope: 'mfrom', result: 'fail' },
  })
  const { override, disposition } = (await seen(job())).of('reject')!.row
  assert.deepEqual([disposition, override], ['reject', undefined])
})

test('a genuine mail passes by what is aligned; a test mode and p=none are told as such', async () => {
  const genuine = (await seen(job(), RECORD, 'v=spf1 ip4:192.0.2.7 -all')).of('none')!.row
  assert.deepEqual([genuine.disposition, genuine.spf, genuine.dkim], ['pass', 'pass', 'fail'])
  const strict = (await seen(job(), `${RECORD}; aspf=s`, 'v=spf1 ip4:192.0.2.7 -all')).of('none')!.row
  assert.deepEqual([strict.disposition, strict.spf, strict.spfResult?.result], ['none', 'fail', 'pass'])
  const testing = (await seen(job(), 'v=DMARC1; p=quarantine; t=y; rua=mailto:x@a.test')).of('none')!
  assert.deepEqual([testing.row.override, testing.policy.testing], ['policy_test_mode', 'y'])
  const lax = (await seen(job(), 'v=DMARC1; p=none; rua=mailto:x@a.test')).of('none')!.row
  assert.deepEqual([lax.disposition, lax.override], ['none', undefined])
})

test('a null reverse-path is empty, and the EHLO name is what SPF checked', async () => {
  const { row } = (await seen(job({ mailFrom: '' }))).of('none')!
  assert.deepEqual([row.envelopeFrom, row.spfResult?.scope, row.spfResult?.domain], ['', 'helo', 'mx.a.test'])
})

test('subdomains are told under the domain whose record applies', async () => {
  const found = (await seen(job({ from: 'anna@sub.a.test' }))).of('none')!
  assert.deepEqual([found.policy.domain, found.row.headerFrom, found.organization], ['a.test', 'sub.a.test', 'a.test'])
})

test('nobody who did not ask is told, and nothing of our own accounts', async () => {
  assert.equal((await seen(job(), 'v=DMARC1; p=reject')).of('none'), undefined)
  assert.equal((await seen(job({ from: 'anna@b.test' }))).of('none'), undefined)
  assert.equal((await seen(job({ from: 'a@a.test, b@a.test' }))).of('none'), undefined)
  assert.equal((await seen(job({ receivedBy: 'submission' }))).of('none'), undefined)
})
