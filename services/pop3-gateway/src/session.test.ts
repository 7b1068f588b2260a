// The UPDATE state and the ends of a session over real sockets: what is removed, and when the lock is given back.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const TEXTS = ['a: 1\r\n\r\n1\r\n', 'a: 2\r\n\r\n2\r\n', 'a: 3\r\n\r\n3\r\n']

test('messages are removed at QUIT and not before', async () => {
  const maildrop = maildropOf(TEXTS)
  await using server = await startServer(portsWith(maildrop))
  await using client = await WireClient.login(server.pop3sPort)
  await client.say('DELE 3')
  await client.say('DELE 1')
  await client.say('NOOP')
  assert.deepEqual(maildrop.removed, [])
  assert.equal(await client.say('QUIT'), '+OK 2 messages removed, bye')
  assert.deepEqual(maildrop.removed, [101, 103])
  assert.equal(await client.rest(), '')
})

test('QUIT without a mark removes nothing', async () => {
  const maildrop = maildropOf(TEXTS, { remove: () => assert.fail('nothing was to be removed') })
  await using server = await startServer(portsWith(maildrop))
  await using client = await WireClient.login(server.pop3sPort)
  await client.say('DELE 1')
  await client.say('RSET')
  assert.equal(await client.say('QUIT'), '+OK Bye')
})

test('the lock is given back before QUIT is answered, so that a client may come again at once', async () => {
  const { promise: mayClose, resolve: letClose } = Promise.withResolvers<void>()
  let isClosing = false
  const maildrop = maildropOf(TEXTS, {
    [Symbol.asyncDispose]: () => {
      isClosing = true
      return mayClose
    },
  })
  await using server = await startServer(portsWith(maildrop))
  await using client = await WireClient.login(server.pop3sPort)
  let reply: string | undefined
  const answered = client.say('QUIT').then((line) => {
    reply = line
  })
  await eventually(() => isClosing, 'the lock is being given back')
  assert.equal(reply, undefined)
  letClose()
  await answered
  assert.equal(reply, '+OK Bye')
})

test('a dropped session deletes nothing and frees the maildrop', async () => {
  for (const leave of ['destroy', 'end'] as const) {
    const maildrop = maildropOf(TEXTS)
    await using server = await startServer(portsWith(maildrop))
    await using client = await WireClient.login(server.pop3sPort)
    await client.say('DELE 1')
    client.socket[leave]()
    await eventually(() => maildrop.closed === 1, `the lock is given back after ${leave}`)
    assert.deepEqual(maildrop.removed, [])
  }
})

test('a silent client is logged out without a word, and nothing is removed', async () => {
  const maildrop = maildropOf(TEXTS)
  await using server = await startServer(portsWith(maildrop), { idleTimeoutMs: 1_500 })
  await using client = await WireClient.login(server.pop3sPort)
  await client.say('DELE 1')
  assert.equal(await client.rest(), '')
  await eventually(() => maildrop.closed === 1, 'the lock is given back')
  assert.deepEqual(maildrop.removed, [])
})

test('octets that never become a line do not keep a session alive', async () => {
  await using server = await startServer(portsWith(maildropOf(TEXTS)), { idleTimeoutMs: 300 })
  await using client = await WireClient.dial(server.pop3Port)
  const trickle = setInterval(() => client.socket.writable && client.send('N'), 20)
  try {
    assert.equal(await client.rest(), '')
  } finally {
    clearInterval(trickle)
  }
})

test('a session whose lock was lost is cut and removes nothing', async () => {
  const lost = new AbortController()
  const maildrop = maildropOf(TEXTS, { lost: lost.signal })
  await using server = await startServer(portsWith(maildrop))
  await using client = await WireClient.login(server.pop3sPort)
  await client.say('DELE 1')
  lost.abort()
  assert.equal(await client.rest(), '')
  await eventually(() => maildrop.closed === 1, 'the maildrop is closed')
  assert.deepEqual(maildrop.removed, [])
})

test('a lock that was lost before the maildrop was listed cuts the session too', async () => {
  const maildrop = maildropOf(TEXTS, { lost: AbortSignal.abort() })
  await using server = await startServer(portsWith(maildrop))
  await assert.rejects(WireClient.login(server.pop3sPort))
  await eventually(() => maildrop.closed === 1, 'the maildrop is closed')
})

test('QUIT says -ERR when some messages could not be removed', async () => {
  const internal = new Error('deadlock detected in relation 16384')
  const failures = [
    {
      remove: async () => ({ kind: 'lost' }) as const,
      reply: /^-ERR Some deleted messages were not removed: the lock/,
    },
    {
      remove: () => Promise.reject(internal),
      reply: /^-ERR \[SYS\/TEMP\] Some deleted messages were not removed, try/,
    },
  ]
  for (const { remove, reply } of failures) {
    const maildrop = maildropOf(TEXTS, { remove })
    await using server = await startServer(portsWith(maildrop))
    await using client = await WireClient.login(server.pop3sPort)
    await client.say('DELE 1')
    assert.match(await client.say('QUIT'), reply)
    assert.equal(maildrop.closed, 1)
  }
})
