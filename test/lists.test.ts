// Mailing lists: what members get, who may post, and where bounces go.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkChain, checkSignatures } from '@sekimori/testing/dkim-check'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, composeMail, fieldOf, fieldsOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { DOMAIN, type Mailbox, type Stack } from '@sekimori/testing/stack'
import { createAlias, forward, setList } from '@sekimori/testing/stack-addresses'

const SENDER = 'stranger@sender.example'
const mailOf = (from: string, to: string, headers: string[] = []) =>
  composeMail({ from, to, subject: '件名 as it was', headers })

/** The answer to RCPT for the list, from outside or from an account. */
async function rcpt(stack: Stack, list: string, from: string | Mailbox): Promise<string> {
  await using smtp = typeof from === 'string' ? await stack.dialMx() : await stack.dialSmtps(from)
  await smtp.say(`MAIL FROM:<${typeof from === 'string' ? from : from.address}>`, 250)
  const { code, enhanced, text } = await smtp.say(`RCPT TO:<${list}>`)
  return `${code} ${enhanced} ${code === 250 ? '' : text}`
}

test('members here and elsewhere get the mail as it was, with the fields of the list, from its bounces address', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const outside = `dave@${stack.createRemoteDomain()}`
  const list = await stack.createList(bob)
  await setList(stack, list, { outsideMembers: [outside] })
  const mail = mailOf(alice.address, list)
  await stack.submit(alice, [list], mail)
  const [copy] = await stack.received(bob, 1)
  const remote = await stack.remote.received(({ recipients }) => recipients.includes(outside))
  const local = list.split('@')[0]!
  assert.equal(remote.mailFrom, `${local}-bounces@${DOMAIN}`)
  assert.equal(fieldOf(copy!, 'Return-Path'), `<${local}-bounces@${DOMAIN}>`)
  for (const delivered of [copy!, remote.data]) {
    assert.match(fieldOf(delivered, 'List-Id'), new RegExp(`<${local}\\.${DOMAIN}>$`))
    assert.equal(fieldOf(delivered, 'List-Post'), `<mailto:${list}>`)
    assert.equal(fieldOf(delivered, 'List-Owner'), `<mailto:${local}-owner@${DOMAIN}>`)
    assert.equal(fieldOf(delivered, 'Precedence'), 'list')
    assert.equal(fieldOf(delivered, 'Subject'), '件名 as it was')
    assert.deepEqual(bodyOf(delivered), bodyOf(mail))
    const checks = await checkSignatures(delivered, stack.dns.address)
    assert.deepEqual(
      checks.map(({ isValid, domain }) => `${isValid} ${domain}`),
      [`true ${DOMAIN}`, `true ${DOMAIN}`],
    )
  }
  assert.equal(await checkChain(remote.data, stack.dns.address), 'pass')
})

test('a person who is reached directly, by alias, by forwarding and by two lists gets one copy', async () => {
  const stack = await sharedStack()
  const [bob, carol] = [await stack.createMailbox(), await stack.createMailbox()]
  const outside = `dave@${stack.createRemoteDomain()}`
  const [first, second] = [await stack.createList(bob, carol), await stack.createList(carol)]
  for (const list of [first, second]) await setList(stack, list, { outsideMembers: [outside.toUpperCase()] })
  await forward(stack, carol, [bob.address, outside])
  const alias = await createAlias(stack, [bob.address, second, outside])
  const queueId = await stack.sendAsStranger(SENDER, [first, alias, second, bob.address], mailOf(SENDER, first))
  await stack.ended(queueId, 6)
  await stack.received(bob, 1)
  await stack.received(carol, 1)
  await stack.remote.received(({ recipients }) => recipients.includes(outside))
  const marker = await stack.sendAsStranger(SENDER, [alias], mailOf(SENDER, alias))
  await stack.ended(marker, 3)
  const got = stack.remote.mails.filter(
    ({ data, recipients }) =>
      recipients.some((address) => address.toLowerCase() === outside) &&
      fieldsOf(data, 'Received').some((line) => line.includes(queueId)),
  )
  assert.equal(got.length, 1)
})

test('who is written to directly, elsewhere, and is on the list and behind an alias gets one copy', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const outside = `dave@${stack.createRemoteDomain()}`
  const list = await stack.createList(bob)
  await setList(stack, list, { outsideMembers: [outside] })
  const alias = await createAlias(stack, [outside, bob.address])
  const queueId = await stack.submit(alice, [outside, list, alias], mailOf(alice.address, list))
  await stack.ended(queueId, 4)
  await stack.received(bob, 1)
  const marker = await stack.submit(alice, [alias], mailOf(alice.address, alias))
  await stack.ended(marker, 2)
  await stack.remote.received(({ data }) => fieldsOf(data, 'Received').some((line) => line.includes(marker)))
  const got = stack.remote.mails.filter(({ recipients }) => recipients.includes(outside))
  assert.equal(got.length, 2)
})

test('who may not post is refused in the session, with the words of the list', async () => {
  const stack = await sharedStack()
  const [alice, bob, owner] = [await stack.createMailbox(), await stack.createMailbox(), await stack.createMailbox()]
  const outside = `dave@${stack.createRemoteDomain()}`
  const list = await stack.createList(bob)
  await setList(stack, list, { posting: 'members', outsideMembers: [outside], owners: [owner.address] })
  assert.equal(await rcpt(stack, list, SENDER), `550 5.7.1 Only members may post to ${list}`)
  assert.match(await rcpt(stack, list, alice), /^550 5\.7\.1 Only members/)
  for (const from of [bob, owner, outside]) assert.match(await rcpt(stack, list, from), /^250/)
  await setList(stack, list, { posting: 'owners', refusalText: 'Announcements only. Ask the office.' })
  // The news comes to the gateways a moment after the API's answer.
  const refusal = '550 5.7.1 Announcements only. Ask the office.'
  await eventually(async () => (await rcpt(stack, list, bob)) === refusal)
  assert.match(await rcpt(stack, list, owner), /^250/)
  await setList(stack, list, { posting: 'anyone' })
  await eventually(async () => (await rcpt(stack, list, SENDER)).startsWith('250'))
  assert.match(await rcpt(stack, list, ''), /^550 5\.7\.1/)
})

test('a stranger who says to be a member with an account here is not believed', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const list = await stack.createList(bob)
  await setList(stack, list, { posting: 'members' })
  const queueId = await stack.sendAsStranger(bob.address, [list], mailOf(bob.address, list))
  const [end] = await stack.ended(queueId)
  assert.deepEqual([end!.recipient, end!.stage, end!.outcome], [list, 'list', 'dropped'])
  await stack.submit(bob, [list], mailOf(bob.address, list))
  await stack.received(bob, 1)
})

test('bounces of a list, and mail to -owner, go to its owners, here or elsewhere', async () => {
  const stack = await sharedStack()
  const [bob, owner] = [await stack.createMailbox(), await stack.createMailbox()]
  const outside = `boss@${stack.createRemoteDomain()}`
  const list = await stack.createList(bob)
  await setList(stack, list, {
    owners: [owner.address, outside],
    outsideMembers: [`gone@${stack.createRemoteDomain()}`],
  })
  const companion = (suffix: string) => list.replace('@', `-${suffix}@`)
  await stack.sendAsStranger('', [companion('bounces')], composeMail({ from: SENDER, to: list, subject: 'bounce' }))
  await stack.sendAsStranger(SENDER, [companion('owner')], composeMail({ from: SENDER, to: list, subject: 'question' }))
  assert.deepEqual((await stack.received(owner, 2)).map(subjectOf).sort(), ['bounce', 'question'])
  const bounce = await stack.remote.received(
    ({ recipients, mailFrom }) => recipients.includes(outside) && mailFrom === '',
  )
  assert.equal(subjectOf(bounce.data), 'bounce')
  assert.deepEqual(await stack.messages(bob), [])
})

test('what fails on its way to an outside member is told to the owner of the list, not to who wrote', async () => {
  const stack = await sharedStack()
  const [alice, owner] = [await stack.createMailbox(), await stack.createMailbox({ locale: 'en' })]
  const gone = `gone@${stack.createRemoteDomain()}`
  stack.remote.script({ at: 'RCPT', recipient: gone, reply: '550 5.1.1 Nobody of that name' })
  const list = await stack.createList(alice)
  await setList(stack, list, { owners: [owner.address], outsideMembers: [gone] })
  await stack.submit(alice, [list], mailOf(alice.address, list))
  assert.equal(subjectOf((await stack.received(owner, 1))[0]!), 'Your mail could not be delivered')
  await stack.received(alice, 1)
})

test('mail that has been through the list is not distributed again; the fields of another list give way', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const list = await stack.createList(bob)
  const own = `List-Id: <${list.split('@')[0]}.${DOMAIN}>`
  const queueId = await stack.sendAsStranger(SENDER, [list], mailOf(SENDER, list, [own]))
  const [end] = await stack.ended(queueId)
  assert.deepEqual([end!.stage, end!.outcome], ['list', 'dropped'])
  assert.match(end!.detail!, /5\.4\.6/)
  const other = ['List-Id: Another list <other.sender.example>', 'List-Post: <mailto:other@sender.example>']
  await stack.sendAsStranger(SENDER, [list], mailOf(SENDER, list, other))
  const [copy] = await stack.received(bob, 1)
  assert.match(fieldOf(copy!, 'List-Id'), new RegExp(`${DOMAIN}>$`))
  assert.equal(fieldOf(copy!, 'List-Post'), `<mailto:${list}>`)
})
