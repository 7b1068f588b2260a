// Who is warned, decided once for each mail and party; and the cap with its summary.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import type { Database } from './database.ts'
import {
  addAccount,
  decideFor,
  EVERY_HOUR,
  infectedMail,
  maildropSize,
  warningCopy,
  warningEnds,
} from './testing/warnings.ts'
import { decideWarnings, type InfectedMail } from './warning-decision.ts'
import { deliverWarning } from './warning-delivery.ts'
import { closeSummary, dueSummaries, markSummaryPublished } from './warning-summary.ts'
import { createSuspension, findSuspension } from './warning-suspension-admin.ts'

const BOB = 'bob@example.test'
const CAROL = 'carol@example.test'
const CAPPED = { perHour: 3, summaryAfterMs: 0 }
let stack: TestDatabase
let database: Database
let bob: number

before(async () => {
  stack = await createTestDatabase()
  database = stack.database
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.query('truncate account, warning_suspension, virus_warning, message_trace cascade')
  bob = await addAccount(database, BOB)
  await addAccount(database, CAROL, false)
})

const outcome = async (mail: InfectedMail, party = BOB) =>
  (await warningEnds(database, mail)).find(([p]) => p === party)?.[1]

test('S1-28 S1-32 who switched warnings off gets none, but for mail to a list', async () => {
  const mail = infectedMail()
  assert.equal(await decideFor(database, mail, CAROL), false)
  assert.equal(await outcome(mail, CAROL), 'dropped')
  assert.equal(await decideFor(database, infectedMail(), CAROL, EVERY_HOUR, true), true)
})

test('who is no account here is not decided about', async () => {
  const mail = infectedMail()
  const parties = [BOB, 'nobody@example.test', 'friend@elsewhere.example'].map((address) => ({
    address,
    isListMember: true,
  }))
  assert.deepEqual([...(await decideWarnings(database, mail, parties, EVERY_HOUR))], [[BOB, 'ja']])
})

test('a decision stands, whatever the party chooses before the notice comes again', async () => {
  const [dropped, written] = [infectedMail(), infectedMail()]
  await decideFor(database, dropped, CAROL)
  await decideFor(database, written, BOB)
  await database.query('update account set virus_warning = not virus_warning')
  assert.equal(await decideFor(database, dropped, CAROL), false)
  assert.equal(await decideFor(database, written, BOB), true)
})

test('one warning enters the maildrop, also when it comes again as another mail', async () => {
  const mail = infectedMail()
  await decideFor(database, mail, BOB)
  const copy = warningCopy(mail, BOB, bob)
  for (const queueId of [copy.trace.queueId, copy.trace.queueId, 'written-anew']) {
    const again = { ...copy, contentId: queueId, trace: { ...copy.trace, queueId } }
    await deliverWarning(database, mail.job.queueId, again)
  }
  assert.equal(await maildropSize(database, bob), 1)
  assert.equal(await decideFor(database, mail, BOB), false)
})

test('a warning of which nothing is known is delivered like other mail, once', async () => {
  const mail = infectedMail()
  for (let again = 0; again < 2; again++) await deliverWarning(database, mail.job.queueId, warningCopy(mail, BOB, bob))
  assert.equal(await maildropSize(database, bob), 1)
})

test('over the cap warnings are left out, exactly, over replicas and repetitions', async () => {
  await using other = await stack.openAnother()
  const mails = Array.from({ length: 20 }, () => infectedMail())
  const replicas = [database, other, database]
  // As many at a time as a slow machine gives connections to within their time limit.
  for (let from = 0; from < mails.length; from += 5)
    await Promise.all(
      mails.slice(from, from + 5).flatMap((mail) => replicas.map((replica) => decideFor(replica, mail, BOB, CAPPED))),
    )
  const outcomes = await Promise.all(mails.map((mail) => outcome(mail)))
  assert.equal(outcomes.filter((end) => end === 'capped').length, 17)
  const [id, ...more] = await dueSummaries(database, 10)
  assert.deepEqual(more, [])
  assert.equal((await closeSummary(database, id!))?.leftOut, 17)
})

test('the cap is of an hour and of one party', async () => {
  for (let i = 0; i < 3; i++) await decideFor(database, infectedMail(), BOB, CAPPED)
  assert.equal(await decideFor(database, infectedMail(), BOB, CAPPED), false)
  assert.equal(await decideFor(database, infectedMail(), CAROL, CAPPED, true), true)
  await database.query("update virus_warning set decided_at = decided_at - interval '1 hour'")
  assert.equal(await decideFor(database, infectedMail(), BOB, CAPPED), true)
})

test('a summary is closed with one number, and what is left out later belongs to the next', async () => {
  for (let i = 0; i < 5; i++) await decideFor(database, infectedMail(), BOB, CAPPED)
  const [id] = await dueSummaries(database, 10)
  const first = await closeSummary(database, id!)
  assert.equal(first?.leftOut, 2)
  await decideFor(database, infectedMail(), BOB, CAPPED)
  assert.deepEqual(await closeSummary(database, id!), first)
  await markSummaryPublished(database, id!)
  const [next, ...more] = await dueSummaries(database, 10)
  assert.deepEqual(more, [])
  const second = await closeSummary(database, next!)
  assert.equal(second?.leftOut, 1)
  assert.notEqual(second?.queueId, first?.queueId)
})

test('a summary waits until its time', async () => {
  const later = { perHour: 1, summaryAfterMs: 60_000 }
  for (let i = 0; i < 2; i++) await decideFor(database, infectedMail(), BOB, later)
  assert.deepEqual(await dueSummaries(database, 10), [])
})

test('S1-26 a suspension comes before the cap, and keeps summaries back as well, which it does not count', async () => {
  for (let i = 0; i < 4; i++) await decideFor(database, infectedMail(), BOB, CAPPED)
  const { id } = await createSuspension(database, {
    scope: 'address',
    value: BOB,
    reason: 'r',
    createdBy: 'op',
    endsAt: undefined,
  })
  const mail = infectedMail()
  await decideFor(database, mail, BOB, CAPPED)
  assert.equal(await outcome(mail), 'suspended')
  const summary = (await closeSummary(database, (await dueSummaries(database, 10))[0]!))!
  const copy = warningCopy(mail, BOB, bob)
  await deliverWarning(database, summary.queueId, { ...copy, trace: { ...copy.trace, queueId: summary.queueId } })
  assert.equal(await maildropSize(database, bob), 0)
  assert.equal((await findSuspension(database, id))?.suppressed, 1)
})

test('an account that is removed takes its summary along', async () => {
  for (let i = 0; i < 4; i++) await decideFor(database, infectedMail(), BOB, CAPPED)
  const [id] = await dueSummaries(database, 10)
  await database.query('delete from account where id = $1', [bob])
  assert.equal(await closeSummary(database, id!), undefined)
  assert.deepEqual(await dueSummaries(database, 10), [])
})
