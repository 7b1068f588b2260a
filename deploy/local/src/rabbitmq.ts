// A private RabbitMQ node: own name server (epmd), own ports, own user, loopback only.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findFreePort } from './free-port.ts'
import { launch, type Program, untilReady } from './program.ts'
import { type RabbitmqOptions, rabbitmqEnvironment, USER, writeRabbitmqFiles } from './rabbitmq-config.ts'
import { linkRabbitmqHome, RABBITMQ_SERVER } from './rabbitmq-home.ts'

const run = promisify(execFile)
// AMQP 0-9-1, section 4.2.2: the client speaks first.
const PROTOCOL_HEADER = Buffer.from([0x41, 0x4d, 0x51, 0x50, 0, 0, 9, 1])

export interface PrivateRabbitmq extends AsyncDisposable {
  url: string
  pid: number
  /** The path of rabbitmqctl for this node. */
  ctl: string
}

/** The node and the name server that must run before it. */
export async function rabbitmqPrograms(options: RabbitmqOptions): Promise<{ epmd: Program; rabbitmq: Program }> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 })
  await dropUnfinishedData(options.dir)
  await linkRabbitmqHome(join(options.dir, 'server'))
  await writeRabbitmqFiles(options)
  const env = rabbitmqEnvironment(options)
  const shared = { env, cwd: options.dir, startTimeoutMs: 120_000 }
  return {
    epmd: {
      ...shared,
      name: 'epmd',
      command: 'epmd',
      args: ['-port', String(options.epmdPort), '-address', '127.0.0.1'],
      logPath: options.logPath.replace(/rabbitmq(?=[^/]*$)/, 'epmd'),
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 5_000,
      isReady: () => answers(options.epmdPort, Buffer.from([0, 1, 0x6e]), 4),
    },
    rabbitmq: {
      ...shared,
      name: 'rabbitmq',
      command: RABBITMQ_SERVER,
      args: [],
      logPath: options.logPath,
      stopSignal: 'SIGTERM',
      stopTimeoutMs: 30_000,
      isReady: () => isServing(options),
    },
  }
}

/** Starts a private node by itself, without supervision. Dispose it to stop it; its data stays. */
export async function startRabbitmq(options: { dir: string; port?: number }): Promise<PrivateRabbitmq> {
  const taken = new Set<number>()
  const port = options.port ?? (await claimPort(taken))
  const all: RabbitmqOptions = {
    dir: options.dir,
    port,
    distributionPort: await claimPort(taken),
    epmdPort: await claimPort(taken),
    password: 'rabbitmq',
    cookie: randomBytes(24).toString('base64url'),
    logPath: join(options.dir, 'rabbitmq.log'),
  }
  const programs = await rabbitmqPrograms(all)
  await using started = new AsyncDisposableStack()
  const epmd = started.use(await launch(programs.epmd))
  await untilReady(epmd)
  const rabbitmq = started.use(await launch(programs.rabbitmq))
  await untilReady(rabbitmq)
  const resources = started.move()
  return {
    url: amqpUrl(all),
    pid: rabbitmq.pid,
    ctl: join(options.dir, 'ctl'),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

/** The services' connection string. */
export function amqpUrl(options: { port: number; password: string }, vhost = '/'): string {
  const path = vhost === '/' ? '' : `/${encodeURIComponent(vhost)}`
  return `amqp://${USER}:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}${path}`
}

/** Makes a virtual host that the node's user may use; `ctl` is the node's. */
export async function createVhost(ctl: string, vhost: string): Promise<void> {
  await run(ctl, ['add_vhost', vhost])
  await run(ctl, ['set_permissions', '-p', vhost, USER, '.*', '.*', '.*'])
}

/** Before the node was ready for the first time nothing can have been stored: an interrupted start begins anew. */
async function dropUnfinishedData(dir: string): Promise<void> {
  if (!existsSync(markerPath(dir))) await rm(join(dir, 'data'), { recursive: true, force: true })
}

async function isServing(options: RabbitmqOptions): Promise<boolean> {
  if (!(await answers(options.port, PROTOCOL_HEADER, 8))) return false
  await writeFile(markerPath(options.dir), '')
  return true
}

function markerPath(dir: string): string {
  return join(dir, 'initialised')
}

/** Whether a server takes the greeting and says at least so many bytes in return. */
function answers(port: number, greeting: Buffer, sizeBytes: number): Promise<boolean> {
  return new Promise((resolve) => {
    let received = 0
    const socket = connect({ host: '127.0.0.1', port, timeout: 2_000 }, () => socket.write(greeting))
    const finish = (isUp: boolean) => {
      socket.destroy()
      resolve(isUp)
    }
    socket.on('data', (chunk) => {
      received += chunk.length
      if (received >= sizeBytes) finish(true)
    })
    socket
      .on('error', () => finish(false))
      .on('timeout', () => finish(false))
      .on('close', () => finish(false))
  })
}

async function claimPort(taken: Set<number>): Promise<number> {
  const port = await findFreePort(taken)
  taken.add(port)
  return port
}
