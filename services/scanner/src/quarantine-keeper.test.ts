// Releases and endings as the keeper carries them out; ports are objects.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { createLog } from '@sekimori/runtime/log'
import type { Ending } from '@sekimori/store/quarantine-end'
import { endNext, type KeeperPorts, releaseNext, startQuarantineKeeper } from './quarantine-keeper.ts'

const job: Job = {
  queueId: 'q1',
  direction: 'submission',
  acceptedAt: 0,
  envelope: { mailFrom: 'alice@a.test', recipients: [{ address: 'x@elsewhere.example' }] },
  session: { receivedBy: 'submission', account: 'alice@a.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from('mail') },
}
const { content: _, ...header } = job
const ending: Ending = {
  id: { queueId: 'q1', direction: 'submission', kind: 'held' },
  state: 'expiring',
  job: header,
  reason: 'encrypted',
  head: Buffer.from('Subject: x\r\n\r\n'),
}

/** Ports that write down what is done, in order. */
function portsFor(changes: Partial<KeeperPorts> = {}): KeeperPorts & { done: string[] } {
  const done: string[] = []
  return {
    done,
    expire: async () => 0,
    nextRelease: async () => undefined,
    markPublished: async ({ queueId }) => void done.push(`published ${queueId}`),
    nextEnding: async () => undefined,
    finishEnding: async ({ id }) => void done.push(`ended ${id.queueId}`),
    publish: async ({ queue }) => void done.push(`to ${queue.name}`),
    whenUp: async () => {},
    log: createLog('test', 'silent'),
    ...changes,
  }
}

test('a release goes to the scanner, and is marked as published only when the broker has it', async () => {
  const ports = portsFor({ nextRelease: async () => job })
  assert.equal(await releaseNext(ports), true)
  assert.deepEqual(ports.done, ['to scan', 'published q1'])
  const refused = portsFor({ nextRelease: async () => job, publish: () => Promise.reject(new Error('no broker')) })
  await assert.rejects(releaseNext(refused), /no broker/)
  assert.deepEqual(refused.done, [])
  assert.equal(await releaseNext(portsFor()), false)
})

test('the sender of held mail is told before its content goes; nobody else is', async () => {
  const ended = async (changes: Partial<Ending>) => {
    const ports = portsFor({ nextEnding: async () => ({ ...ending, ...changes }) })
    assert.equal(await endNext(ports), true)
    return ports.done
  }
  assert.deepEqual(await ended({}), ['to notify', 'ended q1'])
  assert.deepEqual(await ended({ id: { ...ending.id, kind: 'refused' } }), ['ended q1'], 'was told when it was refused')
  assert.deepEqual(await ended({ job: { ...header, session: { receivedBy: 'mx' } } }), ['ended q1'], 'a stranger')
  const { job: _job, reason: _reason, ...infected } = ending
  const ports = portsFor({ nextEnding: async () => ({ ...infected, id: { ...ending.id, kind: 'infected' } }) })
  await endNext(ports)
  assert.deepEqual(ports.done, ['ended q1'])
})

test('content stays while its sender can not be told', async () => {
  const ports = portsFor({ nextEnding: async () => ending, publish: () => Promise.reject(new Error('no broker')) })
  await assert.rejects(endNext(ports))
  assert.deepEqual(ports.done, [])
})

test('what fails keeps nothing else from being done, and the keeper stops when told', async () => {
  const stopping = new AbortController()
  const endings = [ending]
  const ports = portsFor({
    nextRelease: () => Promise.reject(new Error('wrong key')),
    nextEnding: async () => endings.pop(),
    finishEnding: async () => stopping.abort(),
  })
  await startQuarantineKeeper(ports, 60_000, stopping.signal)[Symbol.asyncDispose]()
  assert.deepEqual(ports.done, ['to notify'])
})

test('the sweep goes on until a batch is empty', async () => {
  const stopping = new AbortController()
  const batches = [100, 100, 3, 0]
  const expire = async () => {
    const count = batches.shift()!
    if (count === 0) stopping.abort()
    return count
  }
  await startQuarantineKeeper(portsFor({ expire }), 60_000, stopping.signal)[Symbol.asyncDispose]()
  assert.deepEqual(batches, [])
})
