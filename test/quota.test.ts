// Maildrops that are full: refused in the session for mail from outside, reported to those who have logged in.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { createAccount, createAlias, createDomain } from '@sekimori/testing/stack-addresses'

const SENDER = 'stranger@sender.example'
const BODY = `${'x'.repeat(76)}\r\n`.repeat(100)
const mailTo = (to: string, from = SENDER) => composeMail({ from, to, body: BODY })

async function usage(stack: Stack, { address }: Mailbox) {
  return (await stack.api('GET', `/v1/accounts/${address}/quota`)).body
}

async function setQuota(stack: Stack, { address }: Mailbox, quotaBytes: number | null): Promise<void> {
  assert.equal((await stack.api('PATCH', `/v1/accounts/${address}/quota`, { quotaBytes })).status, 200)
}

/** The answer to RCPT on 25 for a mail of the announced size. */
async function rcpt(stack: Stack, recipient: string, sizeBytes: number): Promise<string> {
  await using smtp = await stack.dialMx()
  await smtp.say(`MAIL FROM:<${SENDER}> SIZE=${sizeBytes}`, 250)
  const { code, enhanced } = await smtp.say(`RCPT TO:<${recipient}>`)
  return `${code} ${enhanced}`
}

test('what a maildrop holds is counted as it is delivered and deleted', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  assert.deepEqual(await usage(stack, bob), { quotaBytes: null, effectiveQuotaBytes: null, usedBytes: 0, messages: 0 })
  for (let i = 0; i < 3; i++) await stack.sendAsStranger(SENDER, [bob.address], mailTo(bob.address))
  const mails = await stack.received(bob, 3)
  const sizes = mails.map((mail) => mail.length)
  const { usedBytes, messages } = await usage(stack, bob)
  assert.deepEqual([usedBytes, messages], [sizes.reduce((sum, size) => sum + size), 3])
  await using pop3 = await stack.dialPop3s(bob)
  await pop3.say('DELE 1')
  await pop3.say('DELE 3')
  await pop3.quit()
  const left = await usage(stack, bob)
  assert.deepEqual([left.usedBytes, left.messages], [sizes[1], 1])
})

test('a full maildrop is refused in the session, for now; a mail larger than all of it, for good', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  await setQuota(stack, bob, 12_000)
  assert.match(await rcpt(stack, bob.address, 9_000), /^250/)
  assert.equal(await rcpt(stack, bob.address, 13_000), '552 5.2.2')
  await stack.sendAsStranger(SENDER, [bob.address], mailTo(bob.address))
  await stack.received(bob, 1)
  assert.match(await rcpt(stack, bob.address, 0), /^250/)
  assert.equal(await rcpt(stack, bob.address, 9_000), '452 4.2.2')
  const alias = await createAlias(stack, [bob.address])
  assert.equal(await rcpt(stack, alias, 9_000), '452 4.2.2')
  await using pop3 = await stack.dialPop3s(bob)
  await pop3.say('DELE 1')
  await pop3.quit()
  assert.match(await rcpt(stack, bob.address, 9_000), /^250/)
})

test("a domain's quota holds for accounts that have none of their own", async () => {
  const stack = await sharedStack()
  const domain = await createDomain(stack, { accountQuotaBytes: 5_000 })
  const [ann, ben] = [await createAccount(stack, `ann@${domain}`), await createAccount(stack, `ben@${domain}`)]
  await setQuota(stack, ben, 100_000)
  assert.equal(await rcpt(stack, ann.address, 9_000), '552 5.2.2')
  assert.match(await rcpt(stack, ben.address, 9_000), /^250/)
  await stack.api('PATCH', `/v1/domains/${domain}/delivery`, { accountQuotaBytes: null })
  // The news comes to the gateway a moment after the API's answer.
  await eventually(async () => (await rcpt(stack, ann.address, 9_000)).startsWith('250'))
})

test('who has logged in gets a report, 5.2.2; who has not gets none, and accepted mail is delivered', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox()]
  await setQuota(stack, bob, 6_000)
  const refused = await stack.submit(alice, [bob.address], mailTo(bob.address, alice.address))
  const [report] = await stack.received(alice, 1)
  assert.equal(subjectOf(report!), 'Your mail could not be delivered')
  assert.match(bodyOf(report!).toString('latin1'), /^Status: 5\.2\.2\r$/m)
  const [end] = await stack.ended(refused)
  assert.deepEqual([end!.outcome, end!.detail], ['bounced', '5.2.2 mailbox full'])
  // The size was not announced: the mail is in our hands, and gets in.
  await stack.sendAsStranger(SENDER, [bob.address], mailTo(bob.address))
  await stack.received(bob, 1)
  assert.equal(await rcpt(stack, bob.address, 0), '452 4.2.2')
})

test('a member of a list whose maildrop is full is left out, which the trace tells and nobody else', async () => {
  const stack = await sharedStack()
  const [alice, bob, carol] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const list = await stack.createList(bob, carol)
  await setQuota(stack, bob, 1_000)
  const queueId = await stack.submit(alice, [list], mailTo(list, alice.address))
  await stack.received(carol, 1)
  const ends = await stack.ended(queueId, 3)
  const ofBob = ends.find(({ recipient }) => recipient === bob.address)
  assert.deepEqual([ofBob?.outcome, ofBob?.detail], ['dropped', '5.2.2 mailbox full'])
  await eventually(async () => (await stack.trace(queueId)).length === 3)
  assert.deepEqual(await stack.messages(alice), [])
})
