// What operators do with mail that waits, through the settings API.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, subjectOf } from '@sekimori/testing/mail-text'
import { startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'

let stack: Stack
before(async () => {
  stack = await sharedStack()
})

/** A mail that the remote server puts off until the test lets it in. */
async function waitingMail(): Promise<{ alice: Mailbox; to: string; domain: string; queueId: string }> {
  const alice = await stack.createMailbox({ locale: 'en' })
  const domain = stack.createRemoteDomain()
  const to = `friend@${domain}`
  stack.remote.script({ at: 'RCPT', recipient: to, reply: '450 4.2.1 Not now' })
  const queueId = await submit(alice, to)
  await eventually(async () => (await waiting(domain)).length === 1)
  return { alice, to, domain, queueId }
}

const submit = (from: Mailbox, to: string) => stack.submit(from, [to], composeMail({ from: from.address, to }))

async function waiting(domain: string): Promise<Record<string, unknown>[]> {
  const { status, body } = await stack.api('GET', `/v1/deferred-mail?domain=${domain}`)
  assert.equal(status, 200)
  return body.items
}

async function order(body: Record<string, unknown>): Promise<number> {
  const answer = await stack.api('POST', '/v1/deferred-mail/orders', body)
  assert.equal(answer.status, 202, JSON.stringify(answer.body))
  return answer.body.recipients
}

const attemptsAt = (to: string) => stack.remote.commands.filter((line) => line.startsWith(`RCPT TO:<${to}>`)).length

test('waiting mail is listed by domain, with what the server said', async () => {
  const { alice, to, domain, queueId } = await waitingMail()
  const [item] = await waiting(domain)
  assert.equal(item!.queueId, queueId)
  assert.equal(item!.recipient, to)
  assert.equal(item!.mailFrom, alice.address)
  assert.match(String(item!.lastReply), /450 4\.2\.1 Not now/)
  assert.equal(item!.isHeld, false)
  const { body } = await stack.api('GET', '/v1/deferred-mail/domains?limit=200')
  assert.equal(body.items.find((one: { domain: string }) => one.domain === domain).recipients, 1)
  assert.equal(await order({ action: 'cancel', notice: false, domain }), 1)
})

test('waiting mail stands in the trace with the time of its next attempt and what the server said', async () => {
  const { alice, to, domain, queueId } = await waitingMail()
  const [item, ...more] = (await stack.api('GET', `/v1/messages?address=${alice.address}`)).body.items
  assert.deepEqual(
    [item.queueId, item.recipient, item.outcome, item.stage, more],
    [queueId, to, 'deferred', 'remote', []],
  )
  assert.equal(item.endedAt, undefined)
  assert.ok(item.waiting.attempts >= 1 && Date.parse(item.waiting.nextAttemptAt) > 0)
  const { stage, remote } = item.history.at(-1)
  assert.equal(stage, 'remote')
  assert.equal(remote.reply, '450 4.2.1 Not now')
  assert.match(remote.server, new RegExp(`^mx\\.${domain}\\[127`))
  await order({ action: 'cancel', notice: false, domain })
  await stack.ended(queueId)
  const { body } = await stack.api('GET', `/v1/messages?queueId=${queueId}`)
  assert.deepEqual(
    body.items.map(({ outcome }: { outcome: string }) => outcome),
    ['cancelled'],
  )
})

test('held mail is not attempted until it is released, and then arrives', async () => {
  const { to, domain, queueId } = await waitingMail()
  assert.equal(await order({ action: 'hold', queueId }), 1)
  await eventually(async () => (await waiting(domain)).every(({ isHeld, isInHand }) => isHeld && !isInHand))
  const before = attemptsAt(to)
  stack.remote.unscript()
  const other = await waitingMail()
  const marker = attemptsAt(other.to)
  await eventually(() => attemptsAt(other.to) >= marker + 2) // the schedule has come round twice meanwhile
  assert.equal(attemptsAt(to), before)
  assert.equal(await order({ action: 'release', queueId }), 1)
  assert.equal((await stack.ended(queueId))[0]!.outcome, 'sent')
  await order({ action: 'cancel', notice: false, domain: other.domain })
})

test('cancelled mail ends with a DSN to its sender', async () => {
  const { alice, to, domain, queueId } = await waitingMail()
  await order({ action: 'hold', queueId }) // which does not keep it from being cancelled
  assert.equal(await order({ action: 'cancel', queueId, recipient: to }), 1)
  assert.deepEqual(
    (await stack.ended(queueId)).map(({ outcome }) => outcome),
    ['cancelled'],
  )
  const [dsn] = await stack.received(alice, 1)
  assert.equal(subjectOf(dsn!), 'Your mail could not be delivered')
  assert.match(bodyOf(dsn!).toString('latin1'), /^Status: 5\.3\.0\r$/m)
  assert.deepEqual(await waiting(domain), [])
})

test('or without one', async () => {
  const { alice, queueId, domain } = await waitingMail()
  assert.equal(await order({ action: 'cancel', domain, notice: false }), 1)
  assert.deepEqual(
    (await stack.ended(queueId)).map(({ outcome }) => outcome),
    ['cancelled'],
  )
  await submit(alice, alice.address)
  assert.equal((await stack.received(alice, 1)).length, 1)
})

test('an order names its mail', async () => {
  assert.equal((await stack.api('POST', '/v1/deferred-mail/orders', { action: 'cancel' })).status, 422)
  assert.equal(
    (await stack.api('POST', '/v1/deferred-mail/orders', { action: 'cancel', recipient: 'a@b.test' })).status,
    422,
  )
  assert.equal(await order({ action: 'retry', domain: `${randomUUID()}.test` }), 0)
})

test('mail to a paused domain waits untried, and goes when the domain goes on', async () => {
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  const pause = { isPaused: true, pauseReason: 'their disk is full' }
  const { status, body } = await stack.api('PATCH', `/v1/destinations/${domain}`, pause)
  assert.deepEqual([status, body.isPaused, body.pauseReason, body.tls], [200, true, pause.pauseReason, 'opportunistic'])
  const queueId = await submit(alice, `friend@${domain}`)
  await eventually(async () =>
    /held back by the operator: their disk/.test(String((await waiting(domain))[0]?.lastReply)),
  )
  assert.equal((await waiting(domain))[0]!.attempts, 0)
  assert.equal(await order({ action: 'retry', domain }), 1)
  const marker = await submit(alice, `friend@${stack.createRemoteDomain()}`)
  await stack.ended(marker)
  assert.equal(attemptsAt(`friend@${domain}`), 0)
  await stack.api('PATCH', `/v1/destinations/${domain}`, { isPaused: false })
  assert.equal((await stack.ended(queueId))[0]!.outcome, 'sent')
  assert.equal((await stack.api('DELETE', `/v1/destinations/${domain}`)).status, 204)
  assert.equal((await stack.api('GET', `/v1/destinations/${domain}`)).status, 404)
})

test('a retry comes at once, however far away the next attempt is', async () => {
  const { domain, queueId } = await waitingMail()
  await order({ action: 'hold', queueId })
  stack.remote.unscript()
  await order({ action: 'release', queueId })
  await order({ action: 'retry', queueId })
  assert.equal((await stack.ended(queueId))[0]!.outcome, 'sent')
  assert.deepEqual(await waiting(domain), [])
})

test('S1-12 a domain that must be encrypted gets nothing in the clear; one that must be verified nothing from a stranger', async () => {
  const alice = await stack.createMailbox()
  await using plain = await startRemoteServer({ host: '127.0.0.41', port: stack.remote.port })
  const certificate = await makeTestCertificate('somebody.else.test')
  await using strange = await startRemoteServer({ host: '127.0.0.42', port: stack.remote.port, certificate })
  const sends: [string, string, RegExp][] = [
    ['127.0.0.41', 'encrypted', /4\.7\.10/],
    ['127.0.0.42', 'verified', /4\.7\.5/],
  ]
  for (const [host, tls, reason] of sends) {
    const domain = stack.createRemoteDomain()
    stack.dns.set(`mx.${domain}`, 'A', [host])
    await stack.api('PATCH', `/v1/destinations/${domain}`, { tls })
    const queueId = await submit(alice, `friend@${domain}`)
    await eventually(async () => reason.test(String((await waiting(domain))[0]?.lastReply)))
    const server = host === plain.host ? plain : strange
    assert.equal(server.mails.length, 0)
    await stack.api('PATCH', `/v1/destinations/${domain}`, { tls: tls === 'verified' ? 'encrypted' : 'opportunistic' })
    await order({ action: 'retry', queueId })
    const [end] = await stack.ended(queueId)
    assert.equal(end!.outcome, 'sent')
    assert.match(end!.detail!, tls === 'verified' ? /TLSv1\.3 .*not trusted/ : /not encrypted/)
  }
})
