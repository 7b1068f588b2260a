import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dependencies } from './dependency.ts'

test('work waits until every dependency is back', async () => {
  const changes: string[] = []
  const dependencies = new Dependencies((name, isUp) => changes.push(`${name} ${isUp}`))
  const never = new AbortController().signal
  dependencies.down('postgres', 'refused')
  dependencies.down('clamd', 'refused')
  let proceeded = false
  const waiting = dependencies.whenUp(never).then(() => {
    proceeded = true
  })
  dependencies.up('postgres')
  await Promise.resolve()
  assert.equal(proceeded, false)
  dependencies.up('clamd')
  await waiting
  assert.deepEqual(changes, ['postgres false', 'clamd false', 'postgres true', 'clamd true'])
  await dependencies.whenUp(never)
})

test('a stop ends the wait', async () => {
  const dependencies = new Dependencies()
  dependencies.down('postgres', 'refused')
  const stop = new AbortController()
  const waiting = dependencies.whenUp(stop.signal)
  stop.abort()
  await waiting
  assert.deepEqual(dependencies.away(), { postgres: 'refused' })
})
