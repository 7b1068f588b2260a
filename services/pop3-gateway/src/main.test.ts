// The gateway as a process: it starts from its settings, drains on SIGTERM, and a crash frees its locks in time.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hashPassword } from '@sekimori/store/password'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { certificate, privateKey } from './testing/certificate.ts'
import { WireClient } from './testing/wire-client.ts'

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url))
let stack: TestDatabase
let directory: string

before(async () => {
  stack = await createTestDatabase()
  directory = await mkdtemp(join(tmpdir(), 'pop3-'))
  await writeFile(join(directory, 'cert.pem'), certificate)
  await writeFile(join(directory, 'key.pem'), privateKey)
  await stack.database.query("insert into domain (name) values ('example.test')")
  await stack.database.query(
    "insert into account (address, domain, password_hash) values ('bob@example.test', 'example.test', $1)",
    [await hashPassword('secret')],
  )
})
after(async () => {
  await stack[Symbol.asyncDispose]()
  await rm(directory, { recursive: true })
})

interface Gateway extends AsyncDisposable {
  process: ChildProcess
  pop3Port: number
  pop3sPort: number
}

/** Starts the process and waits until it says on which ports it listens. */
async function startGateway(): Promise<Gateway> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      DATABASE_URL: stack.url,
      TLS_CERT_FILE: join(directory, 'cert.pem'),
      TLS_KEY_FILE: join(directory, 'key.pem'),
      BIND_ADDRESS: '127.0.0.1',
      HEALTH_PORT: '0',
      POP3_PORT: '0',
      POP3S_PORT: '0',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const { msg, pop3Port, pop3sPort } = JSON.parse(line)
    if (msg === 'listening') return { process: child, pop3Port, pop3sPort, [Symbol.asyncDispose]: stop }
  }
  throw new Error('the gateway ended before it listened')
}

test('SIGTERM lets a session finish and ends the process with status 0', async () => {
  await using gateway = await startGateway()
  await using client = await WireClient.login(gateway.pop3sPort)
  const exited = once(gateway.process, 'exit')
  gateway.process.kill('SIGTERM')
  assert.equal(await client.say('STAT'), '+OK 0 0')
  assert.equal(await client.say('QUIT'), '+OK Bye')
  assert.deepEqual(await exited, [0, null])
})

test('a crash frees the maildrop within 10 s', async () => {
  await using crashing = await startGateway()
  await using surviving = await startGateway()
  await using _client = await WireClient.login(crashing.pop3sPort)
  const crash = performance.now()
  crashing.process.kill('SIGKILL')
  let refusals = 0
  for (;;) {
    try {
      await using client = await WireClient.login(surviving.pop3sPort)
      assert.equal(await client.say('STAT'), '+OK 0 0')
      break
    } catch (error) {
      assert.match((error as Error).message, /^-ERR \[IN-USE\]/)
      assert.ok(performance.now() - crash < 10_000, 'still locked after 10 s')
      refusals += 1
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  assert.ok(refusals > 0)
})
