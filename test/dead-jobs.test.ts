// Jobs that a stage gives up: operators see what they are, replay them when the cause is mended, or drop them.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { backgroundStack } from '@sekimori/testing/background-stack'
import { publishMessage } from '@sekimori/testing/broker-message'
import { runStatement } from '@sekimori/testing/database-dump'
import { eventually } from '@sekimori/testing/eventually'
import { bodyOf, subjectOf } from '@sekimori/testing/mail-text'
import type { Mailbox, Stack } from '@sekimori/testing/stack'
import { mailWithAttachment } from '@sekimori/testing/virus-mail'

const PATIENCE = { withinMs: 60_000 }

interface Dead {
  id: string
  queue: string
  reason: string
  [field: string]: unknown
}

const deadJobs = async (stack: Stack, query: string): Promise<Dead[]> =>
  (await stack.api('GET', `/v1/dead-jobs?${query}`)).body.items

/** Sends a large mail of which the scanner reads less than there should be, until that is mended. */
async function sendBroken(stack: Stack, alice: Mailbox, bob: Mailbox) {
  const mail = mailWithAttachment({ from: alice.address, to: bob.address }, 'film.bin', randomBytes(200_000))
  const change = async (id: string, by: number) =>
    runStatement(stack.endpoints.databaseUrl, 'update content set size_bytes = size_bytes + $2 where id = $1', [id, by])
  let queueId: string
  {
    using _frozen = stack.processes.freeze('scanner')
    queueId = await stack.submit(alice, [bob.address], mail)
    await change(queueId, 1)
  }
  const [dead] = await eventually(async () => {
    const found = await deadJobs(stack, `queueId=${queueId}`)
    return found.length > 0 && found
  }, PATIENCE)
  return { mail, queueId, dead: dead!, mend: () => change(queueId, -1) }
}

test('a job that fails each time is listed, with metadata only, and replayed it arrives once the cause is mended', async () => {
  const stack = await backgroundStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const { mail, queueId, dead, mend } = await sendBroken(stack, alice, bob)
  const { id, diedAt, sizeBytes, messageId, ...rest } = dead
  assert.ok(id && diedAt && messageId && Number(sizeBytes) > 0)
  assert.deepEqual(rest, {
    queue: 'scan',
    state: 'dead',
    reason: `Error: content ${queueId} has ${mail.length} octets instead of ${mail.length + 1}`,
    queueId,
    direction: 'submission',
    mailFrom: alice.address,
    account: alice.address,
    recipients: [bob.address],
  })
  const { body } = await stack.api('GET', `/v1/messages?queueId=${queueId}`)
  assert.deepEqual([body.items[0].recipient, body.items[0].outcome], [bob.address, 'stuck'])
  const metrics = await (await fetch(`${stack.endpoints.health.scanner}/metrics`)).text()
  assert.match(metrics, /^sekimori_dead_jobs_total\{.*queue="scan".*\} [1-9]/m)
  const waiting = async () => {
    const text = await (await fetch(`${stack.endpoints.health.notifier}/metrics`)).text()
    return /^sekimori_dead_jobs\{queue="scan".*\} [1-9]/m.test(text)
  }
  await eventually(waiting, PATIENCE)
  await mend()
  assert.equal((await stack.api('POST', `/v1/dead-jobs/${id}/replay`)).status, 202)
  const [received] = await stack.received(bob, 1, 60_000)
  assert.ok(bodyOf(received!).equals(bodyOf(mail)))
  assert.deepEqual(await deadJobs(stack, `queueId=${queueId}`), [])
})

test('a job that is dropped ends in the trace, its content is freed, and the sender gets a DSN when that is asked for', async () => {
  const stack = await backgroundStack()
  const [alice, bob] = [await stack.createMailbox({ locale: 'en' }), await stack.createMailbox()]
  const { queueId, dead } = await sendBroken(stack, alice, bob)
  const { status, body } = await stack.api('DELETE', `/v1/dead-jobs/${dead.id}?notify=true`)
  assert.deepEqual([status, body], [200, { recipients: [bob.address] }])
  const [end] = await stack.trace(queueId)
  assert.deepEqual([end?.recipient, end?.stage, end?.outcome], [bob.address, 'dead', 'dropped'])
  assert.equal(end?.detail, 'dropped by an operator after a fault of the mail system')
  assert.deepEqual(await runStatement(stack.endpoints.databaseUrl, 'select from content where id = $1', [queueId]), [])
  const [dsn] = await stack.received(alice, 1, 60_000)
  assert.match(subjectOf(dsn!), /deliver/i)
  assert.match(String(dsn), /Status: 5\.3\.0/)
  assert.deepEqual(await stack.messages(bob), [])
  for (const call of ['GET', 'DELETE'] as const)
    assert.equal((await stack.api(call, `/v1/dead-jobs/${dead.id}`)).status, 404)
})

test('what no stage can decode is dead at once, listed without details, dies again when replayed, and can be dropped', async () => {
  const stack = await backgroundStack()
  await publishMessage(stack.endpoints.amqpUrl, 'deliver-local', Buffer.from('\0\0\0\x02{} no job of ours'))
  const newest = async () => (await deadJobs(stack, 'queue=deliver-local&limit=1'))[0]
  const dead = await eventually(newest, PATIENCE)
  assert.deepEqual(Object.keys(dead).sort(), ['diedAt', 'id', 'queue', 'reason', 'sizeBytes', 'state'])
  assert.match(dead.reason, /UndecodableMessage/)
  assert.ok(!JSON.stringify(dead).includes('no job of ours'))
  await stack.api('POST', `/v1/dead-jobs/${dead.id}/replay`)
  const again = await eventually(async () => {
    const found = await newest()
    return found?.id !== dead.id && found
  }, PATIENCE)
  assert.deepEqual((await stack.api('DELETE', `/v1/dead-jobs/${again.id}`)).body, { recipients: [] })
  assert.equal(await newest(), undefined)
})
