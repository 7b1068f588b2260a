// The listener over real sockets: what decisions become as replies, and what a drain does to sessions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import { sessions } from '@sekimori/runtime/metrics'
import { eventually } from '@sekimori/testing/eventually'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { SMTPServerOptions } from 'smtp-server'
import { type Decisions, listenSmtp } from './listener.ts'
import { SmtpReply } from './reply.ts'

const decisions: Decisions = {
  authenticate: async ({ username }) => ({ address: username }),
  mailFrom: async () => {},
  recipient: async () => {},
  data: async (stream) => {
    let sizeBytes = 0
    for await (const chunk of stream) sizeBytes += chunk.length
    return `id-${sizeBytes}`
  },
}

async function listen(changes: Partial<Decisions> = {}, smtp: SMTPServerOptions = {}, drainTimeoutMs = 10_000) {
  const logged: Record<string, unknown>[] = []
  const log = Object.assign(createLog('test', 'silent'), {
    info: (facts: Record<string, unknown>) => logged.push(facts),
    warn: (facts: Record<string, unknown>) => logged.push(facts),
  })
  const listener = await listenSmtp(
    {
      host: '127.0.0.1',
      port: 0,
      drainTimeoutMs,
      smtp: { authOptional: true, allowInsecureAuth: true, disabledCommands: ['STARTTLS'], ...smtp },
    },
    { ...decisions, ...changes },
    log,
  )
  return { listener, logged, endpoint: { host: '127.0.0.1', port: listener.port } }
}

async function inTransaction(endpoint: { host: string; port: number }) {
  const client = await dialSmtp(endpoint)
  await client.say('EHLO client.test', 250)
  await client.say('MAIL FROM:<a@b.test>', 250)
  await client.say('RCPT TO:<c@d.test>', 250)
  await client.say('DATA', 354)
  return client
}

const openSessions = async () => (await sessions.get()).values[0]!.value

test('a mail is answered with its queue id, and the session goes on', async () => {
  const { listener, endpoint } = await listen()
  await using _ = listener
  await using client = await inTransaction(endpoint)
  assert.match((await client.sendMessage('A: 1\r\n\r\nbody\r\n', 250)).text, /queued as id-14/)
  await client.say('MAIL FROM:<a@b.test>', 250)
})

test('a refusal has its code, its enhanced code and its text; what caused it is only logged', async () => {
  const refuse = (code: number, status: string) => () =>
    Promise.reject(new SmtpReply(code, status, 'Public text', { cause: new Error('secret cause') }))
  for (const step of ['mailFrom', 'recipient', 'data'] as const) {
    const { listener, endpoint, logged } = await listen({ [step]: refuse(553, '5.7.1') })
    await using _ = listener
    await using client = await dialSmtp(endpoint)
    await client.say('EHLO client.test', 250)
    let reply = await client.say('MAIL FROM:<a@b.test>')
    if (step !== 'mailFrom') reply = await client.say('RCPT TO:<c@d.test>')
    if (step === 'data') {
      await client.say('DATA', 354)
      reply = await client.sendMessage('A: 1\r\n\r\nbody\r\n', 553)
    }
    assert.deepEqual([reply.code, reply.enhanced, reply.text], [553, '5.7.1', 'Public text'], step)
    assert.equal((logged[0]!.err as Error).message, 'secret cause')
  }
})

test('a fault in a decision is a temporary failure that tells nothing', async () => {
  for (const fault of [new Error('password=hunter2'), new TypeError('x is not a function'), 'text', undefined]) {
    const { listener, endpoint } = await listen({ recipient: () => Promise.reject(fault) })
    await using _ = listener
    await using client = await dialSmtp(endpoint)
    await client.say('EHLO client.test', 250)
    await client.say('MAIL FROM:<a@b.test>', 250)
    const { enhanced, text } = await client.say('RCPT TO:<c@d.test>', 451)
    assert.deepEqual([enhanced, text], ['4.3.0', 'Temporary failure on our side, please try again later'])
  }
})

test('a failed login is refused, and a fault at login is temporary', async () => {
  for (const [error, code] of [
    [new SmtpReply(535, '5.7.8', 'Wrong'), 535],
    [new SmtpReply(454, '4.7.0', 'Later'), 454],
    [new Error('database'), 451],
  ] as const) {
    const { listener, endpoint } = await listen({ authenticate: () => Promise.reject(error) })
    await using _ = listener
    await using client = await dialSmtp(endpoint)
    await client.say('EHLO client.test', 250)
    assert.doesNotMatch((await client.authPlain('a@b.test', 'x', code)).text, /database/)
  }
})

test('a client that goes away in the middle of its mail ends the decision about it', async () => {
  const ended = Promise.withResolvers<unknown>()
  const { listener, endpoint } = await listen({
    data: async (stream, session) =>
      decisions.data(stream, session).catch((error) => {
        ended.resolve(error)
        throw error
      }),
  })
  await using _ = listener
  const client = await inTransaction(endpoint)
  await client.raw('A: 1\r\n\r\nhalf of')
  await client[Symbol.asyncDispose]()
  assert.ok((await ended.promise) instanceof Error)
})

test('a drain lets a mail on its way come to its reply, ends idle sessions with 421, and takes no new ones', async () => {
  const { listener, endpoint } = await listen()
  await using busy = await inTransaction(endpoint)
  await busy.raw('A: 1\r\n\r\n')
  await using idle = await dialSmtp(endpoint)
  await idle.say('EHLO client.test', 250)
  const drained = listener[Symbol.asyncDispose]()
  assert.match((await idle.hear(421)).text, /restarting/)
  await idle.closed()
  await assert.rejects(dialSmtp(endpoint))
  assert.match((await busy.sendMessage('body\r\n', 250)).text, /queued as/)
  await busy.hear(421)
  await busy.closed()
  await drained
})

test('a client that goes on with its transaction during a drain is told to come again: 421 4.3.2', async () => {
  const { listener, endpoint } = await listen()
  await using client = await dialSmtp(endpoint)
  await client.say('EHLO client.test', 250)
  await client.say('MAIL FROM:<a@b.test>', 250)
  const drained = listener[Symbol.asyncDispose]()
  await assert.rejects(dialSmtp(endpoint))
  assert.equal((await client.say('RCPT TO:<c@d.test>', 421)).enhanced, '4.3.2')
  await client.closed()
  await drained
})

test('a mail that was received in full gets its reply even if the decision takes a while', async () => {
  const mayDecide = Promise.withResolvers<void>()
  const isReceived = Promise.withResolvers<void>()
  const { listener, endpoint } = await listen({
    data: async (stream, session) => {
      const queueId = await decisions.data(stream, session)
      isReceived.resolve()
      await mayDecide.promise
      return queueId
    },
  })
  await using client = await inTransaction(endpoint)
  const reply = client.sendMessage('A: 1\r\n\r\nbody\r\n', 250)
  await isReceived.promise
  const drained = listener[Symbol.asyncDispose]()
  await assert.rejects(dialSmtp(endpoint))
  mayDecide.resolve()
  await reply
  await drained
})

test('a drain ends at its limit, whatever a client does', async () => {
  const { listener, endpoint } = await listen({}, {}, 200)
  await using stuck = await inTransaction(endpoint)
  await stuck.raw('A: 1\r\n')
  const since = performance.now()
  await listener[Symbol.asyncDispose]()
  assert.ok(performance.now() - since < 60_000)
  await stuck.hear(421)
})

test('sessions are counted while they are open, and refused connections never', async () => {
  await eventually(async () => (await openSessions()) === 0, { what: 'the sessions of the other tests end' })
  const { listener, endpoint } = await listen({}, { maxClients: 1 })
  await using _ = listener
  {
    await using _first = await dialSmtp(endpoint)
    await using refused = await dialSmtp(endpoint, { greeting: 421 })
    await refused.closed()
    await eventually(async () => (await openSessions()) === 1)
  }
  await eventually(async () => (await openSessions()) === 0)
})
