// npm run bench:idle: what idle sessions cost. Opens them against a running system, or one of its own, and reads how much
// memory the edge's process has then; fails over 600 MB.
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { parseArgs } from 'node:util'
import { startSystem } from './running-system.ts'

const help = `npm run bench:idle -- [--state-dir DIR] [--edge mx|submission|smtps|pop3|pop3s]… [--sessions N]

  --state-dir DIR   measure the system that runs with this STATE_DIR; it must allow so many sessions of one address
                    (MAX_SESSIONS, POP3_MAX_SESSIONS, MAX_SESSIONS_PER_ADDRESS and others; default: start one and stop it)
  --edge NAME       default mx, smtps and pop3s; the last two hold TLS sessions
  --sessions N      default 5000
`
/** Connections that are opened at the same time. */
const OPENING = 50
const OPEN_MS = 60_000
const LIMIT_MB = 600

const { values } = parseArgs({
  options: {
    'state-dir': { type: 'string' },
    edge: { type: 'string', multiple: true, default: ['mx', 'smtps', 'pop3s'] },
    sessions: { type: 'string', default: '5000' },
    help: { type: 'boolean', default: false },
  },
})

const SERVICES: Record<string, string> = {
  mx: 'mx-gateway',
  submission: 'submission-gateway',
  smtps: 'submission-gateway',
  pop3: 'pop3-gateway',
  pop3s: 'pop3-gateway',
}

interface Endpoints {
  [edge: string]: { host: string; port: number }
}

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(help)
  const stateDir = values['state-dir']
  if (stateDir !== undefined) return measureAll(stateDir)
  const own = mkdtempSync(join(tmpdir(), 'sekimori-idle-'))
  try {
    await using _system = await startSystem(own, { MAX_SESSIONS: '100000', POP3_MAX_SESSIONS: '100000' })
    await measureAll(own)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function measureAll(stateDir: string): Promise<void> {
  const endpoints = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8'))
  for (const edge of values.edge) {
    const [pid] = endpoints.processes[SERVICES[edge]!] as number[]
    await measure(edge, (endpoints as Endpoints)[edge]!, pid!)
  }
}

async function measure(edge: string, endpoint: { host: string; port: number }, pid: number): Promise<void> {
  const before = memoryOf(pid)
  const sockets = await openAll(endpoint, Number(values.sessions), edge.endsWith('s'))
  const after = memoryOf(pid)
  const each = ((after - before) / sockets.length) * 1024
  if (after > LIMIT_MB) process.exitCode = 1
  process.stdout.write(
    `${after > LIMIT_MB ? 'OVER THE LIMIT' : 'ok'}: ${edge}: ${sockets.length} idle sessions, ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB with them, ${each.toFixed(0)} KB each\n`,
  )
  for (const socket of sockets) socket.destroy()
}

async function openAll(endpoint: { host: string; port: number }, count: number, isTls: boolean): Promise<Socket[]> {
  const sockets: Socket[] = []
  let begun = 0
  const worker = async () => {
    while (begun++ < count) sockets.push(await openOne(endpoint, isTls))
  }
  await Promise.all(Array.from({ length: OPENING }, worker))
  return sockets
}

/** Resolves when the greeting, and over SMTP the reply to EHLO, is in. */
async function openOne({ host, port }: { host: string; port: number }, isTls: boolean): Promise<Socket> {
  const socket = isTls ? connectTls({ host, port, rejectUnauthorized: false }) : connectTcp(port, host)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`no greeting within ${OPEN_MS} ms`)), OPEN_MS)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    const isFirst = text === ''
    text += chunk.toString('latin1')
    if (/^(?:421|-ERR)/m.test(text)) reject(new Error(text))
    else if (isFirst && text.startsWith('220')) socket.write('EHLO idle.example\r\n')
    else if (/^(?:250 |\+OK)/m.test(text)) resolve()
  })
  socket.on('error', reject).once('close', () => reject(new Error(`closed after "${text}"`)))
  await promise
  clearTimeout(timer)
  return socket
}

/** Resident memory of a process in MB. */
function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

await main()
