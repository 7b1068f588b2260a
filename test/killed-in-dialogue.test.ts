// remote-delivery killed at every step of its dialogue with another server: each recipient still ends exactly once. The one
// window that SMTP leaves open (the server has the mail, and its 250 was not read) shows as a second copy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, subjectOf } from '@sekimori/testing/mail-text'
import { type RemoteServer, type ScriptedReply, startRemoteServer } from '@sekimori/testing/remote-server'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'

/** A mail that was tried before, and is in the hands of the killed process again, rests until its lease of 60 s is over. */
const PATIENCE = { withinMs: 180_000 }
const silentAt = (at: ScriptedReply['at']): ScriptedReply => ({ at, reply: 'silence', times: 1 })
const cases: [string, ScriptedReply, number][] = [
  ['connected', silentAt('connect'), 1],
  ['EHLO sent', silentAt('EHLO'), 1],
  ['STARTTLS sent', silentAt('STARTTLS'), 1],
  ['MAIL sent', silentAt('MAIL'), 1],
  ['RCPT sent', silentAt('RCPT'), 1],
  ['DATA sent', silentAt('DATA'), 1],
  ['the mail sent, not taken', silentAt('message'), 1],
  ['the mail taken, 250 not read', { at: 'message', reply: 'taken in silence', times: 1 }, 2],
]

test('remote-delivery is killed in each step of the dialogue: every recipient ends once', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox({ locale: 'en' })
  const certificate = await makeTestCertificate('remote.test')
  await using resources = new AsyncDisposableStack()
  const scenes: { name: string; server: RemoteServer; queueId: string; good: string; bad: string; copies: number }[] =
    []
  for (const [index, [name, rule, copies]] of cases.entries()) {
    const host = `127.0.0.${21 + index}`
    const server = await startRemoteServer({ host, port: stack.remote.port, certificate, replies: [rule] })
    resources.use(server)
    const domain = stack.createRemoteDomain()
    stack.dns.set(`mx.${domain}`, 'A', [host])
    const [good, bad] = [`good@${domain}`, `bad@${domain}`]
    server.script({ at: 'RCPT', recipient: bad, reply: '550 5.1.1 Nobody of that name' })
    const mail = composeMail({ from: alice.address, to: good, subject: name })
    scenes.push({ name, server, good, bad, copies, queueId: await stack.submit(alice, [good, bad], mail) })
  }
  const isSilent = ({ scripted }: RemoteServer) => scripted.some((reply) => reply.endsWith('silence'))
  await eventually(() => scenes.every(({ server }) => isSilent(server)), PATIENCE)
  await stack.processes.kill('remote-delivery')
  for (const { name, server, queueId, good, bad, copies } of scenes) {
    const ends = await eventually(async () => {
      const found = await stack.trace(queueId)
      return found.length >= 2 && found
    }, PATIENCE)
    const told = ends.map(({ recipient, outcome }) => `${recipient} ${outcome}`).sort()
    assert.deepEqual(told, [`${bad} bounced`, `${good} sent`], name)
    assert.equal(server.mails.length, copies, name)
  }
  const notices = await stack.received(alice, cases.length, PATIENCE.withinMs)
  assert.deepEqual([...new Set(notices.map(subjectOf))], ['Your mail could not be delivered'])
  const named = notices.flatMap(
    (notice) =>
      bodyOf(notice)
        .toString('latin1')
        .match(/^Final-Recipient: .*$/gm) ?? [],
  )
  assert.deepEqual(named.sort(), scenes.map(({ bad }) => `Final-Recipient: rfc822; ${bad}`).sort())
})
