// Who waits for whom before argon2, and who is sent away.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { PasswordQueue, QueueFull } from './password-queue.ts'

/** Runs a check at a place of the network's. */
async function unknown<T>(queue: PasswordQueue, network: string, check: () => Promise<T>): Promise<T> {
  using place = queue.place(network)
  return await place.run(check)
}

const BOUNDS = { atOnce: 1, atOnceInBackground: 1, waiting: 3, ofOneNetwork: 2, restMs: 60 }

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

test('one check of a lane runs at a time, and known networks never wait for unknown ones', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { began, check, end } = checks()
  const strangers = [unknown(queue, 'n1', check('first')), unknown(queue, 'n2', check('second'))]
  const owners = [queue.known(check('owner')), queue.known(check('other owner'))]
  assert.deepEqual(began, ['first', 'owner'])
  end('owner')
  assert.equal(await owners[0], 'owner')
  assert.deepEqual(began, ['first', 'owner', 'other owner'])
  end('first')
  await strangers[0]
  assert.deepEqual(began, ['first', 'owner', 'other owner', 'second'])
  for (const name of ['other owner', 'second']) end(name)
  await Promise.all([...strangers, ...owners])
})

test('a full lane sends further ones away, and the other lane goes on', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { check, end } = checks()
  const running = unknown(queue, 'n0', check('running'))
  const waiting = ['n1', 'n2', 'n3'].map((network) => unknown(queue, network, async () => network))
  await assert.rejects(
    unknown(queue, 'n4', async () => 'never'),
    QueueFull,
  )
  const owner = queue.known(async () => 'owner')
  end('running')
  assert.deepEqual(await Promise.all([running, owner, ...waiting]), ['running', 'owner', 'n1', 'n2', 'n3'])
  assert.equal(await unknown(queue, 'n4', async () => 'again'), 'again')
})

test('one unknown network has a few places only', async () => {
  const queue = new PasswordQueue(BOUNDS)
  const { check, end } = checks()
  const own = [unknown(queue, 'n1', check('a')), unknown(queue, 'n1', async () => 'b')]
  await assert.rejects(
    unknown(queue, 'n1', async () => 'c'),
    QueueFull,
  )
  const other = unknown(queue, 'n2', async () => 'd')
  end('a')
  await Promise.all([...own, other])
  assert.equal(await unknown(queue, 'n1', async () => 'c'), 'c')
})

test('a check that fails gives its place back', async () => {
  const queue = new PasswordQueue(BOUNDS)
  await assert.rejects(
    queue.known(() => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.equal(await queue.known(async () => 'yes'), 'yes')
})

test('after a wrong guess of an unknown network the next one waits for the rest to be over, after a right one it does not', async () => {
  const rests: { ms: number; end: () => void }[] = []
  const queue = new PasswordQueue(BOUNDS, (ms) => new Promise((end) => rests.push({ ms, end })))
  const began: string[] = []
  const check = (name: string, isRight: boolean) =>
    unknown(queue, name, async () => {
      began.push(name)
      return isRight
    })
  const answers = [check('wrong', false), check('right', true), check('last', true)]
  await eventually(() => rests[0])
  assert.equal(await queue.known(async () => false), false)
  assert.deepEqual(began, ['wrong'])
  rests[0]!.end()
  assert.deepEqual(await Promise.all(answers), [false, true, true])
  assert.deepEqual(began, ['wrong', 'right', 'last'])
  assert.deepEqual(
    rests.map(({ ms }) => ms),
    [BOUNDS.restMs],
  )
})
