// Infected mail is accepted, stopped and set aside; exactly those whom it concerns are warned.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail, eicar, subjectOf, textOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { virusMail } from '@sekimori/testing/virus-mail'

const WARNING = 'ウイルス検知のお知らせ'

/** Fails unless the maildrop holds these subjects and no others, also after a later mail has come through. */
async function assertSubjects(stack: Stack, mailbox: Mailbox, subjects: string[]): Promise<void> {
  await stack.received(mailbox, subjects.length)
  const marker = composeMail({ from: mailbox.address, to: mailbox.address, subject: 'marker' })
  await stack.submit(mailbox, [mailbox.address], marker)
  const mails = await stack.received(mailbox, subjects.length + 1)
  assert.deepEqual(mails.map(subjectOf).sort(), [...subjects, 'marker'].sort())
}

function assertNothingLeft(stack: Stack, domain: string): void {
  const sent = stack.remote.mails.filter(({ recipients }) =>
    recipients.some((address) => address.endsWith(`@${domain}`)),
  )
  assert.deepEqual(
    sent.map(({ recipients }) => recipients),
    [],
  )
}

test('S1-14 S1-16 S1-17 an infected mail to elsewhere is accepted, set aside, and its sender is warned', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox()
  const domain = stack.createRemoteDomain()
  const to = `friend@${domain}`
  const queueId = await stack.submit(alice, [to], virusMail({ from: alice.address, to, subject: 'the invoice' }))
  await assertSubjects(stack, alice, [WARNING])
  const text = textOf((await stack.messages(alice))[0]!)
  for (const fact of ['Eicar-Test-Signature', queueId, 'the invoice', to]) assert.ok(text.includes(fact), text)
  const ends = await stack.trace(queueId)
  assert.deepEqual(
    ends.map(({ recipient, stage, outcome }) => [recipient, stage, outcome]),
    [[to, 'quarantine', 'quarantined']],
  )
  assertNothingLeft(stack, domain)
})

test('S1-18 an infected mail from outside is accepted, set aside, and each local recipient is warned, the stranger never', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const domain = stack.createRemoteDomain()
  const mail = virusMail({ from: `stranger@${domain}`, to: bob.address })
  const queueId = await stack.sendAsStranger(`stranger@${domain}`, [bob.address, carol.address], mail)
  for (const mailbox of [bob, carol]) await assertSubjects(stack, mailbox, [WARNING])
  assert.equal((await stack.quarantined(queueId))?.direction, 'inbound')
  assertNothingLeft(stack, domain)
})

test('S1-19 between two accounts the mail is stopped once, and sender and recipient are both warned', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const queueId = await stack.submit(alice, [bob.address], virusMail({ from: alice.address, to: bob.address }))
  await assertSubjects(stack, alice, [WARNING])
  await assertSubjects(stack, bob, [WARNING])
  assert.match(textOf((await stack.messages(alice))[0]!), /お客様が送信された/)
  assert.match(textOf((await stack.messages(bob))[0]!), /お客様宛て/)
  const { body } = await stack.api('GET', `/v1/quarantine/${queueId}`)
  assert.equal(body.items.length, 1)
})

test('one warning a message and party: who is named twice, and who writes to himself, is warned once', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const list = await stack.createList(alice, bob)
  const domain = stack.createRemoteDomain()
  const recipients = [alice.address, bob.address, list, `friend@${domain}`]
  await stack.submit(alice, recipients, virusMail({ from: alice.address, to: list }))
  await assertSubjects(stack, alice, [WARNING])
  await assertSubjects(stack, bob, [WARNING])
  assertNothingLeft(stack, domain)
})

test('S1-28 S1-29 with warnings switched off neither the sender nor the recipient hears of it', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  for (const { address } of [alice, bob])
    await stack.api('PATCH', `/v1/accounts/${address}/preferences`, { virusWarning: false })
  const submitted = await stack.submit(alice, [bob.address], virusMail({ from: alice.address, to: bob.address }))
  const inbound = await stack.sendAsStranger(
    'x@sender.example',
    [bob.address],
    virusMail({ from: 'x@sender.example', to: bob.address }),
  )
  for (const [queueId, silenced] of [
    [submitted, [alice.address, bob.address]],
    [inbound, [bob.address]],
  ] as const) {
    const ends = await stack.ended(queueId, 1 + silenced.length)
    const dropped = ends.filter(({ stage, outcome }) => stage === 'warning' && outcome === 'dropped')
    assert.deepEqual(dropped.map(({ recipient }) => recipient).sort(), [...silenced].sort())
    assert.ok(await stack.quarantined(queueId))
  }
  for (const mailbox of [alice, bob]) await assertSubjects(stack, mailbox, [])
})

test('S1-32 a member of a list is warned of virus mail to it though his warnings are off', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  await stack.api('PATCH', `/v1/accounts/${bob.address}/preferences`, { virusWarning: false })
  const list = await stack.createList(bob, carol)
  await stack.sendAsStranger('x@sender.example', [list], virusMail({ from: 'x@sender.example', to: list }))
  await assertSubjects(stack, bob, [WARNING])
  await assertSubjects(stack, carol, [WARNING])
  assert.ok(textOf((await stack.messages(bob))[0]!).includes(list))
})

test('a sender can not suppress the warning by writing the virus into the subject or his own name', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const mail = composeMail({
    from: 'x@sender.example',
    to: bob.address,
    subject: eicar(),
    headers: [`Comments: ${eicar()}`],
    body: eicar(),
  })
  const queueId = await stack.sendAsStranger('x@sender.example', [bob.address], mail)
  assert.ok(await stack.ended(queueId))
  await assertSubjects(stack, bob, [WARNING])
})
