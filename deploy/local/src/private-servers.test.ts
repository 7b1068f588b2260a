import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { startClamd } from './clamd.ts'
import { startPostgres } from './postgres.ts'
import { ensureDatabase } from './postgres-database.ts'
import { identify } from './process-identity.ts'
import { createVhost, startRabbitmq } from './rabbitmq.ts'
import { reloadOnChange } from './signatures.ts'

const run = promisify(execFile)

/** A directory below one that only its owner may enter, with a space in its name. */
function closedDirectory(): Disposable & { path: string } {
  const parent = mkdtempSync(join(tmpdir(), 'servers-'))
  chmodSync(parent, 0o700)
  const path = join(parent, 'state of tests')
  mkdirSync(path)
  return { path, [Symbol.dispose]: () => rmSync(parent, { recursive: true }) }
}

async function query(url: string, text: string): Promise<unknown[] | undefined> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text, rowMode: 'array' })).rows[0]
  } finally {
    await client.end()
  }
}

test('Postgres keeps its data from start to start, durably and never as root', async () => {
  using directory = closedDirectory()
  const dir = join(directory.path, 'postgres')
  let pid: number
  {
    await using postgres = await startPostgres({ dir, password: 'p@ss/word' })
    pid = postgres.pid
    assert.deepEqual(await query(postgres.url, 'show fsync'), ['on'])
    assert.deepEqual(await query(postgres.url, 'show synchronous_commit'), ['on'])
    assert.notEqual(statSync(`/proc/${pid}`).uid, 0)
    for (let time = 0; time < 2; time++)
      await ensureDatabase(postgres.url, { name: 'mail', role: 'worker', password: 'w' })
    const worker = `postgres://worker:w@127.0.0.1:${postgres.port}/mail`
    assert.deepEqual(await query(worker, 'select rolsuper from pg_roles where rolname = current_user'), [false])
    await query(worker, 'create table kept (n int)')
  }
  assert.equal(identify(pid), undefined)
  await using again = await startPostgres({ dir, password: 'p@ss/word' })
  await query(`postgres://worker:w@127.0.0.1:${again.port}/mail`, 'select count(*) from kept')
})

test('an interrupted first start of Postgres is repaired, foreign data is named', async () => {
  using directory = closedDirectory()
  const dir = join(directory.path, 'postgres')
  mkdirSync(`${dir}.unfinished`)
  writeFileSync(join(`${dir}.unfinished`, 'half'), '')
  {
    await using postgres = await startPostgres({ dir, isDurable: false })
    assert.deepEqual(await query(postgres.url, 'select 1'), [1])
  }
  assert.ok(!existsSync(`${dir}.unfinished`))
  writeFileSync(join(dir, 'PG_VERSION'), '9\n')
  await assert.rejects(startPostgres({ dir }), /is of Postgres 9, .*backup/)
  rmSync(join(dir, 'PG_VERSION'))
  await assert.rejects(startPostgres({ dir }), /no readable PG_VERSION/)
  if (process.getuid?.() !== 0) return
  chownSync(dir, 12_345, 12_345)
  await assert.rejects(startPostgres({ dir }), /belongs to user 12345/)
})

test('RabbitMQ serves its own user and no guest, and is gone after its stop', async () => {
  using directory = closedDirectory()
  const dir = join(directory.path, 'rabbitmq')
  let pid: number
  {
    await using rabbitmq = await startRabbitmq({ dir })
    pid = rabbitmq.pid
    const { stdout } = await run(rabbitmq.ctl, ['list_users', '--silent'])
    assert.deepEqual(stdout.trim().split('\n').slice(-1), ['sekimori\t[administrator]'])
    assert.doesNotMatch(stdout, /guest/)
    await createVhost(rabbitmq.ctl, 'tests')
    const { stdout: vhosts } = await run(rabbitmq.ctl, ['list_vhosts', '--silent'])
    assert.match(vhosts, /^tests$/m)
    const { stdout: timeout } = await run(rabbitmq.ctl, ['eval', 'application:get_env(rabbit, consumer_timeout).'])
    assert.equal(timeout.trim(), '{ok,604800000}')
    assert.deepEqual(listeningAddresses(Number(new URL(rabbitmq.url).port)), ['0100007F'])
  }
  assert.equal(identify(pid), undefined)
})

test('clamd finds EICAR, takes up a new signature file and leaves nothing outside of its directory', async () => {
  using directory = closedDirectory()
  let socketPath: string
  {
    await using clamd = await startClamd({ dir: directory.path })
    socketPath = clamd.address
    assert.match(await scan(socketPath, eicar()), /Eicar-Test-Signature/)
    assert.match(await scan(socketPath, 'harmless marker-of-this-test'), /OK/)
    const signatures = join(directory.path, 'signatures')
    using _watch = reloadOnChange(signatures, socketPath, assert.ifError)
    const hex = Buffer.from('marker-of-this-test').toString('hex')
    writeFileSync(join(signatures, 'more.ndb'), `Marker:0:*:${hex}\n`)
    const deadline = Date.now() + 60_000
    while (!(await scan(socketPath, `marker-of-this-test ${Date.now()}`)).includes('Marker')) {
      assert.ok(Date.now() < deadline, 'the new signature was not taken up')
      await delay(100)
    }
  }
  assert.ok(!existsSync(socketPath))
})

test('clamd listens on a short path when its directory has a long one', async () => {
  using directory = closedDirectory()
  const dir = join(directory.path, 'd'.repeat(120))
  mkdirSync(dir)
  await using clamd = await startClamd({ dir })
  assert.match(await scan(clamd.address, eicar()), /Eicar-Test-Signature/)
})

/** The addresses that a port is listened on, as /proc/net/tcp (proc(5)) writes them: 0100007F is 127.0.0.1. */
function listeningAddresses(port: number): string[] {
  const lines = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'))
  return lines.flatMap((line) => {
    const [, local, , state] = line.trim().split(/\s+/)
    const [address, hexPort] = local?.split(':') ?? []
    return state === '0A' && Number.parseInt(hexPort!, 16) === port ? [address!] : []
  })
}

function eicar(): string {
  return ['X5O!P%@AP[4\\PZX54(P^)7CC)7}', 'EICAR-STANDARD-ANTIVIRUS-TEST-FILE!', 'H+H*'].join('$')
}

/** INSTREAM of clamd(8): chunks with their length before, an empty one at the end. */
function scan(socketPath: string, content: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(content))
    let answer = ''
    connect(socketPath)
      .on('data', (chunk) => {
        answer += chunk
      })
      .on('end', () => resolve(answer))
      .on('error', reject)
      .end(Buffer.concat([Buffer.from('zINSTREAM\0'), length, Buffer.from(content), Buffer.alloc(4)]))
  })
}
