// Which acknowledgements reach the broker: one for all up to the first message that is not done, and no message too many.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { Acknowledgements } from './acknowledgements.ts'

function acknowledging(...delivered: number[]) {
  const sent: string[] = []
  const acknowledgements = new Acknowledgements<number>((tag, isAllUpTo) => {
    sent.push(isAllUpTo ? `up to ${tag}` : `${tag}`)
  })
  for (const tag of delivered) acknowledgements.delivered(tag)
  return { acknowledgements, sent }
}

test('messages that are done together take one acknowledgement, in whatever order they were done', () => {
  const { acknowledgements, sent } = acknowledging(1, 2, 3, 4)
  for (const tag of [3, 1, 2]) acknowledgements.done(tag)
  acknowledgements.flush()
  acknowledgements.flush()
  assert.deepEqual(sent, ['up to 3'])
})

test('what was delivered after a message that is not done is acknowledged by itself, and the message when it is done', () => {
  const { acknowledgements, sent } = acknowledging(1, 2, 3, 4)
  for (const tag of [1, 3, 4]) acknowledgements.done(tag)
  acknowledgements.flush()
  assert.deepEqual(sent, ['up to 1', '3', '4'])
  acknowledgements.delivered(5)
  for (const tag of [5, 2]) acknowledgements.done(tag)
  acknowledgements.flush()
  assert.deepEqual(sent.slice(3), ['up to 5'])
})

test('nothing is acknowledged that is not done', () => {
  const { acknowledgements, sent } = acknowledging(1, 2)
  acknowledgements.flush()
  assert.deepEqual(sent, [])
})

test('acknowledgements go without further ado soon after', async () => {
  const { acknowledgements, sent } = acknowledging(1, 2)
  acknowledgements.done(1)
  assert.deepEqual(sent, [])
  await eventually(() => sent.length === 1)
  acknowledgements.done(2)
  await eventually(() => sent.length === 2)
  assert.deepEqual(sent, ['up to 1', 'up to 2'])
})
