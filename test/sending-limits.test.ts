// How much an account may send, as its client, an operator and the metrics see it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { withinOneHour } from '@sekimori/testing/within-one-hour'

/** The answer to MAIL, once it is this one: the news of a change comes to the gateway a moment after the API's answer. */
async function untilMail(stack: Stack, mailbox: Mailbox, code: number) {
  return eventually(async () => {
    await using smtp = await loggedIn(stack, mailbox)
    const answer = await smtp.say(`MAIL FROM:<${mailbox.address}>`)
    return answer.code === code && answer
  })
}

async function loggedIn(stack: Stack, { address, password }: Mailbox) {
  const smtp = await dialSmtp(stack.endpoints.smtps, { tls: 'implicit', ca: stack.ca })
  await smtp.say('EHLO client.example', 250)
  await smtp.authPlain(address, password)
  return smtp
}

test('an account that has used up its recipients is told which limit it was, and an operator can raise it', () =>
  withinOneHour(useUpRecipients))

async function useUpRecipients(): Promise<void> {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const path = `/v1/accounts/${alice.address}/sending-limits`
  assert.equal((await stack.api('PATCH', path, { recipientsPerHour: 3 })).status, 200)
  const mail = composeMail({ from: alice.address, to: bob.address })
  await using smtp = await loggedIn(stack, alice)
  await smtp.send({ mailFrom: alice.address, recipients: [bob.address, carol.address] }, mail)
  await smtp.say(`MAIL FROM:<${alice.address}>`, 250)
  await smtp.say(`RCPT TO:<${bob.address}>`, 250)
  const refused = await smtp.say(`RCPT TO:<${carol.address}>`, 450)
  assert.deepEqual(
    [refused.enhanced, refused.text],
    ['4.7.1', 'Your limit of 3 recipients an hour is reached, please try again later'],
  )
  await smtp.say('RSET', 250)
  await eventually(async () => (await stack.api('GET', path)).body.recipientsPerHour.used === 2)
  assert.equal((await stack.api('PATCH', path, { recipientsPerHour: 100, mailsPerHour: 1 })).status, 200)
  const answer = await untilMail(stack, alice, 450)
  assert.match(answer.text, /limit of 1 mails an hour/)
  const metrics = await (await fetch(`${stack.endpoints.health['submission-gateway']}/metrics`)).text()
  assert.match(metrics, /^sekimori_limit_refusals_total\{limit="recipients-hour".*\} [1-9]/m)
  assert.equal((await stack.api('PATCH', path, { mailsPerHour: null })).status, 200)
  await untilMail(stack, alice, 250)
  await smtp.send({ mailFrom: alice.address, recipients: [bob.address, carol.address] }, mail)
  await stack.received(bob, 2)
}

test('RFC 1870 an account’s own size limit holds for what is declared and for what comes', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.api('PATCH', `/v1/accounts/${alice.address}/sending-limits`, { maxMessageBytes: 2_000 })
  await using smtp = await loggedIn(stack, alice)
  assert.equal((await smtp.say(`MAIL FROM:<${alice.address}> SIZE=2001`, 552)).enhanced, '5.3.4')
  const mail = composeMail({
    from: alice.address,
    to: bob.address,
    body: Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(40)),
  })
  await smtp.say(`MAIL FROM:<${alice.address}> SIZE=1999`, 250)
  await smtp.say(`RCPT TO:<${bob.address}>`, 250)
  await smtp.say('DATA', 354)
  assert.equal((await smtp.sendMessage(mail, 552)).enhanced, '5.3.4')
})
