// npm run bench:idle: what idle sessions cost. Opens them against a running system, or one of its own, and reads how much
// memory the edge's process has then.
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { parseArgs } from 'node:util'
import { startSystem } from './running-system.ts'

const help = `npm run bench:idle -- [--state-dir DIR] [--edge mx|submission|smtps|pop3|pop3s] [--sessions N]

  --state-dir DIR   measure the system that runs with this STATE_DIR; it must allow so many sessions of one address
                    (MAX_SESSIONS, MAX_SESSIONS_PER_ADDRESS; default: start one and stop it again)
  --edge NAME       default mx; smtps and pop3s hold TLS sessions
  --sessions N      default 5000
`
/** Connections that are opened at the same time. */
const OPENING = 50

const { values } = parseArgs({
  options: {
    'state-dir': { type: 'string' },
    edge: { type: 'string', default: 'mx' },
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
  if (stateDir !== undefined) return measure(stateDir)
  const own = mkdtempSync(join(tmpdir(), 'sekimori-idle-'))
  try {
    await using _system = await startSystem(own, { MAX_SESSIONS: '100000' })
    await measure(own)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function measure(stateDir: string): Promise<void> {
  const endpoints = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8'))
  const edge = values.edge
  const [pid] = endpoints.processes[SERVICES[edge]!] as number[]
  const before = memoryOf(pid!)
  const sockets = await openAll((endpoints as Endpoints)[edge]!, Number(values.sessions), edge.endsWith('s'))
  const after = memoryOf(pid!)
  const each = ((after - before) / sockets.length) * 1024
  process.stdout.write(
    `${edge}: ${sockets.length} idle sessions, ${before.toFixed(0)} MB before, ${after.toFixed(0)} MB with them, ${each.toFixed(0)} KB each\n`,
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
  await new Promise<void>((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      const isFirst = text === ''
      text += chunk.toString('latin1')
      if (/^421/m.test(text)) reject(new Error(text))
      else if (isFirst && text.startsWith('220')) socket.write('EHLO idle.example\r\n')
      else if (/^(?:250 |\+OK)/m.test(text)) resolve()
    })
    socket.once('error', reject).once('close', () => reject(new Error(`closed after "${text}"`)))
  })
  return socket
}

/** Resident memory of a process in MB. */
function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kilobytes) / 1024
}

await main()
