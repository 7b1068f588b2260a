// Logins by token against a real issuer on the loopback address, and a real Postgres.
import assert from 'node:assert/strict'
import { after, before, mock, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { createAccount } from '@sekimori/store/account-admin'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { generateKeyPair, UnsecuredJWT } from 'jose'
import { AUDIENCE, startTestIssuer, type TestIssuer } from './testing/issuer.ts'
import { openTokenLogin } from './token-login.ts'

const ALICE = 'alice@example.test'
let stack: TestDatabase
let issuer: TestIssuer
before(async () => {
  stack = await createTestDatabase()
  issuer = await startTestIssuer()
  await stack.database.query("insert into domain (name) values ('example.test')")
  await createAccount(stack.database, { address: ALICE, password: 'right', locale: 'ja' })
})
after(async () => {
  await issuer[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
})

function open(changes: { OAUTH_ISSUER?: string; OAUTH_ADDRESS_CLAIM?: string } = {}) {
  const settings = { OAUTH_ISSUER: issuer.url, OAUTH_AUDIENCE: AUDIENCE, OAUTH_ADDRESS_CLAIM: 'email', ...changes }
  const login = openTokenLogin(settings, stack.database)!
  return async (token: string, address?: string) => (await login.check({ token, address })).kind
}

test('a token of the issuer logs its owner in, and nobody else', async () => {
  const check = open()
  const token = await issuer.token({ email: 'Alice@Example.test' })
  assert.equal(await check(token), 'ok')
  assert.equal(await check(token, ALICE), 'ok')
  assert.equal(await check(token, 'bob@example.test'), 'refused')
  assert.equal(await check(await issuer.token({ email: 'nobody@example.test' })), 'refused')
})

test('a token that is forged, over, for others, from others or unsigned is refused', async () => {
  const check = open()
  const { privateKey: stranger } = await generateKeyPair('ES256')
  const claims = { email: ALICE }
  const tokens = {
    forged: await issuer.token(claims, { key: stranger }),
    'of an unknown key': await issuer.token(claims, { key: stranger, kid: 'k2' }),
    over: await issuer.token(claims, { expiresIn: '-5m' }),
    'for others': await issuer.token({ ...claims, aud: 'another-service' }),
    'from others': await issuer.token({ ...claims, iss: 'https://elsewhere.test' }),
    unsigned: new UnsecuredJWT({ ...claims, iss: issuer.url, aud: AUDIENCE, email_verified: true })
      .setExpirationTime('5m')
      .encode(),
    'without address': await issuer.token({ sub: ALICE }),
    'with an address that was not verified': await issuer.token({ ...claims, email_verified: false }),
    nonsense: 'abc',
  }
  for (const [what, token] of Object.entries(tokens)) assert.equal(await check(token), 'refused', what)
})

test('the claim with the address is a setting', async () => {
  const check = open({ OAUTH_ADDRESS_CLAIM: 'mail_login' })
  assert.equal(await check(await issuer.token({ mail_login: ALICE })), 'ok')
  assert.equal(await check(await issuer.token({ email: ALICE })), 'refused')
})

test('a new key of the issuer is found, and the one in whose place it came is no more', async () => {
  await using rotating = await startTestIssuer()
  const check = open({ OAUTH_ISSUER: rotating.url })
  const before = await rotating.token({ email: ALICE })
  assert.equal(await check(before), 'ok')
  await rotating.rotate()
  mock.timers.enable({ apis: ['Date'], now: Date.now() + 31_000 })
  try {
    assert.equal(await check(await rotating.token({ email: ALICE })), 'ok')
    assert.equal(await check(before), 'refused')
  } finally {
    mock.timers.reset()
  }
})

test('an issuer that is away makes logins impossible, not wrong; none is asked unless one is set', async () => {
  const gone = await startTestIssuer()
  const token = await gone.token({ email: ALICE })
  await gone[Symbol.asyncDispose]()
  await assert.rejects(open({ OAUTH_ISSUER: gone.url })(token), DependencyAway)
  const off = { OAUTH_ISSUER: '', OAUTH_AUDIENCE: '', OAUTH_ADDRESS_CLAIM: 'email' }
  assert.equal(openTokenLogin(off, stack.database), undefined)
})
