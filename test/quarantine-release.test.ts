// The quarantine over time and trouble: sealed in the database, released once though processes are killed, freed at the
// end of its time, and every access on record.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { dumpDatabase, runStatement } from '@sekimori/testing/database-dump'
import { encryptedZip } from '@sekimori/testing/encrypted-zip'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail, eicar, fieldOf, subjectOf } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { mailWithAttachment } from '@sekimori/testing/virus-mail'
import { domainWithPolicy } from '@sekimori/testing/virus-policy'

const STRANGER = 'stranger@sender.example'
const CONTENT_TABLES = ['content', 'content_chunk', 'quarantine_chunk']
const LARGE = 'padding that makes it large enough for the content store\r\n'.repeat(4_000)

async function holdMails(stack: Stack, bob: Mailbox, count: number, text = ''): Promise<string[]> {
  const archive = await encryptedZip('plans.txt', Buffer.from('nobody can look into this'))
  const queueIds: string[] = []
  for (let index = 0; index < count; index++) {
    const mail = mailWithAttachment({ from: STRANGER, to: bob.address, subject: `held ${index}` }, 'plans.zip', archive)
    const withText = Buffer.from(
      mail.toString('latin1').replace('Please find the file attached.', `Please find it. ${text}`),
    )
    queueIds.push(await stack.sendAsStranger(STRANGER, [bob.address], withText))
  }
  for (const queueId of queueIds) await eventually(() => stack.quarantined(queueId))
  return queueIds
}

const order = (stack: Stack, queueId: string) => stack.api('POST', `/v1/quarantine/${queueId}/release`)

/** Fails unless exactly these subjects are in the maildrop, also after a later mail has come through. */
async function assertOnce(stack: Stack, bob: Mailbox, subjects: string[]): Promise<void> {
  await stack.received(bob, subjects.length, 60_000)
  const marker = composeMail({ from: STRANGER, to: bob.address, subject: 'marker' })
  await stack.sendAsStranger(STRANGER, [bob.address], marker)
  const mails = await stack.received(bob, subjects.length + 1)
  assert.deepEqual(mails.map(subjectOf).sort(), [...subjects, 'marker'].sort())
}

test('what is set aside can not be read in the database: neither the virus nor the text, small or large', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await (await domainWithPolicy(stack, { action: 'hold' }))()]
  const [delivered, secret] = [`marker-${randomUUID()}`, `secret-${randomUUID()}`]
  await stack.submit(
    alice,
    [alice.address],
    composeMail({ from: alice.address, to: alice.address, body: `${delivered}\r\n` }),
  )
  await stack.received(alice, 1)
  for (const padding of ['', LARGE]) {
    const body = `${secret}\r\n${eicar()}\r\n${padding}`
    const infected = composeMail({ from: STRANGER, to: alice.address, body })
    const queueId = await stack.sendAsStranger(STRANGER, [alice.address], infected)
    assert.equal((await eventually(() => stack.quarantined(queueId))).kind, 'infected')
    await holdMails(stack, bob, 1, `${secret}\r\n${padding}`)
  }
  await stack.received(alice, 3)
  const dump = await dumpDatabase(stack.endpoints.databaseUrl)
  assert.ok(dump.includes(delivered), 'the dump would show plain text')
  assert.ok(!dump.includes(secret))
  const contents = await dumpDatabase(stack.endpoints.databaseUrl, ...CONTENT_TABLES)
  assert.ok(!/STANDARD-ANTIVIRUS/.test(contents))
  assert.ok(!contents.includes(LARGE.slice(0, 200)))
})

test('mail that is being released when the releasing process is killed is delivered once', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { action: 'hold' }))()
  const queueIds = await holdMails(stack, bob, 6)
  for (const [index, queueId] of queueIds.entries()) {
    await order(stack, queueId)
    if (index % 2 === 0) await stack.processes.kill('scanner')
    await order(stack, queueId)
  }
  await assertOnce(
    stack,
    bob,
    queueIds.map((_, index) => `held ${index}`),
  )
  for (const queueId of queueIds) assert.equal((await stack.quarantined(queueId))?.state, 'released')
})

test('a process that is killed between publishing a release and noting it down causes no second delivery', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { action: 'hold' }))()
  const [queueId] = await holdMails(stack, bob, 1)
  const { databaseUrl } = stack.endpoints
  const tokenOf = async () => {
    const [row] = await runStatement<{ release_token: string | null }>(
      databaseUrl,
      'select release_token from quarantine where queue_id = $1',
      [queueId],
    )
    return row?.release_token
  }
  let first: string
  {
    // The broker takes what it is sent only when it goes on, and by then nobody waits for its confirm.
    using _standstill = stack.processes.freeze('rabbitmq')
    await order(stack, queueId!)
    first = await eventually(tokenOf)
    process.kill(stack.processes.pid('scanner'), 'SIGKILL')
  }
  await eventually(async () => (await stack.quarantined(queueId!))?.state === 'released', { withinMs: 60_000 })
  assert.ok(first)
  await assertOnce(stack, bob, ['held 0'])
})

test('content that has been kept long enough is freed; its metadata stays, and the sender of held mail is told', async () => {
  const stack = await sharedStack()
  const createMailbox = await domainWithPolicy(stack, { action: 'hold' })
  const [alice, bob] = [await createMailbox(), await createMailbox()]
  const to = `friend@${stack.createRemoteDomain()}`
  const archive = await encryptedZip('plans.txt', Buffer.from('nobody can look into this'))
  const outgoing = await stack.submit(
    alice,
    [to],
    mailWithAttachment({ from: alice.address, to }, 'plans.zip', archive),
  )
  const [old, young] = await holdMails(stack, bob, 2)
  await eventually(() => stack.quarantined(outgoing))
  const { databaseUrl } = stack.endpoints
  const age = `update quarantine set quarantined_at = quarantined_at - interval '30 days' where queue_id = any($1)`
  await runStatement(databaseUrl, age, [[old, outgoing]])
  for (const queueId of [old!, outgoing])
    await eventually(async () => (await stack.quarantined(queueId))?.state === 'expired')
  const left = await runStatement<{ queue_id: string }>(
    databaseUrl,
    'select distinct queue_id from quarantine_chunk where queue_id = any($1)',
    [[old, young, outgoing]],
  )
  assert.deepEqual(left, [{ queue_id: young }])
  assert.equal((await stack.quarantined(young!))?.state, 'kept')
  const [dsn] = await stack.received(alice, 1)
  assert.match(fieldOf(dsn!, 'Content-Type'), /delivery-status/)
  assert.equal((await order(stack, old!)).status, 409)
  assert.deepEqual(
    (await stack.trace(old!)).map(({ outcome }) => outcome),
    ['expired'],
  )
})

test('deleted mail is not delivered and leaves no content; whoever looked, ordered and deleted is on record', async () => {
  const stack = await sharedStack()
  const bob = await (await domainWithPolicy(stack, { action: 'hold' }))()
  const [queueId] = await holdMails(stack, bob, 1)
  const path = `/v1/quarantine/${queueId}`
  assert.equal((await stack.api('DELETE', path)).status, 202)
  await eventually(async () => (await stack.quarantined(queueId!))?.state === 'deleted')
  assert.equal((await order(stack, queueId!)).status, 409)
  await assertOnce(stack, bob, [])
  const { body } = await stack.api('GET', `/v1/quarantine-accesses?queueId=${queueId}&limit=200`)
  const actions = body.items
    .map(({ action }: { action: string }) => action)
    .filter((action: string) => action !== 'show')
  assert.deepEqual(actions, ['release', 'delete'])
  assert.ok(body.items.some(({ action }: { action: string }) => action === 'show'))
  for (const { apiKeyId, accessedAt } of body.items) {
    assert.match(apiKeyId, /^admin-[0-9a-f]{12}$/)
    assert.ok(Math.abs(Date.parse(accessedAt) - Date.now()) < 600_000)
  }
})
