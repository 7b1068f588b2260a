// Setting mail aside, on a real Postgres: sealed, once, and with the hold on stored content given up in the same step.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { readContent } from './content.ts'
import { recallSetAside, setAside } from './quarantine.ts'
import { readSealed } from './quarantine-content.ts'
import {
  dumpOf,
  facts,
  head,
  held,
  infected,
  jobOf,
  masterKey,
  setAsideAs,
  stored,
  traced,
} from './testing/mail-set-aside.ts'

const secret = 'what nobody may read'
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const table of ['quarantine', 'message_trace', 'content_use', 'content'])
    await stack.database.query(`delete from ${table}`)
})

const sealed = (queueId: string, kind: 'infected' | 'held' | 'refused') =>
  Array.fromAsync(readSealed(stack.database, masterKey, { queueId, direction: 'inbound', kind }))

test('what is set aside lies nowhere in the database in plain, whether it came inline or stored', async () => {
  const large = Buffer.concat([randomBytes(900_000), Buffer.from(secret), randomBytes(900_000)])
  const content = await stored(stack.database, 'large', [large.subarray(0, 1_000_000), large.subarray(1_000_000)])
  assert.ok((await dumpOf(stack.database)).includes(secret))
  await setAsideAs(stack.database, jobOf('large', content), infected)
  await setAsideAs(stack.database, jobOf('small', secret), held)
  const dump = await dumpOf(stack.database)
  assert.ok(!dump.includes(secret))
  assert.ok(!dump.includes(large.toString('latin1', 0, 64)))
  const { rows } = await stack.database.query('select id from content union all select content_id from content_use')
  assert.deepEqual(rows, [])
  const chunks = await sealed('large', 'infected')
  assert.ok(chunks.length > 1, 'large content is sealed in chunks')
  assert.ok(Buffer.concat(chunks).equals(large))
  assert.equal(Buffer.concat(await sealed('small', 'held')).toString(), secret)
})

test('a mail is set aside once, and each recipient has one end, however often it is asked', async () => {
  const recipients = [{ address: 'bob@example.test' }, { address: 'carol@example.test' }]
  const virus = { kind: 'infected' as const, signature: 'Eicar', recipients }
  const job = jobOf('q', 'first', { envelope: { mailFrom: 'eve@stranger.test', recipients } })
  await Promise.all([1, 2, 3].map(() => setAsideAs(stack.database, job, virus)))
  await setAsideAs(stack.database, jobOf('q', 'second'), { ...virus, signature: 'Other' })
  const { rows } = await stack.database.query('select signature, summary from quarantine')
  assert.deepEqual(rows, [{ signature: 'Eicar', summary: facts.summary }])
  assert.equal(Buffer.concat(await sealed('q', 'infected')).toString(), 'first')
  assert.deepEqual(await traced(stack.database, 'q'), [
    'bob@example.test quarantined',
    'carol@example.test quarantined',
  ])
})

test('nothing that a stranger writes keeps a mail out of the quarantine', async () => {
  const texts = ['\\u0000', 'NUL \0', '\ud83d half', '"}\\', '\\', 'ウイルス😀']
  for (const [index, text] of texts.entries()) {
    const queueId = `odd${index}`
    const odd = jobOf(queueId, text, {
      messageId: `<${text}${randomBytes(30_000).toString('base64')}>`,
      envelope: { mailFrom: `${text}@x.test`, envid: text, recipients: [{ address: 'bob@example.test', orcpt: text }] },
      session: { receivedBy: 'mx', ehloName: text },
      added: [`X: ${text}`],
      history: [{ stage: text, at: 1, outcome: text }],
    })
    const summary = { subject: text, from: text }
    for (const part of [infected, held])
      await setAside(stack.database, masterKey, odd, [part], { ...facts, summary }, true)
    const { rowCount } = await stack.database.query('select from quarantine where queue_id = $1', [queueId])
    assert.equal(rowCount, 2, text)
    assert.deepEqual(await traced(stack.database, queueId), ['bob@example.test quarantined'], text)
  }
})

test('while another part of the mail goes on, its content stays for that part', async () => {
  const content = await stored(stack.database, 'part', [Buffer.from(secret)])
  const recipients = [{ address: 'bob@example.test' }, { address: 'dave@other.test' }]
  const job = jobOf('part', content, { envelope: { mailFrom: '', recipients } })
  await setAside(stack.database, masterKey, job, [held], facts, false)
  assert.equal(Buffer.concat(await Array.fromAsync(readContent(stack.database, 'part'))).toString(), secret)
  assert.deepEqual(await traced(stack.database, 'part'), ['bob@example.test held'])
  const { rows } = await stack.database.query(`select envelope, job from quarantine where queue_id = 'part'`)
  assert.deepEqual(rows[0]!.envelope.recipients, [{ address: 'bob@example.test' }])
  assert.deepEqual(rows[0]!.job.envelope.recipients, [{ address: 'bob@example.test' }])
})

test('of mail that was returned to its sender only the header section is kept', async () => {
  const { recipients } = held
  const refused = { kind: 'refused' as const, reason: 'size' as const, recipients, isReturned: true }
  await setAsideAs(stack.database, jobOf('returned', `${head}${secret}`), refused)
  assert.equal(Buffer.concat(await sealed('returned', 'refused')).toString(), head.toString())
  await setAsideAs(stack.database, jobOf('silent', `${head}${secret}`), { ...refused, isReturned: false })
  assert.ok(Buffer.concat(await sealed('silent', 'refused')).includes(secret))
  assert.deepEqual(await traced(stack.database, 'returned'), ['bob@example.test bounced'])
  assert.deepEqual(await traced(stack.database, 'silent'), ['bob@example.test dropped'])
})

test('after a crash it is known what was set aside, and the header section for telling of it', async () => {
  const job = jobOf('q', `${head}${secret}`)
  assert.equal(await recallSetAside(stack.database, masterKey, job), undefined)
  await setAsideAs(stack.database, job, held)
  assert.deepEqual(await recallSetAside(stack.database, masterKey, job), { parts: [held], head })
  assert.equal(await recallSetAside(stack.database, masterKey, { ...job, direction: 'submission' }), undefined)
})

test('with another master key nothing opens', async () => {
  await setAsideAs(stack.database, jobOf('q', secret), held)
  const id = { queueId: 'q', direction: 'inbound', kind: 'held' as const }
  await assert.rejects(Array.fromAsync(readSealed(stack.database, randomBytes(32), id)), /unable to authenticate/i)
})
