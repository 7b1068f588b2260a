// npm run bench:edges: what idle sessions, a large maildrop and a flood of logins cost; starts a system of its own.
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import pg from 'pg'
import { openLoadSession } from './load-session.ts'
import { LoginFlood } from './login-flood.ts'
import { type RunningSystem, startSystem } from './running-system.ts'

const IDLE_SESSIONS = 5_000
const OPENING_AT_ONCE = 50
const MESSAGES = 100_000
const NORMAL_MAILS = 300
const NORMAL_INTERVAL_MS = 50
const FLOOD_PER_SECOND = 200

type System = RunningSystem & { pop3s: { host: string; port: number } }

/** The bench's clients all come from one machine, which no real one does. */
const settings = {
  MAX_SESSIONS: '10000',
  POP3_MAX_SESSIONS: '10000',
  MAX_SESSIONS_PER_ADDRESS: '1000000',
  MAX_SESSIONS_PER_NETWORK: '1000000',
  CONNECTIONS_PER_MINUTE_PER_ADDRESS: '1000000',
  CONNECTIONS_PER_MINUTE_PER_NETWORK: '1000000',
  MAILS_PER_HOUR: '1000000',
}

async function main(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekimori-bench-'))
  try {
    Object.assign(process.env, settings)
    await using _system = await startSystem(stateDir)
    const system = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8')) as System
    await largeMaildrop(system)
    for (const service of ['pop3-gateway', 'submission-gateway'] as const) await idleSessions(system, service)
    await loginFlood(system)
  } finally {
    await rm(stateDir, { recursive: true, force: true })
  }
}

async function largeMaildrop(system: System): Promise<void> {
  const [, , carol] = system.accounts as [unknown, unknown, { address: string; password: string }]
  const database = new pg.Client({ connectionString: system.databaseUrl })
  await database.connect()
  await database.query("insert into content (id, size_bytes, bytes) values ('bench', 10, 'a: b\r\n\r\nx\r\n')")
  await (await openPop3(system, carol)).end()
  await database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select id, 'bench' || n, 'bench', '', 10 from account, generate_series(1, ${MESSAGES}) n where address = $1`,
    [carol.address],
  )
  await database.end()
  const before = memoryOf(system, 'pop3-gateway')
  const start = performance.now()
  const session = await openPop3(system, carol)
  const ms = performance.now() - start
  say(
    `${MESSAGES} messages: open in ${ms.toFixed(0)} ms (TLS and login included), ${megabytes(memoryOf(system, 'pop3-gateway') - before)} more`,
  )
  session.end()
}

/** Logged in; a client whose login is known to the process. */
async function openPop3(
  { pop3s, caCertificate }: System,
  { address, password }: { address: string; password: string },
) {
  const socket = connect({ ...pop3s, ca: readFileSync(caCertificate), servername: 'localhost' })
  await reply(socket, '+OK')
  socket.write(`USER ${address}\r\nPASS ${password}\r\n`)
  await reply(socket, '\r\n+OK')
  return socket
}

/** Waits until the text stands in what came. */
function reply(socket: TLSSocket, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let heard = '\r\n'
  const hear = (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (heard.split(text).length < (text.startsWith('\r\n') ? 3 : 2)) return
    socket.off('data', hear)
    resolve()
  }
  socket.on('data', hear).on('error', reject)
  return promise
}

async function idleSessions(system: System, service: 'pop3-gateway' | 'submission-gateway'): Promise<void> {
  const target = service === 'pop3-gateway' ? system.pop3s : system.smtps
  const before = memoryOf(system, service)
  const sockets: TLSSocket[] = []
  const open = async () => {
    const socket = connect({ ...target, rejectUnauthorized: false })
    sockets.push(socket)
    await reply(socket, service === 'pop3-gateway' ? '+OK' : '220')
  }
  while (sockets.length < IDLE_SESSIONS) await Promise.all(Array.from({ length: OPENING_AT_ONCE }, open))
  say(
    `${service}: ${IDLE_SESSIONS} idle TLS sessions take ${megabytes(memoryOf(system, service))}, ${megabytes(before)} before`,
  )
  for (const socket of sockets) socket.destroy()
}

async function loginFlood(system: System): Promise<void> {
  await normalMail(system)
  const alone = await normalMail(system)
  await using flood = new LoginFlood(system.smtps, FLOOD_PER_SECOND)
  const beside = await normalMail(system)
  say(`normal mail, p99 of acceptance: ${alone.toFixed(1)} ms alone, ${beside.toFixed(1)} ms beside the flood`)
  say(`flood: ${flood.rate().toFixed(0)} logins/s from new networks, answered ${JSON.stringify(flood.answers)}`)
}

/** Sends at a steady rate over a kept connection; resolves to the 99th percentile in ms. */
async function normalMail(system: System): Promise<number> {
  const [alice, bob] = system.accounts as [System['accounts'][0], System['accounts'][0]]
  const session = await openLoadSession({
    ...system.smtps,
    secure: { ca: readFileSync(system.caCertificate), ...alice },
  })
  const times: number[] = []
  for (let mail = 0; mail < NORMAL_MAILS; mail++) {
    const start = performance.now()
    const text = `From: ${alice.address}\r\nTo: ${bob.address}\r\nSubject: ${Math.random()}\r\n\r\n${'x'.repeat(60)}`
    await session.send(alice.address, bob.address, text)
    times.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, NORMAL_INTERVAL_MS - (performance.now() - start))))
  }
  await session.close()
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!
}

function memoryOf({ processes }: System, service: string): number {
  const status = readFileSync(`/proc/${processes[service]![0]}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024
}

const megabytes = (bytes: number) => `${(bytes / 1_000_000).toFixed(0)} MB`

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

await main()
