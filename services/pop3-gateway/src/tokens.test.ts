// Logins by bearer token over real sockets, with a real issuer and a real Postgres (RFC 5034, RFC 7628, XOAUTH2).
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { AUDIENCE, startTestIssuer, type TestIssuer } from '@sekimori/login/testing/issuer'
import { openTokenLogin } from '@sekimori/login/token-login'
import { createAccount } from '@sekimori/store/account-admin'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { LeaseKeeper } from './lease-keeper.ts'
import { storePorts } from './store-ports.ts'
import { maildropOf, openDoor, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const BOB = 'bob@example.test'
const log = { info: () => {}, error: () => {} }
const base64 = (text: string) => Buffer.from(text).toString('base64')
const xoauth2 = (user: string, token: string) => base64(`user=${user}\x01auth=Bearer ${token}\x01\x01`)
const oauthBearer = (user: string, token: string) => base64(`n,a=${user},\x01auth=Bearer ${token}\x01\x01`)
let stack: TestDatabase
let issuer: TestIssuer
before(async () => {
  stack = await createTestDatabase()
  issuer = await startTestIssuer()
  await stack.database.query("insert into domain (name) values ('example.test')")
  await createAccount(stack.database, { address: BOB, password: 'a password', locale: 'ja' })
})
after(async () => {
  await issuer[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
})

async function start(issuerUrl = issuer.url) {
  await using resources = new AsyncDisposableStack()
  const leases = resources.use(new LeaseKeeper(async () => new Set(), log, 600_000))
  const settings = { OAUTH_ISSUER: issuerUrl, OAUTH_AUDIENCE: AUDIENCE, OAUTH_ADDRESS_CLAIM: 'email' }
  const tokens = openTokenLogin(settings, stack.database)
  const never = () => Promise.reject(new Error('no password was given'))
  const server = resources.use(
    await startServer({ ...storePorts(stack.database, never, leases, log, tokens), admission: openDoor }),
  )
  const all = resources.move()
  return { ...server, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

test('RFC 7628 section 3: a token of the issuer logs in by OAUTHBEARER and by XOAUTH2, at once or when asked', async () => {
  await using server = await start()
  const token = await issuer.token({ email: BOB })
  for (const command of [`AUTH OAUTHBEARER ${oauthBearer(BOB, token)}`, `AUTH XOAUTH2 ${xoauth2(BOB, token)}`]) {
    await using client = await WireClient.dialTls(server.pop3sPort)
    assert.ok((await client.sayMulti('CAPA')).includes('SASL PLAIN LOGIN XOAUTH2 OAUTHBEARER'))
    assert.equal(await client.say(command), '+OK 0 messages (0 octets)')
    await client.say('QUIT')
  }
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await client.say('AUTH XOAUTH2'), '+ ')
  assert.match(await client.say(xoauth2(BOB, token)), /^\+OK/)
  await client.say('QUIT')
})

test('RFC 7628 section 3.2.2: a refused token gets a challenge that says why, and then -ERR', async () => {
  await using server = await start()
  await using client = await WireClient.dialTls(server.pop3sPort)
  const forOther = await issuer.token({ email: 'carol@example.test' })
  const challenge = await client.say(`AUTH OAUTHBEARER ${oauthBearer(BOB, forOther)}`)
  assert.deepEqual(JSON.parse(Buffer.from(challenge.slice(2), 'base64').toString()), {
    status: 'invalid_token',
    scope: 'openid email',
    'openid-configuration': `${issuer.url}/.well-known/openid-configuration`,
  })
  assert.equal(await client.say('AQ=='), '-ERR [AUTH] The token is not accepted')
  assert.match(await client.say(`AUTH XOAUTH2 ${xoauth2(BOB, 'x.y.z')}`), /^\+ /)
  assert.match(await client.say(''), /^-ERR \[AUTH\]/)
  assert.equal(await client.say(`AUTH XOAUTH2 ${base64('nonsense')}`), '-ERR The response can not be understood')
})

test('an issuer that is away makes the login impossible, not wrong', async () => {
  const gone = await startTestIssuer()
  const token = await gone.token({ email: BOB })
  await gone[Symbol.asyncDispose]()
  await using server = await start(gone.url)
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say(`AUTH XOAUTH2 ${xoauth2(BOB, token)}`), /^-ERR \[SYS\/TEMP\]/)
})

test('without an issuer no token is offered or taken', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.ok((await client.sayMulti('CAPA')).includes('SASL PLAIN LOGIN'))
  for (const mechanism of ['XOAUTH2', 'OAUTHBEARER'])
    assert.equal(await client.say(`AUTH ${mechanism}`), '-ERR Unknown mechanism')
})
