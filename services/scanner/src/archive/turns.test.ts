import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from './turns.ts'

test('whoever comes first walks first, and slow mails leave the quick lane to others', async () => {
  const turns = new Turns(['a'], ['quick'])
  const first = await turns.take(false)
  assert.deepEqual(first, { lane: 'all', thread: 'a' })
  const begun: string[] = []
  const take = async (name: string, isSlow: boolean) => {
    const turn = await turns.take(isSlow)
    begun.push(`${name} ${turn.lane}`)
    return turn
  }
  const slow = take('slow', true)
  const quick = await take('quick', false)
  const later = take('later', false)
  assert.deepEqual(begun, ['quick quick'])
  turns.giveBack(quick)
  turns.giveBack(await later)
  turns.giveBack(first)
  turns.giveBack(await slow)
  assert.deepEqual(begun, ['quick quick', 'later quick', 'slow all'])
})
