// Who gives way when all places are taken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whoGivesWay } from './shedding.ts'

const held = (network: string, idleMs: number) => ({ network, idleMs })

test('the network with most places gives way first, with the one that it has held longest', () => {
  const holders = [held('a', 90), held('b', 20), held('b', 30), held('b', 10), held('c', 80), held('c', 70)]
  assert.deepEqual(whoGivesWay(holders, 0), held('b', 30))
})

test('of networks with as many places, the longest idle one gives way', () => {
  assert.deepEqual(whoGivesWay([held('a', 5), held('b', 7), held('c', 6)], 0), held('b', 7))
})

test('places that were used a moment ago do not count', () => {
  const holders = [held('a', 4), held('a', 4), held('a', 4), held('b', 5)]
  assert.deepEqual(whoGivesWay(holders, 5), held('b', 5))
  assert.equal(whoGivesWay(holders, 6), undefined)
  assert.equal(whoGivesWay([], 0), undefined)
})
