// RFC 1939 section 6 on a real Postgres that fails at the last moment: what QUIT says then, and what the next session finds.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openLogin } from '@sekimori/login/login'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { createAccount } from '@sekimori/store/account-admin'
import type { Database } from '@sekimori/store/database'
import { renewLeases } from '@sekimori/store/maildrop-lease'
import { createTestDatabase } from '@sekimori/testing/test-database'
import { LEASE_LIFE_MS, LeaseKeeper } from './lease-keeper.ts'
import { storePorts } from './store-ports.ts'
import { openDoor, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const ADDRESS = 'bob@example.test'
const PASSWORD = 'secret pass'
const log = { info: () => {}, error: () => {} }

/** The database, whose transactions do their work and then can't be committed. */
function withoutCommit(database: Database): Database {
  const changes: Pick<Database, 'query' | 'transaction'> = {
    query: database.query,
    transaction: (work) =>
      database.transaction(async (client) => {
        await work(client)
        throw new DependencyAway('postgres')
      }),
  }
  return changes as Database
}

test('a QUIT whose commit fails says so, removes nothing by half, and the next session finds all of it', async () => {
  await using stack = await createTestDatabase()
  const { database } = stack
  await database.query("insert into domain (name) values ('example.test')")
  await createAccount(database, { address: ADDRESS, password: PASSWORD, locale: 'ja' })
  await database.query(
    "insert into content (id, size_bytes, bytes) select 'c' || n, 3, convert_to('a:' || n, 'utf8') from generate_series(1, 3) n",
  )
  await database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select id, 'q' || n, 'c' || n, '', 3 from account, generate_series(1, 3) n where address = $1`,
    [ADDRESS],
  )
  await using leases = new LeaseKeeper((held) => renewLeases(database, held, LEASE_LIFE_MS), log)
  const ports = storePorts(withoutCommit(database), await openLogin(database), leases, log)
  await using server = await startServer({ ...ports, admission: openDoor })
  await using client = await WireClient.login(server.pop3sPort, ADDRESS, PASSWORD)
  client.send('DELE 1\r\nDELE 3\r\nQUIT\r\n')
  assert.match(
    await client.rest(),
    /\r\n-ERR \[SYS\/TEMP\] Some deleted messages were not removed, try again later\r\n$/,
  )
  await using next = await WireClient.login(server.pop3sPort, ADDRESS, PASSWORD)
  assert.equal(await next.say('STAT'), '+OK 3 9')
  for (const number of [1, 2, 3]) assert.deepEqual(await next.sayMulti(`RETR ${number}`), [`a:${number}`])
})
