// Rewritten senders of every length, on a real Postgres.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooLong } from '@sekimori/mail/srs'
import { createTestDatabase } from '@sekimori/testing/test-database'
import { forgetSenders, openSenderRewriting } from './sender-rewriting.ts'

const DAY_MS = 86_400_000
const key = { secret: 'a secret', maxAgeMs: 10 * DAY_MS }
const LONG = 'bounces+1234567-Abcd-somebody=their-domain.example@mail.news.stranger.example'

test('no rewritten sender is longer than a local part may be, and each leads back to the whole address', async () => {
  await using stack = await createTestDatabase()
  const { rewrite, reverse } = openSenderRewriting(stack.database, key)
  const rest = '=HHHH=TT=a-domain-with-a-long-name.example=somebody.with.a.long.name'
  const senders = [
    ['eve@stranger.test', 'eve@stranger.test'],
    [LONG, LONG],
    [`${'関'.repeat(20)}@stranger.test`, `${'関'.repeat(20)}@stranger.test`],
    [`SRS0${rest}@first.example`, `SRS0${rest}@first.example`],
    [`SRS1=GGGG=first.example=${rest}@second.example`, `SRS0${rest}@first.example`],
  ] as const
  for (const [sender, home] of senders) {
    const address = (await rewrite(sender, 'here.test'))!
    assert.equal(isTooLong(address), false, address)
    assert.deepEqual(await reverse(address), { kind: 'reversed', address: home })
    assert.deepEqual(await reverse(address.toLowerCase()), {
      kind: 'reversed',
      address: sender.startsWith('eve') ? home.toLowerCase() : home,
    })
  }
})

test('a sender is kept once, by whatever replica, and while bounces are taken', async () => {
  await using stack = await createTestDatabase()
  const { database } = stack
  const { rewrite, reverse } = openSenderRewriting(database, key)
  const address = (await rewrite(LONG, 'here.test'))!
  const another = (await openSenderRewriting(database, key).rewrite(LONG, 'here.test'))!
  assert.equal(another.split('=').at(-1), address.split('=').at(-1))
  const age = async (days: number) =>
    void (await database.query(`update srs_sender set used_at = now() - make_interval(days => $1)`, [days]))
  await age(11)
  assert.equal(await forgetSenders(database, key.maxAgeMs), 0)
  await age(13)
  await rewrite(LONG, 'here.test') // used again
  assert.equal(await forgetSenders(database, key.maxAgeMs), 0)
  assert.deepEqual(await reverse(address), { kind: 'reversed', address: LONG })
  await age(13)
  assert.equal(await forgetSenders(database, key.maxAgeMs), 1)
  assert.deepEqual(await reverse(address), { kind: 'expired' })
})
