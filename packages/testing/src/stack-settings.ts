// Directory, ports and the other settings that keep a system started by a test apart from all else on this machine.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from './free-ports.ts'
import { isRunning, processesOf } from './process-list.ts'

/** Where the load balancer of a test connects from. */
export const BALANCER = '127.0.0.77'
/** The name that the system under test gives itself. */
export const HOSTNAME = 'mail.example.test'
const PREFIX = 'sekimori-stack-'
const LISTENERS = ['SUBMISSION_PORT', 'SMTPS_PORT', 'MX_PORT', 'POP3_PORT', 'POP3S_PORT', 'SETTINGS_API_PORT']

/** All tests come from one address; what limits do is for tests of their own. */
const UNLIMITED = {
  MAX_SESSIONS_PER_ADDRESS: '100000',
  MAX_SESSIONS_PER_NETWORK: '100000',
  CONNECTIONS_PER_MINUTE_PER_ADDRESS: '1000000',
  CONNECTIONS_PER_MINUTE_PER_NETWORK: '1000000',
}

/** For benchmarks: an account may send as much as it likes. */
export const unlimitedSending = {
  MAILS_PER_HOUR: '1000000000',
  RECIPIENTS_PER_HOUR: '1000000000',
  RECIPIENTS_PER_DAY: '1000000000',
  BYTES_PER_DAY: '1000000000000',
}

/** A new directory below the system's one for temporary files; those of test runs that broke off are removed. */
export function newStateDirectory(): string {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const owner = Number.parseInt(name.slice(PREFIX.length), 10)
    const path = join(tmpdir(), name)
    if (!isRunning(owner) && processesOf(path).length === 0) rmSync(path, { recursive: true, force: true })
  }
  return mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
}

/** Settings that keep a stack apart from all else on this machine. */
export async function isolatedSettings(stateDir: string): Promise<Record<string, string>> {
  const ports = await freePorts(LISTENERS.length)
  return {
    ...Object.fromEntries(LISTENERS.map((name, index) => [name, String(ports[index])])),
    STATE_DIR: stateDir,
    MAIL_HOSTNAME: HOSTNAME,
    SIGNATURE_UPDATES: 'off',
    PROXY_PROTOCOL_NETWORKS: `${BALANCER}/32`,
    ...UNLIMITED,
  }
}
