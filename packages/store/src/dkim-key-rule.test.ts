// The life of a key as a table: what DNS shows and how much time has passed decide which keys sign and what comes next.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysThatSign, type LivingKey, stepsNow } from './dkim-key-rule.ts'

const DAY_MS = 86_400_000
const HOUR_MS = 3_600_000
const NOW = new Date('2026-06-01T00:00:00Z')
const POLICY = { rotateAfterMs: 90 * DAY_MS, settleMs: HOUR_MS, retireAfterMs: 7 * DAY_MS }
const ago = (ms: number) => new Date(NOW.getTime() - ms)

function key(
  id: string,
  state: LivingKey['state'],
  shown: LivingKey['shown'],
  more: Partial<LivingKey> = {},
): LivingKey {
  const since = { stateSince: ago(DAY_MS), shownSince: ago(DAY_MS) }
  return { id, algorithm: 'rsa-sha256', state, shown, looks: 3, negativeTtlSeconds: 0, ...since, ...more }
}

const steps = (...keys: LivingKey[]) =>
  stepsNow(keys, NOW, POLICY).map((step) => `${step.kind} ${step.kind === 'create' ? step.algorithm : step.id}`)
const signing = (...keys: LivingKey[]) => keysThatSign(keys).map(({ id }) => id)

test('a key is followed by the next one when it is old enough, is shown, and none is pending', () => {
  const old = { stateSince: ago(90 * DAY_MS) }
  assert.deepEqual(steps(key('a', 'active', 'matches', old)), ['create rsa-sha256'])
  assert.deepEqual(steps(key('a', 'active', 'matches', { stateSince: ago(90 * DAY_MS - 1) })), [])
  assert.deepEqual(steps(key('a', 'active', 'missing', old)), [])
  assert.deepEqual(steps(key('a', 'active', 'matches', old), key('b', 'pending', 'missing')), [])
  assert.deepEqual(stepsNow([key('a', 'active', 'matches', old)], NOW, { ...POLICY, rotateAfterMs: undefined }), [])
})

test('a new key signs once it was shown for the settling time, and for as long as others may remember its absence', () => {
  const cases: [Partial<LivingKey>, LivingKey['shown'], string[]][] = [
    [{ shownSince: ago(HOUR_MS) }, 'matches', ['activate b']],
    [{ shownSince: ago(HOUR_MS - 1) }, 'matches', []],
    [{ shownSince: ago(HOUR_MS), negativeTtlSeconds: 7_200 }, 'matches', []],
    [{ shownSince: ago(2 * HOUR_MS), negativeTtlSeconds: 7_200 }, 'matches', ['activate b']],
    [{ shownSince: ago(DAY_MS), negativeTtlSeconds: 2 ** 31 }, 'matches', ['activate b']],
    [{}, 'missing', []],
    [{}, 'differs', []],
    [{ shownSince: undefined }, 'unknown', []],
  ]
  for (const [more, shown, expected] of cases)
    assert.deepEqual(steps(key('a', 'active', 'matches'), key('b', 'pending', shown, more)), expected)
})

test('an old key goes when mail under way is done, and not while the new one is not shown', () => {
  const old = key('a', 'retiring', 'matches', { stateSince: ago(7 * DAY_MS) })
  assert.deepEqual(steps(old, key('b', 'active', 'matches')), ['retire a'])
  assert.deepEqual(steps(key('a', 'retiring', 'matches'), key('b', 'active', 'matches')), [])
  for (const shown of ['missing', 'differs', 'unknown'] as const)
    assert.deepEqual(steps(old, key('b', 'active', shown)), [])
})

test('each algorithm goes its own way', () => {
  const ed = { algorithm: 'ed25519-sha256' } as const
  const keys = [key('a', 'active', 'matches'), key('b', 'pending', 'matches')]
  assert.deepEqual(steps(...keys, key('c', 'active', 'matches', ed), key('d', 'pending', 'missing', ed)), [
    'activate b',
  ])
})

test('the active keys sign, pending and retiring ones do not', () => {
  const ed = key('c', 'active', 'unknown', { algorithm: 'ed25519-sha256' })
  assert.deepEqual(signing(key('z', 'retiring', 'matches'), key('a', 'active', 'matches'), ed), ['a', 'c'])
})

test('what DNS does not show signs only where nothing else could', () => {
  const ed = { algorithm: 'ed25519-sha256' } as const
  const before = key('z', 'retiring', 'matches')
  assert.deepEqual(signing(before, key('a', 'active', 'missing')), ['z'])
  assert.deepEqual(signing(before, key('a', 'active', 'missing', { looks: 1 })), ['a'], 'one look may be a chance')
  assert.deepEqual(signing(key('z', 'retiring', 'missing'), key('a', 'active', 'differs')), ['a'])
  assert.deepEqual(signing(key('a', 'active', 'matches'), key('c', 'active', 'missing', ed)), ['a'])
  assert.deepEqual(signing(key('a', 'active', 'missing'), key('c', 'active', 'missing', ed)), ['a', 'c'])
})
