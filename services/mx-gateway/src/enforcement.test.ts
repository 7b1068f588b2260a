// DMARC enforced in the session: what is refused, what is marked, and what a domain that only records never notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DmarcFinding } from '@sekimori/authentication/findings'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { SmtpReply } from '@sekimori/smtp/reply'
import { checkSamePolicy, type EnforcementPorts, enforceDmarc } from './enforcement.ts'

const job = (...recipients: string[]): Job => ({
  queueId: 'q',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'x@sender.test', recipients: recipients.map((address) => ({ address })) },
  session: { receivedBy: 'mx', clientAddress: '192.0.2.1', ehloName: 'mx.sender.test' },
  added: ['Received: x'],
  struck: [],
  history: [],
  content: { kind: 'stored', id: 'q', sizeBytes: 100_000 },
})
const toStrict = job('bob@strict.test')

function portsFor(dmarc: Partial<DmarcFinding>, changes: Partial<EnforcementPorts> = {}) {
  const seen: string[] = []
  const finding: DmarcFinding = {
    result: 'fail',
    policy: 'reject',
    headerFrom: 'bank.test',
    line: 'dmarc=fail',
    ...dmarc,
  }
  const ports: EnforcementPorts = {
    dmarcPolicy: async (domain) => (domain === 'strict.test' ? 'enforce' : 'record'),
    verify: async () => {
      seen.push('verified')
      return { dkim: [], dmarc: finding }
    },
    note: async () => void seen.push('noted'),
    traceRefusal: async (_job, detail) => void seen.push(`traced ${detail}`),
    release: async (queueId) => void seen.push(`released ${queueId}`),
    reportFault: (_job, error) => void seen.push(`fault ${error}`),
    ...changes,
  }
  return { ports, seen }
}

test('mail that its author wants rejected is refused, traced, and leaves no content behind', async () => {
  const { ports, seen } = portsFor({})
  await assert.rejects(enforceDmarc(toStrict, ports), (error) => {
    assert.ok(error instanceof SmtpReply)
    assert.deepEqual([error.responseCode, error.enhancedCode], [550, '5.7.1'])
    assert.match(error.message, /bank\.test/)
    return true
  })
  assert.deepEqual(seen, ['verified', 'noted', 'traced DMARC policy of bank.test: dmarc=fail', 'released q'])
})

test('mail that is to be quarantined is taken and marked', async () => {
  const { ports } = portsFor({ policy: 'quarantine' })
  const taken = await enforceDmarc(toStrict, ports)
  assert.deepEqual(taken.added, ['X-DMARC-Quarantine: yes; author="bank.test"', 'Received: x'])
  assert.equal(taken.history.at(-1)?.outcome, 'dmarc=fail quarantine')
})

test('a pass and no policy are taken as they are, with what was found; what could not be found out now is found out later', async () => {
  for (const dmarc of [
    { result: 'pass' },
    { policy: 'none' },
    { result: 'temperror' },
    { result: 'none' },
  ] as Partial<DmarcFinding>[]) {
    const { verified, ...taken } = await enforceDmarc(toStrict, portsFor(dmarc).ports)
    assert.deepEqual(taken, toStrict, JSON.stringify(dmarc))
    assert.equal(verified?.dmarc.result, dmarc.result === 'temperror' ? undefined : (dmarc.result ?? 'fail'))
  }
})

test('an author who is not clear is refused when a domain that may be meant asks for it', async () => {
  const { headerFrom: _, ...unclear } = {
    headerFrom: 'x',
    result: 'none',
    policy: 'reject',
    line: 'dmarc=none',
  } as const
  const ports = { ...portsFor({}).ports, verify: async () => ({ dkim: [], dmarc: unclear }) }
  await assert.rejects(enforceDmarc(toStrict, ports), { responseCode: 550 })
})

test('where one of the recipients records only, nothing is verified', async () => {
  const { ports, seen } = portsFor({})
  for (const recorded of [job('bob@lax.test'), job('bob@strict.test', 'bob@lax.test')])
    assert.equal(await enforceDmarc(recorded, ports), recorded)
  assert.deepEqual(seen, [])
})

test('recipients of domains with other policies come in another transaction', async () => {
  const { ports } = portsFor({})
  await checkSamePolicy(ports, 'bob@strict.test')
  await checkSamePolicy(ports, 'bob@strict.test', 'carol@strict.test')
  await checkSamePolicy(ports, 'bob@lax.test', 'carol@other.test')
  await assert.rejects(checkSamePolicy(ports, 'bob@lax.test', 'carol@strict.test'), {
    responseCode: 452,
    enhancedCode: '4.5.3',
  })
})

test('a fault of ours keeps no mail out; while DNS is away the sender comes again', async () => {
  const { ports, seen } = portsFor({}, { verify: () => Promise.reject(new TypeError('a bug')) })
  assert.equal(await enforceDmarc(toStrict, ports), toStrict)
  assert.deepEqual(seen, ['fault TypeError: a bug'])
  const away = { ...ports, verify: () => Promise.reject(new DependencyAway('dns')) }
  await assert.rejects(enforceDmarc(toStrict, away), DependencyAway)
})
