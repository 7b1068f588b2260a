// The settings of the private RabbitMQ node: its files, its environment and the command that administers it.
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface RabbitmqOptions {
  /** Everything of the node lives below it. */
  dir: string
  port: number
  distributionPort: number
  epmdPort: number
  password: string
  /** Erlang's shared secret: who knows it rules the node. */
  cookie: string
  logPath: string
}

export const USER = 'sekimori'
/** With a fixed host part the node keeps its data when the machine gets another name. */
const NODE_NAME = 'sekimori@localhost'
/** Relative to the node's directory: the broker's shell scripts break at a space in this path. */
const SCRIPTS = 'server/sbin'
const WEEK_MS = 7 * 24 * 60 * 60 * 1000

/** Writes the node's files. `ctl` in its directory is rabbitmqctl for this node. */
export async function writeRabbitmqFiles(options: RabbitmqOptions): Promise<void> {
  const { dir } = options
  await mkdir(join(dir, 'home'), { recursive: true, mode: 0o700 })
  const cookie = join(dir, 'home', '.erlang.cookie')
  await rm(cookie, { force: true })
  await Promise.all([
    writeFile(join(dir, 'rabbitmq.conf'), configuration(options), { mode: 0o600 }),
    writeFile(join(dir, 'enabled_plugins'), '[].\n'),
    writeFile(cookie, options.cookie, { mode: 0o400 }),
    writeFile(join(dir, 'ctl'), ctlScript(options), { mode: 0o700 }),
  ])
  await chmod(join(dir, 'ctl'), 0o700)
}

function configuration(options: RabbitmqOptions): string {
  const settings = {
    'listeners.tcp.1': `127.0.0.1:${options.port}`,
    default_user: USER,
    default_pass: options.password,
    // A job may be held for as long as what it waits for is away.
    consumer_timeout: WEEK_MS,
    'disk_free_limit.absolute': '100MB',
    'vm_memory_high_watermark.relative': '0.4',
    'raft.wal_max_size_bytes': 128 * 1024 * 1024,
    'log.console': 'true',
    'log.console.level': 'warning',
    'log.console.use_colors': 'off',
    'log.file': 'false',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  return `${lines.join('\n')}\n`
}

/** The environment of the server and of its tools. Nothing of the machine's own RabbitMQ settings gets in. */
export function rabbitmqEnvironment(options: RabbitmqOptions): Record<string, string> {
  const { dir } = options
  return {
    PATH: process.env.PATH ?? '',
    LANG: 'C.UTF-8',
    HOME: join(dir, 'home'),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    ERL_EPMD_PORT: String(options.epmdPort),
    ERL_CRASH_DUMP: join(dir, 'erl_crash.dump'),
    ERL_CRASH_DUMP_BYTES: String(4 * 1024 * 1024),
    RABBITMQ_SCRIPTS_DIR: SCRIPTS,
    RABBITMQ_CONF_ENV_FILE: join(dir, 'none'),
    RABBITMQ_CONFIG_FILE: join(dir, 'rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: join(dir, 'advanced.config'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: 'data',
    RABBITMQ_LOG_BASE: join(dir, 'log'),
    RABBITMQ_NODENAME: NODE_NAME,
    RABBITMQ_DIST_PORT: String(options.distributionPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
    // Makes the script become the server, so that the pid that we know is the server's.
    RUNNING_UNDER_SYSTEMD: 'true',
  }
}

function ctlScript(options: RabbitmqOptions): string {
  const environment = Object.entries(rabbitmqEnvironment(options)).map(
    ([name, value]) => `export ${name}=${quote(value)}`,
  )
  const lines = [
    '#!/bin/sh',
    '# rabbitmqctl for this private node; for example: ctl list_queues name messages',
    ...environment,
    `cd ${quote(options.dir)}`,
    `exec ${quote('/usr/lib/rabbitmq/bin/rabbitmqctl')} "$@"`,
  ]
  return `${lines.join('\n')}\n`
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`)}'`
}
