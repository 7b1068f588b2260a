// The servers that all test files of one run share: each file makes a database and a virtual host of its own.
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startClamd } from './clamd.ts'
import { clearLeftovers } from './leftovers.ts'
import { startPostgres } from './postgres.ts'
import { identify, isAlive } from './process-identity.ts'
import { startRabbitmq } from './rabbitmq.ts'
import { recordProcess } from './run-directory.ts'
import type { SystemPackage } from './system-packages.ts'

/** The real clients of the black-box tests, beside the harness's own. */
export const clientPackages: SystemPackage[] = [
  { name: 'swaks' },
  { name: 'msmtp', file: '/usr/bin/msmtp' },
  { name: 'mutt', file: '/usr/bin/mutt' },
  { name: 'mpop', file: '/usr/bin/mpop' },
  { name: 'fetchmail', file: '/usr/bin/fetchmail' },
  { name: 'getmail6', file: '/usr/bin/getmail' },
  { name: 'libnet-ssleay-perl' },
  { name: 'libauthen-sasl-perl' },
  { name: 'curl', file: '/usr/bin/curl' },
  { name: 'python3', file: '/usr/bin/python3' },
  { name: 'python3-dkim' },
  { name: 'opendkim', file: '/usr/sbin/opendkim' },
  { name: 'zip' },
]

/** What makes the archives that unit tests take apart. */
export const archiverPackages: SystemPackage[] = [
  { name: '7zip', file: '/usr/bin/7zz' },
  { name: 'arj', file: '/usr/bin/arj' },
  { name: 'bzip2', file: '/usr/bin/bzip2' },
  { name: 'gcab', file: '/usr/bin/gcab' },
  { name: 'xz-utils', file: '/usr/bin/xz' },
  { name: 'zip', file: '/usr/bin/zip' },
]

export interface TestServers extends AsyncDisposable {
  /**
   * TEST_DATABASE_URL: the superuser's, on database `postgres`. TEST_AMQP_URL: virtual host `/`. TEST_RABBITMQ_CTL: the
   * path of rabbitmqctl for that node (`add_vhost`, …). TEST_CLAMD_ADDRESS: clamd's socket; it knows EICAR only.
   */
  environment: Record<string, string>
}

const PREFIX = 'sekimori-test-'
const OWNER = 'owner.json'

/** Starts them together, in a directory of their own; dispose them to stop them and to remove it. */
export async function startTestServers(): Promise<TestServers> {
  await clearAbandoned()
  const dir = mkdtempSync(join(tmpdir(), PREFIX))
  const run = join(dir, 'run')
  await mkdir(run)
  writeFileSync(join(dir, OWNER), JSON.stringify(identify(process.pid)))
  await using started = new AsyncDisposableStack()
  started.defer(() => rm(dir, { recursive: true, force: true }))
  const keep = async <T extends AsyncDisposable & { pid: number }>(name: string, starting: Promise<T>): Promise<T> => {
    const server = started.use(await starting)
    recordProcess(run, name, server.pid)
    return server
  }
  const outcomes = await Promise.allSettled([
    keep('postgres', startPostgres({ dir: join(dir, 'postgres'), isDurable: false })),
    keep('rabbitmq', startRabbitmq({ dir: join(dir, 'rabbitmq') })),
    keep('clamd', startClamd({ dir: join(dir, 'clamd') })),
  ])
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
  const [postgres, rabbitmq, clamd] = outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as [
    Awaited<ReturnType<typeof startPostgres>>,
    Awaited<ReturnType<typeof startRabbitmq>>,
    Awaited<ReturnType<typeof startClamd>>,
  ]
  const resources = started.move()
  return {
    environment: {
      TEST_DATABASE_URL: postgres.url,
      TEST_AMQP_URL: rabbitmq.url,
      TEST_RABBITMQ_CTL: rabbitmq.ctl,
      TEST_CLAMD_ADDRESS: clamd.address,
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** Stops and removes what a killed test run left behind. */
async function clearAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const dir = join(tmpdir(), name)
    const owner = await readFile(join(dir, OWNER), 'utf8').catch(() => undefined)
    if (owner === undefined || isAlive(JSON.parse(owner))) continue
    await clearLeftovers(join(dir, 'run'))
    await rm(dir, { recursive: true, force: true })
  }
}
