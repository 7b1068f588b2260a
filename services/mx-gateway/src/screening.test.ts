// The checks of clients as a session meets them: refused, told to come again, recorded.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { SMTPServerSession } from 'smtp-server'
import type { Config } from './config.ts'
import { type ScreeningPorts, screenClient, screeningLine, screenRecipient } from './screening.ts'

const off = {
  MAIL_HOSTNAME: 'mx.test',
  HELO_CHECK: 'off',
  DNSBL_CHECK: 'off',
  DNSBL_ZONES: 'bl.test',
  GREYLISTING_SECONDS: 0,
} as Config
const sessionOf = () =>
  ({ remoteAddress: '192.0.2.1', hostNameAppearsAs: 'relay.test' }) as unknown as SMTPServerSession
const facts = { mailFrom: 'a@sender.test', recipient: 'bob@example.test' }
const portsWith = (age: number, lookups: string[] = []): ScreeningPorts => ({
  greylistAge: async () => age,
  lookupAddresses: async (name) => {
    lookups.push(name)
    return name.endsWith('bl.test') ? ['127.0.0.2'] : []
  },
})
const refusalOf = (promise: Promise<void>) =>
  promise.then(
    () => undefined,
    (error) => (error instanceof SmtpReply ? `${error.responseCode} ${error.enhancedCode}` : String(error)),
  )

test('switched off, nothing is asked and nothing is written', async () => {
  const lookups: string[] = []
  const session = sessionOf()
  await screenClient(session, off, portsWith(0, lookups))
  await screenRecipient(session, facts, off, portsWith(0))
  assert.equal(await screeningLine(session, off, portsWith(0, lookups)), undefined)
  assert.deepEqual(lookups, [])
})

test('what is recorded stands in the header; each client is looked up once in a session', async () => {
  const record: Config = { ...off, HELO_CHECK: 'record', DNSBL_CHECK: 'record', GREYLISTING_SECONDS: 60 }
  const lookups: string[] = []
  const session = sessionOf()
  const ports = portsWith(75, lookups)
  await screenClient(session, record, ports)
  await screenClient(session, record, ports)
  await screenRecipient(session, facts, record, ports)
  assert.equal(
    (await screeningLine(session, record, ports))?.line,
    'X-Client-Checks: helo=fail (no address); dnsbl=listed (bl.test); greylist=pass (75 s); host=mx.test',
  )
  assert.deepEqual(lookups.sort(), ['1.2.0.192.bl.test', 'relay.test', 'relay.test'])
})

test('a check that refuses is 550 5.7.1, and greylisting 451 4.7.1 until its time is over', async () => {
  for (const name of ['HELO_CHECK', 'DNSBL_CHECK'] as const)
    assert.equal(await refusalOf(screenClient(sessionOf(), { ...off, [name]: 'refuse' }, portsWith(0))), '550 5.7.1')
  const grey: Config = { ...off, GREYLISTING_SECONDS: 60 }
  assert.equal(await refusalOf(screenRecipient(sessionOf(), facts, grey, portsWith(59))), '451 4.7.1')
  assert.equal(await refusalOf(screenRecipient(sessionOf(), facts, grey, portsWith(60))), undefined)
})
