// npm run bench:edges: what a large maildrop and a flood of logins cost; starts a system of its own. It takes two minutes at
// most and fails when a limit of issue 6 is passed.
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import pg from 'pg'
import { startFlood } from './flood-process.ts'
import { openLoadSession } from './load-session.ts'
import { type RunningSystem, startSystem } from './running-system.ts'

const MESSAGES = 100_000
/** Header lines of ours on each: a maildrop of real mail is read from disk as well. */
const ADDED = `X-Bench: ${'x'.repeat(1_200)}\r\n`
const OPEN_MS = 2_000
const OPEN_BYTES = 60_000_000
const NORMAL_MAILS = 200
const NORMAL_INTERVAL_MS = 50
const PHASE_MS = 20_000
/** Alone and beside the flood in turn: what else the machine does meets both. */
const ROUNDS = 3
/** More than the 200 that are to be answered: a session that waits for its answer tries no other password meanwhile. */
const FLOOD_PER_SECOND = 260

type System = RunningSystem & { pop3s: { host: string; port: number } }

async function main(): Promise<void> {
  const stateDir = mkdtempSync(join(tmpdir(), 'sekimori-bench-'))
  try {
    await using _system = await startSystem(stateDir)
    const system = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8')) as System
    await largeMaildrop(system)
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
     select id, 'bench' || n, 'bench', $2, 10 from account, generate_series(1, ${MESSAGES}) n where address = $1`,
    [carol.address, Buffer.from(ADDED)],
  )
  await database.end()
  const before = memoryOf(system, 'pop3-gateway')
  const start = performance.now()
  const session = await openPop3(system, carol)
  const ms = performance.now() - start
  const bytes = memoryOf(system, 'pop3-gateway') - before
  verdict(
    ms < OPEN_MS && bytes < OPEN_BYTES,
    `${MESSAGES} messages: open in ${ms.toFixed(0)} ms (TLS and login included), ${(bytes / 1e6).toFixed(0)} MB more`,
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

async function loginFlood(system: System): Promise<void> {
  await normalMail(system)
  const [alone, beside]: [number[], number[]] = [[], []]
  const answers: Record<string, number> = {}
  let rate = 0
  for (let round = 0; round < ROUNDS; round++) {
    alone.push(...(await normalMail(system)))
    const stop = await startFlood({ target: system.smtps, perSecond: FLOOD_PER_SECOND })
    beside.push(...(await normalMail(system)))
    const report = await stop()
    rate += report.rate / ROUNDS
    for (const [code, count] of Object.entries(report.answers)) answers[code] = (answers[code] ?? 0) + count
  }
  say(`flood: ${rate.toFixed(0)} logins/s from new networks at new accounts, answered ${JSON.stringify(answers)}`)
  const [p50, p50Beside] = [percentile(alone, 0.5), percentile(beside, 0.5)]
  const [p99, p99Beside] = [percentile(alone, 0.99), percentile(beside, 0.99)]
  verdict(
    p99Beside <= 2 * p99,
    `normal mail: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms alone; p50 ${p50Beside.toFixed(1)}, p99 ${p99Beside.toFixed(1)} ms beside the flood`,
  )
}

/** Sends at a steady rate over a kept connection; resolves to how long each mail took in ms. */
async function normalMail(system: System): Promise<number[]> {
  const [alice, bob] = system.accounts as [System['accounts'][0], System['accounts'][0]]
  const session = await openLoadSession({
    ...system.smtps,
    secure: { ca: readFileSync(system.caCertificate), ...alice },
  })
  const times: number[] = []
  const end = performance.now() + PHASE_MS
  while (times.length < NORMAL_MAILS && performance.now() < end) {
    const start = performance.now()
    const text = `From: ${alice.address}\r\nTo: ${bob.address}\r\nSubject: ${Math.random()}\r\n\r\n${'x'.repeat(60)}`
    await session.send(alice.address, bob.address, text)
    times.push(performance.now() - start)
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, NORMAL_INTERVAL_MS - (performance.now() - start))))
  }
  await session.close()
  return times
}

function percentile(times: number[], part: number): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length * part)]!
}

function memoryOf({ processes }: System, service: string): number {
  const status = readFileSync(`/proc/${processes[service]![0]}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1_024
}

function verdict(isKept: boolean, line: string): void {
  say(`${isKept ? 'ok' : 'OVER THE LIMIT'}: ${line}`)
  if (!isKept) process.exitCode = 1
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

await main()
