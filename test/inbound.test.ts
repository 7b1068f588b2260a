// Mail from other servers on port 25: who may, what is refused, and what is recorded about the sender.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { bodyOf, composeMail, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { dialSmtp } from '@sekimori/testing/smtp-dialer'
import { DOMAIN } from '@sekimori/testing/stack'

test('S1-07 port 25 offers STARTTLS but never AUTH, before TLS or after', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using smtp = await dialSmtp(stack.endpoints.mx, { ca: stack.ca })
  const plain = await smtp.say('EHLO relay.sender.example', 250)
  assert.match(plain.text, /^STARTTLS$/m)
  assert.doesNotMatch(plain.text, /AUTH/i)
  await smtp.authPlain(alice.address, alice.password, 500)
  await smtp.starttls()
  assert.doesNotMatch((await smtp.say('EHLO relay.sender.example', 250)).text, /AUTH/i)
  await smtp.authPlain(alice.address, alice.password, 500)
})

test('S1-07 a mail comes in over STARTTLS on 25 as over plain text, octet for octet', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const body = Buffer.concat([Buffer.from('.\r\n..\r\n日本語\r\n'), Buffer.from([0xff, 0xa0, 0x0d, 0x0a])])
  const mail = composeMail({ from: 'stranger@sender.example', to: bob.address, body })
  await using smtp = await dialSmtp(stack.endpoints.mx, { ca: stack.ca })
  await smtp.say('EHLO relay.sender.example', 250)
  await smtp.starttls()
  await smtp.say('EHLO relay.sender.example', 250)
  await smtp.send({ mailFrom: 'stranger@sender.example', recipients: [bob.address] }, mail)
  await stack.sendAsStranger('', [bob.address], mail)
  const received = await stack.received(bob, 2)
  for (const copy of received) assert.deepEqual(bodyOf(copy), body)
  const protocols = received.map((copy) => /with (E?SMTPS?) id/.exec(fieldsOf(copy, 'Received')[0]!)?.[1])
  assert.deepEqual(protocols.sort(), ['ESMTP', 'ESMTPS'])
})

test('S1-03 S1-07 S2-14 strangers may not relay: 550 5.7.1 for any domain but ours', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  await using smtp = await stack.dialMx()
  const foreign = ['someone@elsewhere.example', `alice@sub.${DOMAIN}`, `alice@${DOMAIN}.elsewhere.example`]
  for (const mailFrom of ['stranger@sender.example', alice.address, ''])
    for (const recipient of foreign) {
      await smtp.say(`MAIL FROM:<${mailFrom}>`, 250)
      const reply = await smtp.say(`RCPT TO:<${recipient}>`, 550)
      assert.equal(reply.enhanced, '5.7.1', recipient)
      await smtp.say('RSET', 250)
    }
})

test('S1-03 the tricks by which open relays are found get no mail out', async () => {
  const stack = await sharedStack()
  const victim = stack.createRemoteDomain()
  await using smtp = await stack.dialMx()
  await smtp.say('MAIL FROM:<stranger@sender.example>', 250)
  const tricks = [
    `<victim%${victim}@${DOMAIN}>`,
    `<@${DOMAIN}:victim@${victim}>`,
    `<"victim@${victim}"@${DOMAIN}>`,
    `<victim@${victim}@${DOMAIN}>`,
    `<${victim}!victim@${DOMAIN}>`,
    `<"victim@${victim}">`,
    `<victim@[127.0.0.1]>`,
    '<victim>',
  ]
  for (const trick of tricks) {
    const { code } = await smtp.say(`RCPT TO:${trick}`)
    assert.ok(code >= 500 && code < 560, `${trick} was answered with ${code}`)
  }
  const { code } = await smtp.say('DATA')
  assert.equal(code, 503)
})

test('S1-07 an unknown local address is refused in the session: 550 5.1.1, and the others get the mail', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  await using smtp = await stack.dialMx()
  await smtp.say('MAIL FROM:<stranger@sender.example>', 250)
  const unknown = await smtp.say(`RCPT TO:<nobody-${randomUUID()}@${DOMAIN}>`, 550)
  assert.equal(unknown.enhanced, '5.1.1')
  await smtp.say(`RCPT TO:<${bob.address.toUpperCase()}>`, 250)
  await smtp.say('DATA', 354)
  const mail = composeMail({ from: 'stranger@sender.example', to: bob.address })
  await smtp.sendMessage(mail, 250)
  await stack.received(bob, 1)
})

test('a mail to a list from outside reaches every member once', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const list = await stack.createList(bob, carol)
  const mail = composeMail({ from: 'stranger@sender.example', to: list })
  const queueId = await stack.sendAsStranger('stranger@sender.example', [list, bob.address], mail)
  await stack.ended(queueId, 3)
  await stack.received(bob, 1)
  await stack.received(carol, 1)
})
