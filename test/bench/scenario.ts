// One run of load against a running system: rates, latencies and the CPU time of every part.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { cpuMs } from './cpu.ts'
import { openLoadSession, type Target } from './load-session.ts'

export interface Scenario {
  name: string
  mails: number
  connections: number
  /** A new connection, with TLS and login where the target asks for them, for each mail. */
  isReconnecting: boolean
  sizeBytes: number
  mailFrom: string
  recipient: string
  target: Target
}

export interface Result {
  name: string
  acceptPerSecond: number
  p50Ms: number
  p99Ms: number
  deliveredPerSecond: number
  cpuMsPerMail: number
  parts: Record<string, number>
}

const POLL_MS = 50
const DELIVERY_DEADLINE_MS = 300_000

/** Sends all mails, waits until they are in the maildrop, and measures. */
export async function runScenario(
  scenario: Scenario,
  databaseUrl: string,
  processes: Record<string, number[]>,
): Promise<Result> {
  const database = new pg.Client({ connectionString: databaseUrl })
  await database.connect()
  try {
    const before = await delivered(database, scenario.recipient)
    const cpuBefore = cpuMs(processes)
    const startedAt = performance.now()
    const latencies = await sendAll(scenario)
    const acceptedAt = performance.now()
    await untilDelivered(database, scenario.recipient, before + latencies.length)
    const endedAt = performance.now()
    const cpuAfter = cpuMs(processes)
    return summarize(scenario, latencies, acceptedAt - startedAt, endedAt - startedAt, difference(cpuAfter, cpuBefore))
  } finally {
    await database.end()
  }
}

async function sendAll(scenario: Scenario): Promise<number[]> {
  const perConnection = Math.ceil(scenario.mails / scenario.connections)
  const latencies = await Promise.all(
    Array.from({ length: scenario.connections }, () =>
      scenario.isReconnecting ? sendReconnecting(scenario, perConnection) : sendKept(scenario, perConnection),
    ),
  )
  return latencies.flat()
}

async function sendKept(scenario: Scenario, count: number): Promise<number[]> {
  const session = await openLoadSession(scenario.target)
  const latencies: number[] = []
  for (let i = 0; i < count; i++) {
    const mail = composeMail(scenario)
    const startedAt = performance.now()
    await session.send(scenario.mailFrom, scenario.recipient, mail)
    latencies.push(performance.now() - startedAt)
  }
  await session.close()
  return latencies
}

async function sendReconnecting(scenario: Scenario, count: number): Promise<number[]> {
  const latencies: number[] = []
  for (let i = 0; i < count; i++) {
    const mail = composeMail(scenario)
    const startedAt = performance.now()
    const session = await openLoadSession(scenario.target)
    await session.send(scenario.mailFrom, scenario.recipient, mail)
    latencies.push(performance.now() - startedAt)
    await session.close()
  }
  return latencies
}

/** A mail with a body that no cache has seen. */
function composeMail({ mailFrom, recipient, sizeBytes }: Scenario): string {
  const id = randomBytes(12).toString('hex')
  const head = [
    `From: <${mailFrom}>`,
    `To: <${recipient}>`,
    `Subject: load ${id}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@load.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
  ]
  const body = randomBytes(Math.ceil(sizeBytes / 2))
    .toString('hex')
    .replace(/(.{7})/g, '$1 ')
    .replace(/(.{72})/g, '$1\r\n')
  return `${head.join('\r\n')}\r\n\r\n${body}`.slice(0, sizeBytes).replace(/\r$/, '.')
}

/** How many messages lie in the maildrop: asked for again and again, so no rows are counted at the expense of what is measured. */
async function delivered(database: pg.Client, recipient: string): Promise<number> {
  const { rows } = await database.query({
    name: 'delivered',
    text: 'select messages::int as count from maildrop_usage join account on account.id = account_id where address = $1',
    values: [recipient],
  })
  return rows[0]?.count ?? 0
}

async function untilDelivered(database: pg.Client, recipient: string, count: number): Promise<void> {
  const deadline = performance.now() + DELIVERY_DEADLINE_MS
  while ((await delivered(database, recipient)) < count) {
    if (performance.now() > deadline) throw new Error('the mails did not all arrive in time')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(after).map(([name, ms]) => [name, ms - (before[name] ?? 0)]))
}

function summarize(
  { name }: Scenario,
  latencies: number[],
  acceptMs: number,
  wholeMs: number,
  parts: Record<string, number>,
): Result {
  const sorted = latencies.toSorted((a, b) => a - b)
  const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
  const count = latencies.length
  const perMail = Object.fromEntries(Object.entries(parts).map(([part, ms]) => [part, ms / count]))
  return {
    name,
    acceptPerSecond: (count / acceptMs) * 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    deliveredPerSecond: (count / wholeMs) * 1000,
    cpuMsPerMail: Object.values(perMail).reduce((sum, ms) => sum + ms, 0),
    parts: perMail,
  }
}
