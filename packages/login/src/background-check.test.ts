// argon2 in processes of its own: right and wrong, several at once, what can't be read, and with what priority.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { test } from 'node:test'
import { hashPassword } from '@sekimori/store/password'
import { isPasswordInBackground } from './background-check.ts'

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

test('its processes have a lower priority than this one, and none of its secrets', () => {
  const children = readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid))
    .filter(
      (pid) =>
        read(pid, 'stat')
          .replace(/^.*\) /s, '')
          .split(' ')[1] === String(process.pid),
    )
    .filter((pid) => read(pid, 'cmdline').includes('background-process'))
  assert.ok(children.length > 0)
  for (const pid of children) {
    assert.equal(getPriority(Number(pid)), 10)
    assert.doesNotMatch(read(pid, 'environ'), /PATH=|DATABASE_URL/)
  }
})

/** A file of /proc; nothing for a process that has just ended. */
function read(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'latin1')
  } catch {
    return ''
  }
}
