// SIGTERM drains: no session is cut before its reply, no mail in hand is lost, and idle sessions are sent away politely.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { sendSteadily } from '@sekimori/testing/steady-sender'

for (const [service, listener] of [
  ['mx-gateway', 'mx'],
  ['submission-gateway', 'submission'],
] as const) {
  test(`${service} told to stop takes the mail that is under way, and sends idle sessions away with 421`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const dial = () => (listener === 'mx' ? stack.dialMx() : stack.dialSubmission(alice))
    await using busy = await dial()
    await using idle = await dial()
    await busy.say(`MAIL FROM:<${alice.address}>`, 250)
    await busy.say(`RCPT TO:<${bob.address}>`, 250)
    await busy.say('DATA', 354)
    const mail = composeMail({ from: alice.address, to: bob.address, body: 'first half\r\nsecond half\r\n' })
    await busy.raw(mail.subarray(0, mail.length / 2))
    const restarted = stack.processes.kill(service, 'SIGTERM')
    await idle.hear(421)
    await idle.closed()
    await busy.raw(Buffer.concat([mail.subarray(mail.length / 2), Buffer.from('.\r\n')]))
    await busy.hear(250)
    await restarted
    await stack.untilReady()
    const [received] = await stack.received(bob, 1)
    assert.equal(fieldOf(received!, 'Message-ID'), fieldOf(mail, 'Message-ID'))
  })
}

test('a POP3 session that is being served when the gateway is told to stop gets its answers', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  await stack.submit(bob, [bob.address], composeMail({ from: bob.address, to: bob.address }))
  await stack.received(bob, 1)
  await using pop3 = await stack.dialPop3s(bob)
  const restarted = stack.processes.kill('pop3-gateway', 'SIGTERM')
  await pop3.dele(1)
  await pop3.quit()
  await restarted
  await stack.untilReady()
  assert.deepEqual(await stack.messages(bob), [])
})

for (const service of ['scanner', 'auth-verifier', 'dkim-signer', 'local-delivery']) {
  test(`${service} told to stop under load finishes what it has in hand: every mail arrives once`, async () => {
    const stack = await sharedStack()
    const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
    const accepted: string[] = []
    const sender = {
      from: alice.address,
      to: bob.address,
      count: 25,
      dial: () => stack.dialSmtps(alice),
      onAccepted: ({ messageId }: { messageId: string }) => accepted.push(messageId),
    }
    await Promise.all([
      eventually(() => accepted.length >= 20).then(() => stack.processes.kill(service, 'SIGTERM')),
      ...Array.from({ length: 4 }, () => sendSteadily(sender)),
    ])
    const mails = await stack.received(bob, accepted.length, 60_000)
    assert.deepEqual(mails.map((mail) => fieldOf(mail, 'Message-ID')).sort(), accepted.sort())
    const left = stack.logLines(service).filter(({ outcome }) => outcome === 'abandoned')
    assert.deepEqual(
      left.map(({ queueId }) => queueId),
      [],
    )
    await stack.untilReady()
  })
}
