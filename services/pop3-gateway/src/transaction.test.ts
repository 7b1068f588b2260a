// The TRANSACTION state over real sockets, octet by octet.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Maildrop } from './ports.ts'
import { eventually, maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const FIRST = 'Subject: one\r\n\r\nfirst\r\n'
const SECOND = 'Subject: two\r\n\r\n.\r\n..dots\r\nplain .\r\n.end\r\n'

async function open(maildrop: Maildrop) {
  const server = await startServer(portsWith(maildrop))
  const client = await WireClient.login(server.pop3sPort)
  return {
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('STAT, LIST and UIDL show numbers, octets and unique-ids', async () => {
  await using session = await open(maildropOf([FIRST, SECOND]))
  const { client } = session
  assert.equal(await client.say('STAT'), `+OK 2 ${FIRST.length + SECOND.length}`)
  assert.deepEqual(await client.sayMulti('LIST'), [`1 ${FIRST.length}`, `2 ${SECOND.length}`])
  assert.equal(await client.say('LIST 2'), `+OK 2 ${SECOND.length}`)
  assert.deepEqual(await client.sayMulti('UIDL'), ['1 101', '2 102'])
  assert.equal(await client.say('uidl 1'), '+OK 1 101')
  assert.equal(await client.say('NOOP'), '+OK Still here')
})

test('an empty maildrop lists nothing', async () => {
  await using session = await open(maildropOf([]))
  const { client } = session
  assert.equal(await client.say('STAT'), '+OK 0 0')
  assert.deepEqual(await client.sayMulti('LIST'), [])
  assert.deepEqual(await client.sayMulti('UIDL'), [])
  assert.equal(await client.say('RETR 1'), '-ERR No such message')
})

test('RETR sends exactly the octets that LIST promised, dot-stuffed', async () => {
  await using session = await open(maildropOf([FIRST, SECOND]))
  const { client } = session
  assert.equal(await client.say('RETR 2'), `+OK ${SECOND.length} octets`)
  const sent = (await client.until('\r\n.\r\n')).toString('latin1')
  assert.equal(sent, 'Subject: two\r\n\r\n..\r\n...dots\r\nplain .\r\n..end\r\n.\r\n')
  const unstuffed = sent.slice(0, -3).replaceAll(/^\./gm, '')
  assert.equal(unstuffed, SECOND)
})

test('a message without a last line end, and one without octets, still end on a line of their own', async () => {
  await using session = await open(maildropOf(['Subject: x\r\n\r\nno end', '']))
  const { client } = session
  await client.say('RETR 1')
  assert.equal((await client.until('.\r\n')).toString(), 'Subject: x\r\n\r\nno end\r\n.\r\n')
  assert.equal(await client.say('RETR 2'), '+OK 0 octets')
  assert.equal(await client.line(), '.')
  assert.equal(await client.say('NOOP'), '+OK Still here')
})

test('octets beyond ASCII pass as they are', async () => {
  const text = 'Subject: \u95a2\u5b88\r\n\r\n\u3053\u3093\u306b\u3061\u306f\r\n'
  await using session = await open(maildropOf([text]))
  const { client } = session
  assert.equal(await client.say('RETR 1'), `+OK ${Buffer.byteLength(text)} octets`)
  assert.equal((await client.until('\r\n.\r\n')).toString('utf8'), `${text}.\r\n`)
})

test('TOP sends the header, the blank line and so many lines of the body', async () => {
  await using session = await open(maildropOf([SECOND]))
  const { client } = session
  assert.deepEqual(await client.sayMulti('TOP 1 0'), ['Subject: two', ''])
  assert.deepEqual(await client.sayMulti('TOP 1 2'), ['Subject: two', '', '..', '...dots'])
  assert.deepEqual(await client.sayMulti('TOP 1 99'), ['Subject: two', '', '..', '...dots', 'plain .', '..end'])
})

test('DELE hides a message, keeps the numbers of the others, and RSET brings it back', async () => {
  await using session = await open(maildropOf([FIRST, SECOND]))
  const { client } = session
  assert.match(await client.say('DELE 1'), /^\+OK/)
  assert.equal(await client.say('STAT'), `+OK 1 ${SECOND.length}`)
  assert.deepEqual(await client.sayMulti('LIST'), [`2 ${SECOND.length}`])
  assert.deepEqual(await client.sayMulti('UIDL'), ['2 102'])
  for (const command of ['DELE 1', 'RETR 1', 'TOP 1 0', 'LIST 1', 'UIDL 1']) {
    assert.equal(await client.say(command), '-ERR Message 1 is marked as deleted')
  }
  assert.equal(await client.say('RSET'), `+OK 2 messages (${FIRST.length + SECOND.length} octets)`)
  assert.deepEqual(await client.sayMulti('UIDL'), ['1 101', '2 102'])
})

test('message-numbers that are none are refused', async () => {
  await using session = await open(maildropOf([FIRST]))
  const { client } = session
  for (const number of ['0', '2', '9999999999'])
    assert.equal(await client.say(`RETR ${number}`), '-ERR No such message')
  for (const number of ['-1', '1.5', '1e0', 'x', '', '1 1', '99999999999']) {
    assert.equal(await client.say(`RETR ${number}`), '-ERR RETR takes a message-number')
  }
})

test('a client that has logged in can not do so again', async () => {
  await using session = await open(maildropOf([]))
  const { client } = session
  for (const command of ['USER x', 'PASS x', 'AUTH PLAIN', 'STLS']) {
    assert.equal(await client.say(command), '-ERR You are already logged in')
  }
  assert.ok((await client.sayMulti('CAPA')).includes('USER'))
})

test('pipelined commands are answered in order', async () => {
  await using session = await open(maildropOf([FIRST, SECOND]))
  const { client } = session
  client.send('STAT\r\nRETR 1\r\nDELE 1\r\nNO')
  client.send('OP\r\nLIST 1\r\nQUIT\r\n')
  const replies = [
    `+OK 2 ${FIRST.length + SECOND.length}`,
    `+OK ${FIRST.length} octets\r\n${FIRST}.`,
    '+OK Message 1 marked as deleted',
    '+OK Still here',
    '-ERR Message 1 is marked as deleted',
    '+OK 1 messages removed, bye',
    '',
  ]
  assert.equal(await client.rest(), replies.join('\r\n'))
})

test('a store that is away before the first octet is a passing fault; the session goes on', async () => {
  const read: Maildrop['read'] = async function* () {
    yield* []
    throw new Error('relation "content" does not exist')
  }
  await using session = await open(maildropOf([FIRST], { read }))
  const { client } = session
  assert.equal(await client.say('RETR 1'), '-ERR [SYS/TEMP] The message can not be read now, try again later')
  assert.equal(await client.say('TOP 1 0'), '-ERR [SYS/TEMP] The message can not be read now, try again later')
  assert.equal(await client.say('NOOP'), '+OK Still here')
})

test('a store that fails half-way cuts the session without the terminating line', async () => {
  const read: Maildrop['read'] = async function* () {
    yield Buffer.from('Subject: one\r\n\r\n')
    throw new Error('relation "content" does not exist')
  }
  const maildrop = maildropOf([FIRST], { read })
  await using session = await open(maildrop)
  const { client, server } = session
  client.send('DELE 1\r\nRSET\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n')
  const rest = await client.rest()
  assert.ok(!rest.includes('\r\n.\r\n') && !rest.includes('relation'), rest)
  await eventually(() => maildrop.closed === 1, 'the lock is given back')
  assert.deepEqual(maildrop.removed, [])
  assert.ok(server.logged.some(({ level, text }) => level === 'error' && text === 'session failed'))
})

test('a 50 MB message is read only as fast as the client takes it', async () => {
  const chunk = Buffer.alloc(500_000, 'a line of sixty octets, more or less, and a line end.......\r\n')
  let chunksRead = 0
  const read: Maildrop['read'] = async function* () {
    for (; chunksRead < 100; chunksRead++) yield chunk
  }
  const maildrop = maildropOf([''], { read })
  await using session = await open(maildrop)
  const { client } = session
  await client.say('NOOP')
  client.socket.pause()
  client.send('RETR 1\r\n')
  // What fits into the buffers of both kernels and both TLS layers is all that may be read.
  await eventually(() => chunksRead > 0, 'the first chunk is read')
  let [before, steady] = [-1, 0]
  await eventually(() => {
    steady = chunksRead === before ? steady + 1 : 0
    before = chunksRead
    return steady > 2_000
  }, 'the server waits for the client')
  assert.ok(chunksRead < 60, `${chunksRead} of 100 chunks were read ahead`)
  let octets = 0
  let tail = ''
  client.socket.removeAllListeners('data').on('data', (part: Buffer) => {
    octets += part.length
    tail = (tail + part.toString('latin1')).slice(-5)
  })
  client.socket.resume()
  await eventually(() => tail === '\r\n.\r\n', 'the end arrives')
  assert.ok(octets >= 50_000_000)
})

test('a client that goes away in the middle of a message frees the maildrop', async () => {
  let isReturned = false
  const read: Maildrop['read'] = async function* () {
    try {
      for (;;) yield Buffer.alloc(100_000, 'endless\r\n')
    } finally {
      isReturned = true
    }
  }
  const maildrop = maildropOf([FIRST], { read })
  await using session = await open(maildrop)
  const { client } = session
  await client.say('RETR 1')
  client.socket.destroy()
  await eventually(() => maildrop.closed === 1 && isReturned, 'reading stops and the lock is given back')
})
