// What is recorded about a mail, with ports as object literals: never more than was found, always in our name.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Findings } from '@sekimori/authentication/findings'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { ContentGone } from '@sekimori/store/content'
import { handleAuthenticate, type Ports } from './handler.ts'

const HEAD = 'Authentication-Results: mx.test; dkim=pass\r\nSubject: x\r\n\r\n'
const job: Job = {
  queueId: 'q1',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'eve@stranger.test', recipients: [{ address: 'bob@example.test' }] },
  session: { receivedBy: 'mx', clientAddress: '192.0.2.1' },
  added: ['Received: from x'],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from(`${HEAD}body`) },
}

function foundWith(spfLine: string, receivedSpf: string): Findings {
  return {
    spf: { result: 'fail', domain: 'stranger.test', line: spfLine },
    dkim: [],
    dmarc: { result: 'fail', policy: 'none', line: 'dmarc=fail' },
    receivedSpf,
  }
}

function portsWith(changes: Partial<Ports> = {}): Ports {
  return {
    hostname: 'mx.test',
    verify: async () => foundWith('spf=fail smtp.mailfrom=stranger.test', 'Received-SPF: fail x;'),
    head: async () => Buffer.from(HEAD),
    note: async () => {},
    reportFault: () => assert.fail('no fault to report'),
    ...changes,
  }
}

async function handled(changed: Partial<Job> = {}, ports: Partial<Ports> = {}): Promise<Job> {
  const [next, ...others] = await handleAuthenticate({ ...job, ...changed }, portsWith(ports))
  assert.equal(next!.queue.name, 'deliver-local')
  assert.equal(others.length, 0)
  return next!.message as Job
}

test('what was found stands above the other lines, and forged results are struck', async () => {
  const passed = await handled()
  assert.deepEqual(passed.added, [
    'Authentication-Results: mx.test;\r\n\tspf=fail smtp.mailfrom=stranger.test;\r\n\tdmarc=fail',
    'Received-SPF: fail x; receiver=mx.test;',
    'Received: from x',
  ])
  assert.deepEqual(passed.struck, [0, HEAD.indexOf('Subject')])
  assert.equal(passed.history.at(-1)?.outcome, 'spf=fail dmarc=fail')
  assert.deepEqual(passed.content, job.content)
})

test('what the edge has found is recorded without a second look, and goes no further', async () => {
  const verified = { ...foundWith('spf=pass smtp.mailfrom=stranger.test', 'Received-SPF: pass x;') }
  const passed = await handled({ verified }, { verify: () => assert.fail('looked again') })
  assert.match(passed.added[0]!, /spf=pass/)
  assert.equal('verified' in passed, false)
})

test('mail of our own account says who logged in', async () => {
  const passed = await handled({ session: { receivedBy: 'submission', account: 'alice@example.test' } })
  assert.match(passed.added[0]!, /^Authentication-Results: mx\.test;\r\n\tauth=pass smtp\.auth=alice@example\.test;/)
})

test('a fault of the verifier is told, and counts as temperror, never as a pass', async () => {
  const faults: unknown[] = []
  const fault = new TypeError('a bug')
  const passed = await handled(
    {},
    { verify: () => Promise.reject(fault), reportFault: (_job, error) => faults.push(error) },
  )
  assert.deepEqual(faults, [fault])
  assert.ok(!passed.added[0]!.includes('pass'))
  assert.deepEqual(passed.added[0]!.match(/\w+=temperror/g), ['spf=temperror', 'dkim=temperror', 'dmarc=temperror'])
})

test('while a server is away, or when the content is gone, nothing is recorded', async () => {
  for (const error of [new DependencyAway('postgres'), new ContentGone('x')]) {
    await assert.rejects(handled({}, { verify: () => Promise.reject(error) }), (thrown) => thrown === error)
    await assert.rejects(handled({}, { head: () => Promise.reject(error) }), (thrown) => thrown === error)
  }
})

test('nothing that was found breaks out of its line', async () => {
  const evil = 'spf=fail smtp.mailfrom=x\r\nX-Injected: 1\n\r\nbody\0\u0085'
  const passed = await handled({}, { verify: async () => foundWith(evil, `Received-SPF: ${evil}`) })
  for (const line of passed.added.slice(0, 2)) {
    assert.ok(!/[^\r]\n|\r(?!\n)|\n(?!\t)/.test(line), JSON.stringify(line))
    assert.ok(!/[\0\u0085]/.test(line))
  }
})
