// All mail to one server of the operator's choice, with TLS that is checked where a password is sent.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { SMTPServer } from 'smtp-server'
import { deliver } from './deliver.ts'
import { destinationsOf } from './destination.ts'
import { parseSmarthost } from './smarthost.ts'
import { mailOf, type Outside, openOutside, outboundJob } from './testing/outside.ts'
import type { TlsFloor } from './tls-demand.ts'

const RECIPIENTS = ['bob@remote.test', 'carol@other.test']
const certificate = await makeTestCertificate('relay.test')
setDefaultCACertificates([...getCACertificates(), certificate.cert])

interface Relay extends AsyncDisposable {
  port: number
  /** Logins and recipients, in order. */
  seen: string[]
}

interface RelayOptions {
  secure?: boolean
  hasLogin?: boolean
  isPlain?: boolean
  mechanism?: string
  /** STARTTLS is offered, and the handshake fails. */
  isTlsBroken?: boolean
}

async function startRelay(options: RelayOptions): Promise<Relay> {
  const seen: string[] = []
  const server = new SMTPServer({
    ...certificate,
    ...(options.mechanism === undefined ? {} : { authMethods: [options.mechanism] }),
    ...(options.isTlsBroken === true ? { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } : {}),
    secure: options.secure ?? false,
    ...(options.isPlain === true ? { disabledCommands: ['STARTTLS'] } : {}),
    authOptional: options.hasLogin !== true,
    hideENHANCEDSTATUSCODES: false,
    hideREQUIRETLS: false,
    onAuth({ method, username, password, validatePassword }, { secure }, done) {
      seen.push(`${username}:${password} ${secure}`)
      const isRight = method === 'CRAM-MD5' ? validatePassword('p@ss') : password === 'p@ss'
      done(isRight ? null : new Error('no'), { user: username })
    },
    onData(stream, session, done) {
      seen.push(...session.envelope.rcptTo.map(({ address }) => address), `REQUIRETLS ${session.envelope.requireTLS}`)
      stream.resume()
      stream.on('end', () => done())
    },
  })
  server.on('error', () => {}) // of a handshake that is to fail
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  return { port, seen, [Symbol.asyncDispose]: close }
}

/** Outcome of each recipient of a mail that goes over the smarthost. */
async function relay(outside: Outside, text: string, envelope = {}, floor: TlsFloor = 'opportunistic') {
  const smarthost = parseSmarthost(text)!
  outside.dns.set('relay.test', 'A', ['127.0.0.1'])
  const { login } = smarthost
  const ports = outside.ports(login === undefined ? {} : { login }, { smarthost })
  const job = outboundJob(RECIPIENTS, { envelope: envelope as never })
  const [destination, ...others] = destinationsOf(job.envelope.recipients, smarthost)
  assert.deepEqual(others, [])
  const outcomes = await deliver(mailOf(job), { ...destination!, tls: { floor } }, ports, new AbortController().signal)
  return [...outcomes.values()].map((outcome) =>
    outcome.kind === 'sent' ? 'sent' : `${outcome.kind} ${outcome.status}`,
  )
}

test('recipients of all domains go to the smarthost together, without any MX lookup', async () => {
  await using outside = await openOutside()
  await using server = await startRelay({})
  assert.deepEqual(await relay(outside, `relay.test:${server.port}`), ['sent', 'sent'])
  assert.deepEqual(server.seen.slice(0, 2), RECIPIENTS)
  assert.deepEqual(
    outside.dns.queries.filter(({ type }) => type === 'MX'),
    [],
  )
})

test('localhost means this machine without asking the DNS', async () => {
  await using outside = await openOutside()
  await using server = await startRelay({})
  assert.deepEqual(await relay(outside, `localhost:${server.port}`), ['sent', 'sent'])
  assert.deepEqual(outside.dns.queries, [])
})

test('a login is sent over TLS, by STARTTLS or from the start', async () => {
  await using outside = await openOutside()
  for (const secure of [false, true]) {
    await using server = await startRelay({ secure, hasLogin: true })
    const scheme = secure ? 'smtps://' : ''
    assert.deepEqual(await relay(outside, `${scheme}user:p%40ss@relay.test:${server.port}`), ['sent', 'sent'])
    assert.deepEqual(server.seen.slice(0, 2), ['user:p@ss true', RECIPIENTS[0]])
  }
})

for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5'])
  test(`a server that offers nothing but ${mechanism} gets the login so`, async () => {
    await using outside = await openOutside()
    await using server = await startRelay({ hasLogin: true, mechanism })
    assert.deepEqual(await relay(outside, `user:p%40ss@relay.test:${server.port}`), ['sent', 'sent'])
    assert.equal(server.seen.length, 4)
    const wrong = await relay(outside, `user:wrong@relay.test:${server.port}`)
    assert.deepEqual(wrong, ['deferred 4.7.8', 'deferred 4.7.8'])
  })

test('without a TLS that works no password is sent, and mail without a login goes in the clear', async () => {
  await using outside = await openOutside()
  for (const fault of [{ isPlain: true }, { isTlsBroken: true }]) {
    await using server = await startRelay({ ...fault, hasLogin: true })
    const waiting = await relay(outside, `user:p%40ss@relay.test:${server.port}`)
    assert.deepEqual([...new Set(waiting.map((told) => told.slice(0, 12)))], ['deferred 4.7'])
    assert.deepEqual(server.seen, [])
    await using open = await startRelay(fault)
    assert.deepEqual(await relay(outside, `relay.test:${open.port}`), ['sent', 'sent'])
  }
})

test('a refused login, a certificate for another name and an unknown name make the mail wait', async () => {
  await using outside = await openOutside()
  await using server = await startRelay({ hasLogin: true })
  assert.deepEqual(await relay(outside, `user:wrong@relay.test:${server.port}`), ['deferred 4.7.8', 'deferred 4.7.8'])
  outside.dns.set('alias.test', 'A', ['127.0.0.1'])
  const { length } = server.seen
  assert.deepEqual(await relay(outside, `user:p%40ss@alias.test:${server.port}`), ['deferred 4.7.5', 'deferred 4.7.5'])
  assert.equal(server.seen.length, length, 'the password was not sent')
  assert.deepEqual(await relay(outside, 'nowhere.test:25'), ['deferred 4.4.4', 'deferred 4.4.4'])
})

test('the encryption that an operator demands for a domain is demanded of the smarthost', async () => {
  await using outside = await openOutside()
  await using plain = await startRelay({ isPlain: true })
  await using encrypted = await startRelay({})
  outside.dns.set('alias.test', 'A', ['127.0.0.1'])
  const ofServer = (host: string, { port }: Relay, floor: TlsFloor) => relay(outside, `${host}:${port}`, {}, floor)
  const both = (told: string) => [told, told]
  assert.deepEqual(await ofServer('relay.test', plain, 'opportunistic'), both('sent'))
  assert.deepEqual(await ofServer('relay.test', plain, 'encrypted'), both('deferred 4.7.10'))
  assert.deepEqual(await ofServer('relay.test', plain, 'verified'), both('deferred 4.7.10'))
  assert.deepEqual(await ofServer('alias.test', encrypted, 'encrypted'), both('sent'))
  assert.deepEqual(await ofServer('alias.test', encrypted, 'verified'), both('deferred 4.7.5'))
  assert.deepEqual(await ofServer('relay.test', encrypted, 'verified'), both('sent'))
})

test('REQUIRETLS is passed on to a server that offers it and proves its name', async () => {
  await using outside = await openOutside()
  await using server = await startRelay({})
  assert.deepEqual(await relay(outside, `relay.test:${server.port}`, { requireTls: true }), ['sent', 'sent'])
  assert.equal(server.seen.at(-1), 'REQUIRETLS true')
})
