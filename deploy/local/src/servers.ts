// The three private servers, started together: Postgres, RabbitMQ with its name server, clamd.
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { clamdProgram } from './clamd.ts'
import type { Settings } from './config.ts'
import { rememberedPorts } from './ports-file.ts'
import { postgresProgram, superuserUrl } from './postgres.ts'
import { ensureDatabase } from './postgres-database.ts'
import { amqpUrl, rabbitmqPrograms } from './rabbitmq.ts'
import { loadSecrets, type Secrets } from './secrets.ts'
import type { StatePaths } from './state-directory.ts'
import type { Supervisor } from './supervisor.ts'

export interface Servers {
  databaseUrl: string
  amqpUrl: string
  clamdAddress: string
  /** Resolves when RabbitMQ takes connections; the services may be started before. */
  broker: Promise<void>
  /** The rest that lies outside of the state directory. */
  scratchDir: string
}

/** The order in which servers are stopped, when all services are. */
export const serverStopOrder = [['clamd', 'rabbitmq', 'postgres'], ['epmd']]

const DATABASE = { name: 'sekimori', role: 'sekimori' }

/** The installation's secrets; without them its data is lost. */
export function loadStateSecrets(paths: StatePaths): Promise<Secrets> {
  return loadSecrets(paths.secrets, existsSync(paths.postgres))
}

/** Starts the servers; resolves when Postgres and clamd are ready. RabbitMQ takes longest: `broker` tells of it. */
export async function startServers(
  settings: Settings,
  paths: StatePaths,
  secrets: Secrets,
  supervisor: Supervisor,
): Promise<Servers> {
  const ports = await rememberedPorts(paths.ports)
  const brokerOptions = {
    dir: paths.rabbitmq,
    port: ports.rabbitmq,
    distributionPort: ports.rabbitmqDistribution,
    epmdPort: ports.epmd,
    password: secrets.brokerPassword,
    cookie: secrets.brokerCookie,
    logPath: join(paths.logs, 'rabbitmq.log'),
  }
  const broker = startBroker(brokerOptions, supervisor)
  // Whoever waits for it hears of a failure; until then it must not count as unheard.
  broker.catch(() => {})
  const postgres = { dir: paths.postgres, port: ports.postgres, password: secrets.databaseSuperuserPassword }
  const [databaseUrl, clamd] = await Promise.all([
    startDatabase({ ...postgres, logPath: join(paths.logs, 'postgres.log') }, secrets, supervisor),
    startVirusScanner(settings, paths, supervisor),
  ])
  return { databaseUrl, amqpUrl: amqpUrl(brokerOptions), broker, ...clamd }
}

async function startBroker(options: Parameters<typeof rabbitmqPrograms>[0], supervisor: Supervisor): Promise<void> {
  const { epmd, rabbitmq } = await rabbitmqPrograms(options)
  await supervisor.start(epmd)
  await supervisor.start(rabbitmq)
}

async function startDatabase(
  options: Parameters<typeof postgresProgram>[0],
  secrets: Secrets,
  supervisor: Supervisor,
): Promise<string> {
  await supervisor.start(await postgresProgram(options))
  await ensureDatabase(superuserUrl(options), { ...DATABASE, password: secrets.databasePassword })
  return `postgres://${DATABASE.role}:${secrets.databasePassword}@127.0.0.1:${options.port}/${DATABASE.name}`
}

async function startVirusScanner(
  settings: Settings,
  paths: StatePaths,
  supervisor: Supervisor,
): Promise<{ clamdAddress: string; scratchDir: string }> {
  const { program, address, scratchDir } = await clamdProgram({
    dir: paths.clamd,
    databaseDir: paths.signatures,
    maxMessageBytes: settings.MAX_MESSAGE_BYTES,
    logPath: join(paths.logs, 'clamd.log'),
  })
  await supervisor.start(program)
  return { clamdAddress: address, scratchDir }
}

/** Removes what the servers kept outside of the state directory. */
export async function removeScratch(scratchDir: string): Promise<void> {
  await rm(scratchDir, { recursive: true, force: true })
}
