// AUTH by token over real sockets, with a real issuer (RFC 4954, RFC 7628, XOAUTH2).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '@sekimori/config/config'
import { AUDIENCE, startTestIssuer } from '@sekimori/login/testing/issuer'
import { openTokenLogin, type TokenLogin } from '@sekimori/login/token-login'
import { createLog } from '@sekimori/runtime/log'
import { type Listener, listenSmtp } from '@sekimori/smtp/listener'
import type { Database } from '@sekimori/store/database'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { fixedCertificates, makeTestCertificate } from '@sekimori/testing/test-certificate'
import { schema } from './config.ts'
import { listenerOptions } from './listener-options.ts'
import type { Ports } from './ports.ts'
import { submissionDecisions } from './session.ts'

const ALICE = 'alice@example.test'
const certificate = await makeTestCertificate('localhost')
const base64 = (text: string) => Buffer.from(text).toString('base64')
const xoauth2 = (token: string) => base64(`user=${ALICE}\x01auth=Bearer ${token}\x01\x01`)
/** Knows one account. */
const database = {
  query: async ({ values }: { values: string[] }) => ({ rows: values[0] === ALICE ? [{ id: '1' }] : [] }),
} as unknown as Database

async function listen(issuer: string, tokens: TokenLogin | undefined): Promise<Listener> {
  const config = readConfig(schema, {
    ...{ MAIL_HOSTNAME: 'mx.test', BIND_ADDRESS: '127.0.0.1', SMTPS_PORT: '0', DRAIN_TIMEOUT_MS: '1000' },
    ...{ TLS_CERT_FILE: 'unused', TLS_KEY_FILE: 'unused', DATABASE_URL: 'unused', AMQP_URL: 'unused' },
    OAUTH_ISSUER: issuer,
  })
  const ports = {
    login: async () => ({ kind: 'refused' }),
    tokens,
    admission: { admit: () => undefined, leave: () => {}, isFlood: () => false },
  } as unknown as Ports
  const options = listenerOptions(config, 'implicit', fixedCertificates(certificate))
  return listenSmtp(options, submissionDecisions(config, ports), createLog('test', 'silent'))
}

const dial = ({ port }: Listener) =>
  dialSmtp({ host: '127.0.0.1', port }, { ca: certificate.cert, servername: 'localhost', tls: 'implicit' })

test('RFC 7628 section 3: a token of the issuer logs in by XOAUTH2 and OAUTHBEARER; a refused one is told why', async () => {
  await using issuer = await startTestIssuer()
  const settings = { OAUTH_ISSUER: issuer.url, OAUTH_AUDIENCE: AUDIENCE, OAUTH_ADDRESS_CLAIM: 'email' }
  await using listener = await listen(issuer.url, openTokenLogin(settings, database))
  const token = await issuer.token({ email: ALICE, padding: 'x'.repeat(2_000) })
  const others = await issuer.token({ email: 'bob@example.test' })
  const oauthBearer = (text: string) => base64(`n,a=${ALICE},\x01host=mx.test\x01auth=Bearer ${text}\x01\x01`)
  for (const [mechanism, message] of [
    ['XOAUTH2', xoauth2],
    ['OAUTHBEARER', oauthBearer],
  ] as const) {
    await using client = await dial(listener)
    assert.match((await client.say('EHLO client.test', 250)).text, /AUTH PLAIN LOGIN XOAUTH2 OAUTHBEARER/)
    assert.equal((await client.say(`AUTH ${mechanism} ${base64('nonsense')}`, 501)).enhanced, '5.5.2')
    const refused = await client.say(`AUTH ${mechanism} ${message(others)}`, 334)
    const why = JSON.parse(Buffer.from(refused.text, 'base64').toString())
    assert.equal(why.status, mechanism === 'XOAUTH2' ? '401' : 'invalid_token')
    assert.equal((await client.say('AQ==', 535)).enhanced, '5.7.8')
    await client.say(`AUTH ${mechanism}`, 334)
    await client.say(message(token), 235)
    await client.say('AUTH PLAIN', 503)
  }
})

test('without an issuer no token is offered or taken', async () => {
  await using listener = await listen('', undefined)
  await using client = await dial(listener)
  assert.doesNotMatch((await client.say('EHLO client.test', 250)).text, /OAUTH/)
  await client.say(`AUTH XOAUTH2 ${xoauth2('x')}`, 504)
  await client.say('AUTH OAUTHBEARER', 504)
})
