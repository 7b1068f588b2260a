// The database and the role that the services use: no superuser, so that a fault in a query can't leave the database.
import { Client } from 'pg'

export interface ServiceDatabase {
  name: string
  role: string
  password: string
}

/** Makes role and database when they are not there. May run at every start. */
export async function ensureDatabase(superuserUrl: string, database: ServiceDatabase): Promise<void> {
  const client = new Client({ connectionString: superuserUrl })
  await client.connect()
  try {
    const role = client.escapeIdentifier(database.role)
    const password = client.escapeLiteral(database.password)
    const roles = await client.query('select from pg_roles where rolname = $1', [database.role])
    if (roles.rowCount === 0) await client.query(`create role ${role} login password ${password}`)
    const databases = await client.query('select from pg_database where datname = $1', [database.name])
    if (databases.rowCount === 0)
      await client.query(`create database ${client.escapeIdentifier(database.name)} owner ${role}`)
  } finally {
    await client.end()
  }
}
