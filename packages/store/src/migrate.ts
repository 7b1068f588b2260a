// Brings the schema up to date; however many processes start together, one does it and the others wait for it.
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Log } from '@sekimori/runtime/log'
import pg from 'pg'

const DIRECTORY = fileURLToPath(new URL('../migrations', import.meta.url))
const TABLE = 'migration'
const LOCK = 0x5e_c1_30_71

/** Applies the migrations that are missing. Safe to call from many processes at the same time. */
export async function migrate(url: string, log: Log): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  // The query on its way rejects as well; but without a listener the event would end the process.
  client.on('error', (error) => log.debug({ err: error }, 'connection lost during migration'))
  await client.connect()
  try {
    if (await isCurrent(client)) return
    await client.query('select pg_advisory_lock($1)', [LOCK])
    if (await isCurrent(client)) return
    const { runner } = await import('node-pg-migrate')
    const applied = await runner({
      dbClient: client,
      dir: DIRECTORY,
      direction: 'up',
      migrationsTable: TABLE,
      noLock: true,
      // Numbers say what belongs together; a migration that came into the code later may have a lower one.
      checkOrder: false,
      singleTransaction: true,
      log: () => {},
    })
    log.info({ migrations: applied.map((migration) => migration.name) }, 'schema migrated')
  } finally {
    await client.end()
  }
}

async function isCurrent(client: pg.Client): Promise<boolean> {
  const exists = await client.query(`select to_regclass('public.${TABLE}') as name`)
  if (exists.rows[0].name === null) return false
  const applied = await client.query(`select name from ${TABLE}`)
  const names = new Set(applied.rows.map((row) => row.name))
  return readdirSync(DIRECTORY).every((file) => names.has(file.replace(/\.sql$/, '')))
}
