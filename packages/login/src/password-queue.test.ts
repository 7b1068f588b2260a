// Who waits for whom before argon2, and who is sent away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PasswordQueue, QueueFull } from './password-queue.ts'

const BOUNDS = { atOnce: 1, waiting: 3, ofOneNetwork: 2 }

/** Checks that end when the test says so, and the order in which they began. */
function checks() {
  const began: string[] = []
  const ends = new Map<string, () => void>()
  const check = (name: string) => () => {
    began.push(name)
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
  }
  return { began, check, end: (name: string) => ends.get(name)!() }
}

test('one check runs at a time, and known networks go first', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { began, check, end } = checks()
  const all = [
    queue.unknown('n1', check('first')),
    queue.unknown('n2', check('stranger')),
    queue.known(check('owner')),
  ] as const
  assert.deepEqual(began, ['first'])
  end('first')
  assert.equal(await all[0], 'first')
  assert.deepEqual(began, ['first', 'owner'])
  end('owner')
  await all[2]
  assert.deepEqual(began, ['first', 'owner', 'stranger'])
  end('stranger')
  await all[1]
})

test('a full lane sends further ones away, and the other lane goes on', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { check, end } = checks()
  const running = queue.unknown('n0', check('running'))
  const waiting = ['n1', 'n2', 'n3'].map((network) => queue.unknown(network, async () => network))
  await assert.rejects(
    queue.unknown('n4', async () => 'never'),
    QueueFull,
  )
  const owner = queue.known(async () => 'owner')
  end('running')
  assert.deepEqual(await Promise.all([running, owner, ...waiting]), ['running', 'owner', 'n1', 'n2', 'n3'])
  assert.equal(await queue.unknown('n4', async () => 'again'), 'again')
})

test('one unknown network has a few places only', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { check, end } = checks()
  const own = [queue.unknown('n1', check('a')), queue.unknown('n1', async () => 'b')]
  await assert.rejects(
    queue.unknown('n1', async () => 'c'),
    QueueFull,
  )
  const other = queue.unknown('n2', async () => 'd')
  end('a')
  await Promise.all([...own, other])
  assert.equal(await queue.unknown('n1', async () => 'c'), 'c')
})

test('a check that fails gives its place back', async () => {
  const queue = new PasswordQueue(BOUNDS)
  await assert.rejects(
    queue.known(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await queue.known(async () => 'yes'), 'yes')
})
