// The quarantine on a real Postgres: once for each leg, whatever the mail says of itself, and its hold goes over.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { readContent, releaseContent, storeContent } from './content.ts'
import { quarantine } from './quarantine.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

const finding = { signature: 'Eicar-Test', engine: 'ClamAV 1' }

function jobFor(queueId: string, changes: Partial<Job> = {}): Job {
  return {
    queueId,
    direction: 'inbound',
    acceptedAt: 1,
    envelope: {
      mailFrom: 'eve@stranger.test',
      recipients: [{ address: 'bob@example.test' }, { address: 'carol@example.test' }],
    },
    session: { receivedBy: 'mx', ehloName: 'x' },
    added: [],
    struck: [],
    history: [{ stage: 'scan', at: 2, outcome: 'infected' }],
    content: { kind: 'inline', bytes: Buffer.from('mail') },
    ...changes,
  }
}

const count = async (table: string, queueId: string) =>
  (await stack.database.query(`select from ${table} where queue_id = $1`, [queueId])).rowCount

test('a mail is set aside once, and each recipient has one end, however often it is asked', async () => {
  const job = jobFor('q1')
  await Promise.all([1, 2, 3].map(() => quarantine(stack.database, job, finding, { subject: 'x' })))
  await quarantine(stack.database, job, { ...finding, signature: 'Other' }, {})
  const { rows } = await stack.database.query(
    "select signature, summary, content_id from quarantine where queue_id = 'q1'",
  )
  assert.deepEqual(rows, [{ signature: 'Eicar-Test', summary: { subject: 'x' }, content_id: 'q1.quarantine' }])
  assert.equal(await count('message_trace', 'q1'), 2)
  assert.equal(Buffer.concat(await Array.fromAsync(readContent(stack.database, 'q1.quarantine'))).toString(), 'mail')
})

test('the hold of the leg on stored content goes over to the quarantine', async () => {
  const chunks = (async function* () {
    yield Buffer.from('large')
  })()
  await storeContent(stack.database, 'q2', 'q2/inbound', chunks)
  await quarantine(stack.database, jobFor('q2', { content: { kind: 'stored', id: 'q2', sizeBytes: 5 } }), finding, {})
  const { rowCount } = await stack.database.query("select from content_use where content_id = 'q2'")
  assert.equal(rowCount, 0)
  await releaseContent(stack.database, 'q2', 'q2/inbound')
  assert.equal(Buffer.concat(await Array.fromAsync(readContent(stack.database, 'q2'))).toString(), 'large')
})

test('nothing that a stranger writes keeps an infected mail out of the quarantine', async () => {
  const texts = ['\\u0000', 'NUL \0', '\ud83d half', '"}\\', '\\', 'ウイルス😀']
  for (const [index, text] of texts.entries()) {
    const queueId = `odd${index}`
    const odd = jobFor(queueId, {
      messageId: `<${text}${randomBytes(30_000).toString('base64')}>`,
      envelope: { mailFrom: `${text}@x.test`, envid: text, recipients: [{ address: 'bob@example.test', orcpt: text }] },
      session: { receivedBy: 'mx', ehloName: text },
      history: [{ stage: text, at: 1, outcome: text }],
    })
    await quarantine(stack.database, odd, finding, { subject: text, from: text })
    assert.equal(await count('quarantine', queueId), 1, text)
    assert.equal(await count('message_trace', queueId), 1, text)
  }
})
