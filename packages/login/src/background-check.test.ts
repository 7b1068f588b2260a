// argon2 in processes of its own: right and wrong, several at once, what can't be read, with what priority, and when the machine
// is never idle.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { hashPassword } from '@sekimori/store/password'
import { eventually } from '@sekimori/testing/eventually'
import { BackgroundCheck, isPasswordInBackground } from './background-check.ts'

const SCHED_IDLE = '5'
const stopped: ChildProcess[] = []
after(() => {
  for (const child of stopped) child.kill('SIGKILL')
})

test('it tells right from wrong, several at a time', async () => {
  const encoded = await hashPassword('right')
  const answers = await Promise.all(
    ['right', 'wrong', 'right'].map((password) => isPasswordInBackground(encoded, password)),
  )
  assert.deepEqual(answers, [true, false, true])
})

test('a hash that can not be read is an error of its own check, and the next one goes on', async () => {
  await assert.rejects(isPasswordInBackground('no hash', 'x'))
  assert.equal(await isPasswordInBackground(await hashPassword('a'), 'a'), true)
})

test('its processes run when nothing else wants to, or at a lower priority than this one, and have none of its secrets', async () => {
  await new BackgroundCheck(undefined, 5_000).isPassword(await hashPassword('a'), 'a')
  const children = checkers()
  assert.ok(children.some((pid) => policyOf(pid) === SCHED_IDLE))
  for (const pid of children) {
    assert.ok(policyOf(pid) === SCHED_IDLE || getPriority(Number(pid)) === 10)
    assert.doesNotMatch(read(pid, 'environ'), /PATH=|DATABASE_URL/)
  }
})

test('on a machine that is never idle a check is done at low priority, and no others wait for the one that does not end', async () => {
  const check = new BackgroundCheck(startStopped, 1)
  const encoded = await hashPassword('a')
  assert.equal(await check.isPassword(encoded, 'a'), true)
  assert.equal(await check.isPassword(encoded, 'b'), false)
  assert.equal(stopped.length, 1)
})

test('where no such process can be had, another one checks, and no more are tried', async () => {
  let tried = 0
  const check = new BackgroundCheck(() => {
    tried += 1
    return spawn('no-such-program-as-chrt', [], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  }, 60_000)
  const encoded = await hashPassword('a')
  assert.equal(await check.isPassword(encoded, 'a'), true)
  assert.equal(await check.isPassword(encoded, 'b'), false)
  assert.equal(tried, 1)
})

test('a check that is held back stands still, one that comes meanwhile as well, and both end when they may go on', async () => {
  const check = new BackgroundCheck(startNow, 600_000)
  const encoded = await hashPassword('a')
  await check.isPassword(encoded, 'a') // it has a process now
  const before = new Set(checkers())
  check.pause()
  const answers = Promise.all([check.isPassword(encoded, 'a'), check.isPassword(encoded, 'b')])
  const standing = () => checkers().filter((pid) => fieldsOf(pid)[0] === 'T')
  await eventually(() => standing().length >= 2 && standing().some((pid) => !before.has(pid)))
  check.resume()
  assert.deepEqual(await answers, [true, false])
  assert.deepEqual(standing(), [])
})

test('a process that stands still ends with its parent, even when that is killed', async () => {
  const program = `
    import { BackgroundCheck } from ${JSON.stringify(new URL('./background-check.ts', import.meta.url).href)}
    const check = new BackgroundCheck(undefined, 600_000)
    check.pause()
    check.isPassword('no hash', 'a')`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' })
  stopped.push(parent)
  const standing = () => checkersOf(parent.pid!).filter((pid) => fieldsOf(pid)[0] === 'T')
  const [pid] = await eventually(() => (standing().length > 0 ? standing() : undefined), { withinMs: 180_000 })
  parent.kill('SIGKILL')
  await eventually(() => read(pid!, 'cmdline') === '')
})

/** As the process for idle time, but at once, however busy the machine is. */
function startNow(): ChildProcess {
  const program = fileURLToPath(new URL('./background-process.ts', import.meta.url))
  return spawn(process.execPath, [program], { env: {}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
}

/** Takes a check and never ends it, like a process that gets no time. */
function startStopped(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'process.on("message", () => {})'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  stopped.push(child)
  return child
}

/** The processes of this one that check passwords. */
const checkers = () => checkersOf(process.pid)

function checkersOf(parent: number): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => fieldsOf(pid)[1] === String(parent))
    .filter((pid) => read(pid, 'cmdline').includes('background-process'))
}

function policyOf(pid: string): string | undefined {
  return fieldsOf(pid)[38]
}

/** From the state on (proc(5), stat): the command's name may hold spaces. */
function fieldsOf(pid: string): string[] {
  return read(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')
}

/** A file of /proc; nothing for a process that has just ended. */
function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return ''
  }
}
