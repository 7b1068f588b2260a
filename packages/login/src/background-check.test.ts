// argon2 in threads of its own: right and wrong, several at once, what can't be read, and with what priority.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
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

test('the thread has the lowest priority, the process keeps its own', { skip: process.platform !== 'linux' }, () => {
  // proc(5): the nice value is the 19th field; the second one, the name in parentheses, may hold spaces.
  const niceOf = (tid: string) =>
    Number(
      readFileSync(`/proc/self/task/${tid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')[16],
    )
  const values = new Map(readdirSync('/proc/self/task').map((tid) => [tid, niceOf(tid)]))
  assert.ok([...values.values()].includes(19), [...values.values()].join())
  assert.notEqual(values.get(String(process.pid)), 19)
})
