// For tests only: the gateway as a process of its own on free ports, with a database and a certificate of the test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { certificate, privateKey } from './certificate.ts'

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url))

export interface GatewayProcess extends AsyncDisposable {
  process: ChildProcess
  pop3Port: number
  pop3sPort: number
  /** The most memory that it has held at any time, in octets. */
  peakMemoryBytes(): Promise<number>
}

/** Starts the process and waits until it says on which ports it listens. */
export async function startGateway(
  databaseUrl: string,
  { nodeOptions = [], settings = {} }: { nodeOptions?: string[]; settings?: Record<string, string> } = {},
): Promise<GatewayProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'pop3-'))
  await writeFile(join(directory, 'cert.pem'), certificate)
  await writeFile(join(directory, 'key.pem'), privateKey)
  const child = spawn(process.execPath, [...nodeOptions, MAIN], {
    env: {
      DATABASE_URL: databaseUrl,
      TLS_CERT_FILE: join(directory, 'cert.pem'),
      TLS_KEY_FILE: join(directory, 'key.pem'),
      BIND_ADDRESS: '127.0.0.1',
      HEALTH_PORT: '0',
      POP3_PORT: '0',
      POP3S_PORT: '0',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    await rm(directory, { recursive: true })
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, pop3Port, pop3sPort } = JSON.parse(line)
    if (msg !== 'listening') continue
    return {
      process: child,
      pop3Port,
      pop3sPort,
      peakMemoryBytes: () => peakOf(child.pid!),
      [Symbol.asyncDispose]: stop,
    }
  }
  throw new Error('the gateway ended before it listened')
}

async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]) * 1_024
}
