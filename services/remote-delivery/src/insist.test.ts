import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Dependencies, DependencyAway } from '@sekimori/runtime/dependency'
import { insist } from './insist.ts'
import { inTurns } from './turns.ts'

const go = new AbortController().signal

test('a result is written however long the database is away', async () => {
  const dependencies = new Dependencies()
  let tries = 0
  const writing = insist(
    async () => {
      if (++tries > 6) return 'written'
      throw new DependencyAway('postgres')
    },
    dependencies,
    go,
  )
  assert.equal(await writing, 'written')
})

test('while the dependency is known to be away nothing is tried', async () => {
  const dependencies = new Dependencies()
  const away: number[] = []
  const writing = insist(
    async () => {
      away.push(Object.keys(dependencies.away()).length)
      if (away.length > 1) return 'written'
      dependencies.down('postgres', 'refused')
      setTimeout(() => dependencies.up('postgres'), 400)
      throw new DependencyAway('postgres')
    },
    dependencies,
    go,
  )
  assert.equal(await writing, 'written')
  assert.deepEqual(away, [0, 0])
})

test('work that fails for another reason is given up after some tries', async () => {
  let tries = 0
  const failing = insist(() => Promise.reject(new Error(`no ${++tries}`)), new Dependencies(), go)
  await assert.rejects(failing, /no 5/)
})

test('when there is no more time the next failure is final', async () => {
  const stop = new AbortController()
  stop.abort()
  await assert.rejects(
    insist(() => Promise.reject(new DependencyAway('postgres')), new Dependencies(), stop.signal),
    DependencyAway,
  )
})

test('the same mail is worked on once at a time, other mail meanwhile', async () => {
  const steps: string[] = []
  const gates = new Map<string, () => void>()
  const work = inTurns(
    (name: string) => name[0]!,
    async (name) => {
      steps.push(`begin ${name}`)
      await new Promise<void>((resolve) => gates.set(name, resolve))
      steps.push(`end ${name}`)
      if (name === 'a1') throw new Error('not decided')
    },
  )
  const [a1, a2, b1] = [work('a1'), work('a2'), work('b1')]
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(steps, ['begin a1', 'begin b1'])
  gates.get('a1')!()
  await assert.rejects(a1, /not decided/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(steps, ['begin a1', 'begin b1', 'end a1', 'begin a2'])
  gates.get('a2')!()
  gates.get('b1')!()
  await Promise.all([a2, b1])
})
