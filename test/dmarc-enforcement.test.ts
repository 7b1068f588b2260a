// A domain that asks for it has DMARC enforced in the session; all others have it recorded only.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { composeMail, fieldOf, fieldsOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'

const HERE = 'v=spf1 ip4:127.0.0.1 -all'

/** A mailbox in a domain of its own that enforces DMARC. */
async function strictMailbox(stack: Stack): Promise<Mailbox> {
  const name = `e-${randomUUID().slice(0, 13)}.test`
  const mailbox = { address: `bob@${name}`, password: randomUUID() }
  assert.equal((await stack.api('POST', '/v1/domains', { name })).status, 201)
  assert.equal((await stack.api('PATCH', `/v1/domains/${name}`, { dmarcPolicy: 'enforce' })).status, 200)
  assert.equal((await stack.api('POST', '/v1/accounts', mailbox)).status, 201)
  return mailbox
}

function author(stack: Stack, policy: string, spf = 'v=spf1 -all'): string {
  const domain = `a-${randomUUID().slice(0, 13)}.test`
  stack.dns.set(domain, 'TXT', [spf])
  stack.dns.set(`_dmarc.${domain}`, 'TXT', [`v=DMARC1; p=${policy}`])
  return `anna@${domain}`
}

test('S2-13 a forged mail that its author wants rejected is refused before 250, and the trace says why', async () => {
  const stack = await sharedStack()
  const bob = await strictMailbox(stack)
  const from = author(stack, 'reject')
  await using smtp = await stack.dialMx()
  for (const body of ['small\r\n', 'large enough for the content store\r\n'.repeat(4_000)]) {
    const mail = composeMail({ from, to: bob.address, body })
    const reply = await smtp.send({ mailFrom: from, recipients: [bob.address] }, mail, 550)
    assert.equal(reply.enhanced, '5.7.1')
  }
  assert.deepEqual(await stack.messages(bob), [])
  const { body } = await stack.api('GET', `/v1/messages?address=${encodeURIComponent(bob.address)}`)
  const ends = (body.items as { stage: string; outcome: string; detail: string }[]).map(
    ({ stage, outcome, detail }) => `${stage} ${outcome} ${/dmarc=\w+/.exec(detail)}`,
  )
  assert.deepEqual(ends, ['mx refused dmarc=fail', 'mx refused dmarc=fail'])
})

test('S2-13 a genuine mail, and one without a policy, come in', async () => {
  const stack = await sharedStack()
  const bob = await strictMailbox(stack)
  const authors = [author(stack, 'reject', HERE), author(stack, 'none')]
  for (const from of authors)
    await stack.sendAsStranger(from, [bob.address], composeMail({ from, to: bob.address, subject: from }))
  const subjects = (await stack.received(bob, 2)).map((mail) => fieldOf(mail, 'Subject'))
  assert.deepEqual(subjects.sort(), [...authors].sort())
})

test('S2-13 a mail that is to be quarantined comes in with a mark of ours, and with no other', async () => {
  const stack = await sharedStack()
  const bob = await strictMailbox(stack)
  const from = author(stack, 'quarantine')
  const mail = composeMail({ from, to: bob.address, headers: ['X-DMARC-Quarantine: no'] })
  await stack.sendAsStranger(from, [bob.address], mail)
  const [received] = await stack.received(bob)
  assert.deepEqual(fieldsOf(received!, 'X-DMARC-Quarantine'), [`yes; author="${from.slice(5)}"`])
})

test('S2-13 a domain that did not ask for it gets the same mail, with the result recorded', async () => {
  const stack = await sharedStack()
  const [bob, strict] = [await stack.createMailbox(), await strictMailbox(stack)]
  const from = author(stack, 'reject')
  await using smtp = await stack.dialMx()
  await smtp.say(`MAIL FROM:<${from}>`, 250)
  await smtp.say(`RCPT TO:<${bob.address}>`, 250)
  assert.equal((await smtp.say(`RCPT TO:<${strict.address}>`, 452)).enhanced, '4.5.3')
  await smtp.say('DATA', 354)
  await smtp.sendMessage(composeMail({ from, to: bob.address }), 250)
  const [mail] = await stack.received(bob)
  assert.match(fieldOf(mail!, 'Authentication-Results'), /dmarc=fail .*policy\.dmarc=reject/)
})
