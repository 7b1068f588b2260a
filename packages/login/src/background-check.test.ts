// argon2 in processes of its own: right and wrong, several at once, what can't be read, with what priority, and when the machine
// is never idle.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { after, test } from 'node:test'
import { hashPassword } from '@sekimori/store/password'
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

/** Takes a check and never ends it, like a process that gets no time. */
function startStopped(): ChildProcess {
  const child = spawn(process.execPath, ['-e', 'process.on("message", () => {})'], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  stopped.push(child)
  return child
}

/** The processes of this one that check passwords. */
function checkers(): string[] {
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter((pid) => fieldsOf(pid)[1] === String(process.pid))
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
