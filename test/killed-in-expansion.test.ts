// local-delivery is killed while a mail goes to ten thousand members of a list, by way of an alias: each member, here and
// elsewhere, comes to exactly one end.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { composeMail } from '@sekimori/testing/mail-text'
import { sharedStack } from '@sekimori/testing/shared-stack'
import type { Stack } from '@sekimori/testing/stack'
import { createAlias, createDomain, setList } from '@sekimori/testing/stack-addresses'
import pg from 'pg'

const MEMBERS = 10_000
const OUTSIDE = 300
/** Killed while it waits to deliver to the member of this number. */
const KILLED_AT = [2_000, 8_000]
/** Members whose copies are made at the same time: fewer than these are missing before one who waits. */
const TOGETHER = 500
const SENDER = 'stranger@sender.example'
const PATIENCE = { withinMs: 60_000 }

async function openDatabase(stack: Stack) {
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  return {
    query: (text: string, values: unknown[]) => client.query(text, values),
    number: async (text: string, values: unknown[]) => Number((await client.query(text, values)).rows[0].n),
    [Symbol.asyncDispose]: () => client.end(),
  }
}

/** Keeps anybody from delivering to the account until disposed. */
async function holdAccount(stack: Stack, address: string): Promise<AsyncDisposable> {
  const client = new pg.Client(stack.endpoints.databaseUrl)
  await client.connect()
  await client.query('begin')
  await client.query('select from account where address = $1 for update', [address])
  return { [Symbol.asyncDispose]: () => client.end() }
}

test('ten thousand members have one end each, though local-delivery is killed on the way', async () => {
  const stack = await sharedStack()
  await using database = await openDatabase(stack)
  const domain = await createDomain(stack)
  const remote = stack.createRemoteDomain()
  const list = `all@${domain}`
  await database.query(
    `insert into account (address, domain, password_hash) select 'u' || n || '@' || $1, $1, '' from generate_series(1, $2::integer) as n`,
    [domain, MEMBERS],
  )
  await database.query("insert into mailing_list (address, domain, name) values ($1, $2, 'All')", [list, domain])
  await database.query(
    'insert into mailing_list_member (list_address, account_id) select $1, id from account where domain = $2',
    [list, domain],
  )
  await setList(stack, list, { outsideMembers: Array.from({ length: OUTSIDE }, (_, index) => `x${index}@${remote}`) })
  const alias = await createAlias(stack, [list])

  const copies = (queueId: string) =>
    database.number('select count(*) as n from maildrop_message where queue_id = $1', [queueId])
  await using holds = new AsyncDisposableStack()
  const held: AsyncDisposable[] = []
  for (const number of KILLED_AT) held.push(holds.use(await holdAccount(stack, `u${number}@${domain}`)))
  const queueId = await stack.sendAsStranger(SENDER, [alias], composeMail({ from: SENDER, to: alias }))
  for (const [index, number] of KILLED_AT.entries()) {
    await eventually(async () => (await copies(queueId)) >= number - TOGETHER, PATIENCE)
    await stack.processes.kill('local-delivery')
    assert.ok((await copies(queueId)) < MEMBERS)
    await held[index]![Symbol.asyncDispose]()
  }

  const ends = (stage: string) =>
    database.number('select count(*) as n from message_trace where queue_id = $1 and stage = $2', [queueId, stage])
  await eventually(async () => (await ends('alias')) === 1, PATIENCE)
  assert.deepEqual([await ends('list'), await ends('maildrop')], [1, MEMBERS])
  assert.equal(await copies(queueId), MEMBERS)
  const reached = 'select count(distinct account_id) as n from maildrop_message where queue_id = $1'
  assert.equal(await database.number(reached, [queueId]), MEMBERS)

  const sent = "select count(*) as n from message_trace where via = $1 and stage = 'remote' and outcome = 'sent'"
  await eventually(async () => (await database.number(sent, [list])) >= OUTSIDE, PATIENCE)
  assert.equal(await database.number(sent, [list]), OUTSIDE)
  const outside = stack.remote.mails.flatMap(({ recipients }) => recipients.filter((to) => to.endsWith(`@${remote}`)))
  assert.deepEqual([outside.length, new Set(outside).size], [OUTSIDE, OUTSIDE])

  await database.query('delete from mailing_list where address = $1', [list])
  await database.query('delete from account where domain = $1', [domain])
  await database.query('delete from content where id = $1', [queueId])
})
