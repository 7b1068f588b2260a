import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inRounds } from './rounds.ts'

test('what comes together is dealt with in one round, what comes late in another', async () => {
  const late = Promise.withResolvers<string>()
  const rounds: string[][] = []
  const done = inRounds([Promise.resolve('a'), late.promise, Promise.resolve('b')], 20, async (results) => {
    rounds.push(results)
    late.resolve('c')
  })
  await done
  assert.deepEqual(rounds, [['a', 'b'], ['c']])
})

test('a failure keeps nothing else from being dealt with, and is told at the end', async () => {
  const rounds: string[][] = []
  const works = [Promise.reject(new Error('work')), Promise.resolve('a')]
  await assert.rejects(
    inRounds(works, 20, async (results) => void rounds.push(results)),
    /work/,
  )
  assert.deepEqual(rounds, [['a']])
  await assert.rejects(
    inRounds([Promise.resolve('a')], 20, () => Promise.reject(new Error('dealing'))),
    /dealing/,
  )
  await inRounds([], 20, () => assert.fail('there is nothing to deal with'))
})
