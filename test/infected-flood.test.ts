// Floods of infected mail: an account that sends one is stopped, and who would get too many warnings gets a summary.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runStatement } from '@sekimori/testing/database-dump'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, subjectOf, textOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { virusMail } from '@sekimori/testing/virus-mail'

/** INFECTED_LIMIT and WARNING_LIMIT_PER_HOUR unless set. */
const INFECTED_LIMIT = 30
const WARNING_LIMIT = 60
const LEFT_OUT = 4
const STRANGER = 'stranger@sender.example'

test('a flood of infected mail from one account stops its sending, tells its owner once, and an operator lifts it', async () => {
  const stack = await sharedStack()
  const alice = await stack.createMailbox({ locale: 'en' })
  const to = `friend@${stack.createRemoteDomain()}`
  const mail = () => virusMail({ from: alice.address, to })
  await using kept = await stack.dialSmtps(alice)
  for (let i = 1; i < INFECTED_LIMIT; i++) await kept.send({ mailFrom: alice.address, recipients: [to] }, mail())
  await stack.received(alice, INFECTED_LIMIT - 1)
  await kept.send({ mailFrom: alice.address, recipients: [to] }, mail())
  const mails = await stack.received(alice, INFECTED_LIMIT + 1)
  const notices = mails.filter((found) => subjectOf(found) === 'Sending from your account was stopped')
  assert.equal(notices.length, 1)
  assert.match(textOf(notices[0]!), /sent 30 mails with viruses within 10 minutes/)

  const account = `/v1/accounts/${alice.address}`
  const { sendingStopped } = (await stack.api('GET', account)).body
  assert.match(sendingStopped.reason, /^30 infected mails within 10 minutes/)
  const refused = await kept.say(`MAIL FROM:<${alice.address}>`, 550)
  assert.match(refused.lines.join(' '), /5\.7\.1 Sending is stopped for /)
  await using fresh = await stack.dialSubmission(alice)
  await fresh.say(`MAIL FROM:<${alice.address}>`, 550)

  assert.equal((await stack.api('PATCH', account, { sendingStopped: null })).status, 200)
  // The news comes to the gateway a moment after the API's answer.
  await eventually(async () => {
    await using again = await stack.dialSubmission(alice)
    return (await again.say(`MAIL FROM:<${alice.address}>`)).code === 250
  })
  const clean = composeMail({ from: alice.address, to: alice.address, subject: 'clean again' })
  await stack.submit(alice, [alice.address], clean)
  await stack.submit(alice, [to], mail())
  const later = (await stack.received(alice, INFECTED_LIMIT + 3)).map(subjectOf)
  assert.equal(later.filter((subject) => subject === 'Sending from your account was stopped').length, 1)
  assert.equal((await stack.api('GET', account)).body.sendingStopped, undefined)
})

test('warnings over the cap are left out and traced, and one summary says how many', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox({ locale: 'en' })
  await using smtp = await stack.dialMx()
  for (let i = 0; i < WARNING_LIMIT + LEFT_OUT; i++)
    await smtp.send({ mailFrom: STRANGER, recipients: [bob.address] }, virusMail({ from: STRANGER, to: bob.address }))
  const leftOut = async () => (await stack.api('GET', `/v1/messages?address=${bob.address}&outcome=capped`)).body.items
  await eventually(async () => (await leftOut()).length >= LEFT_OUT, { everyMs: 100 })
  const due = `update warning_summary set due_at = clock_timestamp()
    where closed_at is null and account_id = (select id from account where address = $1)`
  await runStatement(stack.endpoints.databaseUrl, due, [bob.address])
  const mails = await stack.received(bob, WARNING_LIMIT + 1)
  const subjects = mails.map(subjectOf)
  assert.equal(subjects.filter((subject) => subject === 'Virus warning').length, WARNING_LIMIT)
  assert.equal(subjects.filter((subject) => subject === `Virus warnings left out: ${LEFT_OUT}`).length, 1)
  const items = await leftOut()
  assert.equal(items.length, LEFT_OUT)
  assert.ok(items.every(({ stage }: { stage: string }) => stage === 'warning'))
})
