// S1-26 from outside: warnings are suspended while infected mail pours in. None is sent after the call has returned, and
// every one is either in a maildrop or counted, though processes are killed meanwhile.
import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { virusMail } from '@sekimori/testing/virus-mail'

const ACCOUNTS = 40
const MAILS_EACH = 25
const SESSIONS = 4
const STRANGER = 'stranger@sender.example'
const SUSPEND_AFTER = 300
const PATH = '/v1/warning-suspensions'

/** Accounts of a domain of their own. */
async function createAccounts(stack: Stack): Promise<{ domain: string; mailboxes: Mailbox[] }> {
  const domain = `s-${randomUUID().slice(0, 13)}.test`
  await stack.api('POST', '/v1/domains', { name: domain })
  const mailboxes = Array.from({ length: ACCOUNTS }, (_, i) => ({
    address: `u${i}@${domain}`,
    password: randomBytes(12).toString('hex'),
  }))
  for (const mailbox of mailboxes) assert.equal((await stack.api('POST', '/v1/accounts', mailbox)).status, 201)
  return { domain, mailboxes }
}

/** Sends the whole burst; `onAccepted` is called for each mail. */
async function pour(stack: Stack, mailboxes: Mailbox[], onAccepted: () => void): Promise<void> {
  const rest = Array.from({ length: MAILS_EACH }, () => mailboxes).flat()
  const session = async () => {
    await using smtp = await stack.dialMx()
    for (let mailbox = rest.pop(); mailbox !== undefined; mailbox = rest.pop()) {
      const to = mailbox.address
      await smtp.send({ mailFrom: STRANGER, recipients: [to] }, virusMail({ from: STRANGER, to }))
      onAccepted()
    }
  }
  await Promise.all(Array.from({ length: SESSIONS }, session))
}

interface Ends {
  delivered: string[]
  suspended: string[]
}

/** The times of all warnings' ends, by outcome, of all accounts. */
async function endsOf(stack: Stack, mailboxes: Mailbox[]): Promise<Ends> {
  const times = async (outcome: string) => {
    const pages = mailboxes.map(({ address }) =>
      stack.api('GET', `/v1/messages?address=${address}&outcome=${outcome}&limit=200`),
    )
    return (await Promise.all(pages)).flatMap(({ body }) => body.items.map((end: { endedAt: string }) => end.endedAt))
  }
  return { delivered: await times('delivered'), suspended: await times('suspended') }
}

test('S1-26 warnings are suspended during a burst of 1,000 infected mails: none is sent after the call, the count is right', async () => {
  const stack = await sharedStack()
  const { domain, mailboxes } = await createAccounts(stack)
  let accepted = 0
  const pouring = pour(stack, mailboxes, () => accepted++)
  await eventually(() => accepted > SUSPEND_AFTER)
  await eventually(async () => (await endsOf(stack, mailboxes)).delivered.length > 0, { everyMs: 100 })
  const made = await stack.api('POST', PATH, { scope: 'domain', value: domain, reason: 'a burst', createdBy: 'a test' })
  const returnedAt = Date.now()
  assert.equal(made.status, 201)
  for (const victim of ['notifier', 'local-delivery']) await stack.processes.kill(victim)
  await pouring
  const { delivered, suspended } = await eventually(
    async () => {
      const ends = await endsOf(stack, mailboxes)
      return ends.delivered.length + ends.suspended.length >= ACCOUNTS * MAILS_EACH && ends
    },
    { withinMs: 120_000, everyMs: 500, what: 'every warning has ended' },
  )
  assert.deepEqual(
    delivered.filter((time) => Date.parse(time) > returnedAt),
    [],
  )
  const { body } = await stack.api('GET', `${PATH}/${made.body.id}`)
  let warnings = 0
  for (const mailbox of mailboxes) warnings += (await stack.messages(mailbox)).length
  assert.deepEqual([body.suppressed, warnings], [suspended.length, delivered.length])
  assert.equal(body.suppressed + warnings, ACCOUNTS * MAILS_EACH)
  assert.ok(warnings > 0 && body.suppressed > 0)
})

test('S1-26 an ended suspension suppresses no more, and what it kept back is not sent later', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  const infect = () => stack.sendAsStranger(STRANGER, [bob.address], virusMail({ from: STRANGER, to: bob.address }))
  const { body } = await stack.api('POST', PATH, {
    scope: 'address',
    value: bob.address,
    reason: 'r',
    createdBy: 'c',
  })
  const ends = await stack.ended(await infect(), 2)
  const warning = ends.find(({ stage }) => stage === 'warning')
  assert.deepEqual(
    [warning?.recipient, warning?.outcome, warning?.detail],
    [bob.address, 'suspended', `suspension ${body.id}`],
  )
  assert.equal((await stack.api('PATCH', `${PATH}/${body.id}`, { endsAt: 'now' })).body.suppressed, 1)
  await infect()
  await stack.received(bob, 1)
})
