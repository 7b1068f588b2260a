// What somebody finds who has got hold of the database: every octet of its tables, as one text.
import pg from 'pg'

/** Everything in the tables given, or in all; octets and texts one after the other, latin1. */
export async function dumpDatabase(url: string, ...only: string[]): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
    )
    const tables = rows.map(({ name }) => name).filter((name) => only.length === 0 || only.includes(name))
    let dump = ''
    for (const table of tables) dump += `${(await dumpTable(client, table)).join('\n')}\n`
    return dump
  } finally {
    await client.end()
  }
}

async function dumpTable(client: pg.Client, table: string): Promise<string[]> {
  const { rows } = await client.query<Record<string, unknown>>(`select * from "${table}"`)
  return rows.flatMap((row) =>
    Object.values(row).map((value) => (value instanceof Buffer ? value.toString('latin1') : JSON.stringify(value))),
  )
}

/** Runs one statement, as an operator does who has the database before him. */
export async function runStatement<R extends pg.QueryResultRow>(
  url: string,
  statement: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<R>(statement, values)).rows
  } finally {
    await client.end()
  }
}
