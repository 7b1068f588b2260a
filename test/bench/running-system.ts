// A system of the benchmark's own: npm start on free ports, with signature updates off so that runs compare.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'

/** What endpoints.json says of a running system. */
export interface RunningSystem {
  mx: { host: string; port: number }
  smtps: { host: string; port: number }
  caCertificate: string
  accounts: { address: string; password: string }[]
  databaseUrl: string
  processes: Record<string, number[]>
}

const LISTENERS = [
  'SUBMISSION_PORT',
  'SMTPS_PORT',
  'MX_PORT',
  'POP3_PORT',
  'POP3S_PORT',
  'SETTINGS_API_PORT',
  'PORTAL_PORT',
]
/** The load comes from one address and one account. */
const UNLIMITED = Object.fromEntries(
  [
    'MAX_SESSIONS_PER_ADDRESS',
    'MAX_SESSIONS_PER_NETWORK',
    'CONNECTIONS_PER_MINUTE_PER_ADDRESS',
    'CONNECTIONS_PER_MINUTE_PER_NETWORK',
    'MAILS_PER_HOUR',
    'RECIPIENTS_PER_HOUR',
    'RECIPIENTS_PER_DAY',
    'BYTES_PER_DAY',
  ].map((name) => [name, '1000000000000']),
)
const START = new URL('../../deploy/local/start.mjs', import.meta.url)
const POLL_MS = 200

/** Starts the system and waits until it is ready. Disposing stops it. */
export async function startSystem(stateDir: string, more: Record<string, string> = {}): Promise<AsyncDisposable> {
  const ports = await freePorts(LISTENERS.length)
  const settings = Object.fromEntries(LISTENERS.map((name, index) => [name, String(ports[index])]))
  const env = {
    ...process.env,
    ...settings,
    ...UNLIMITED,
    ...more,
    STATE_DIR: stateDir,
    SIGNATURE_UPDATES: 'off',
    LOG_LEVEL: 'info',
  }
  const launcher = spawn(process.execPath, [START.pathname], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  while (!existsSync(join(stateDir, 'endpoints.json'))) {
    if (launcher.exitCode !== null) throw new Error(`npm start ended with status ${launcher.exitCode}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return {
    async [Symbol.asyncDispose]() {
      launcher.kill('SIGTERM')
      if (launcher.exitCode === null) await once(launcher, 'exit')
    },
  }
}

/** Ports that are free now; all are held until the last is found, so that none comes twice. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
