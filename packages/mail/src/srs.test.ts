// Rewritten reverse-paths: whole again for us, worthless to others, and not for ever.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isTooLong, reverseSender, rewriteSender, senderToken, shortSender } from './srs.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-03-02T12:00:00Z')
const key = { secret: 'a secret', maxAgeMs: 10 * DAY_MS }
const rewrite = (mailFrom: string) => rewriteSender(key, mailFrom, 'here.test', NOW)!

test('a sender is rewritten to an address of ours, and comes back from it whatever its case became', () => {
  const address = rewrite('Eve.X@stranger.test')
  assert.match(address, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=stranger\.test=Eve\.X@here\.test$/)
  assert.deepEqual(reverseSender(key, address, NOW), { kind: 'reversed', address: 'Eve.X@stranger.test' })
  assert.deepEqual(reverseSender(key, address.toLowerCase(), NOW), { kind: 'reversed', address: 'eve.x@stranger.test' })
})

test('a local part with the signs of the scheme in it comes back whole', () => {
  for (const mailFrom of ['a=b=c@stranger.test', 'a+b-c@stranger.test', '利用者@stranger.test'])
    assert.deepEqual(reverseSender(key, rewrite(mailFrom), NOW), { kind: 'reversed', address: mailFrom })
})

test('a sender that another server rewrote becomes SRS1, and one hop more changes only the hash', () => {
  const first = 'SRS0=abcd=xy=origin.test=eve@middle.test'
  const second = rewrite(first)
  assert.match(second, /^SRS1=[a-z2-7]{8}=middle\.test==abcd=xy=origin\.test=eve@here\.test$/)
  assert.deepEqual(reverseSender(key, second, NOW), { kind: 'reversed', address: first })
  const third = rewriteSender({ ...key, secret: 'other' }, second, 'third.test', NOW)!
  assert.match(third, /^SRS1=[a-z2-7]{8}=middle\.test==abcd=xy=origin\.test=eve@third\.test$/)
})

test('what we did not make is forged, what is old is expired, and other addresses are none of it', () => {
  const address = rewrite('eve@stranger.test')
  const forgeries = [
    address.replace('stranger', 'victim'),
    address.replace('eve', 'adam'),
    address.replace(/^SRS0=./, (start) => (start.endsWith('a') ? 'SRS0=b' : 'SRS0=a')),
    rewriteSender({ ...key, secret: 'guessed' }, 'eve@stranger.test', 'here.test', NOW)!,
    'SRS0=x@here.test',
    'SRS1=x=y@here.test',
    'srs0==@here.test',
  ]
  for (const forged of forgeries) assert.deepEqual(reverseSender(key, forged, NOW), { kind: 'forged' }, forged)
  assert.equal(reverseSender(key, address, NOW + 10 * DAY_MS).kind, 'reversed')
  assert.deepEqual(reverseSender(key, address, NOW + 12 * DAY_MS), { kind: 'expired' })
  assert.deepEqual(reverseSender(key, 'bob@here.test', NOW), { kind: 'none' })
})

test('what can not stand in a reverse-path is not put into one', () => {
  for (const mailFrom of ['"a b"@stranger.test', 'eve', '@x.test', 'eve@a=b.test'])
    assert.equal(rewriteSender(key, mailFrom, 'here.test', NOW), undefined)
})

test('a sender that is kept under a token has a short address, signed and expiring like the others', () => {
  const token = senderToken(key, 'eve@stranger.test')
  assert.equal(senderToken(key, 'eve@stranger.test'), token)
  assert.notEqual(senderToken({ ...key, secret: 'other' }, 'eve@stranger.test'), token)
  const address = shortSender(key, token, 'here.test', NOW)
  assert.match(address, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=[a-z2-7]{20}@here\.test$/)
  assert.deepEqual(reverseSender(key, address, NOW), { kind: 'kept', token })
  assert.deepEqual(reverseSender(key, address.toUpperCase(), NOW), { kind: 'kept', token })
  const other = senderToken(key, 'adam@stranger.test')
  assert.deepEqual(reverseSender(key, address.replace(token, other), NOW), { kind: 'forged' })
  assert.deepEqual(reverseSender(key, address.replace(/=..=/, '=aa='), NOW), { kind: 'forged' })
  assert.deepEqual(reverseSender(key, address, NOW + 12 * DAY_MS), { kind: 'expired' })
})

test('other servers that rewrite a short address lead back to it', () => {
  const address = shortSender(key, senderToken(key, 'eve@stranger.test'), 'here.test', NOW)
  const further = rewriteSender({ ...key, secret: 'theirs' }, address, 'next.test', NOW)!
  assert.deepEqual(reverseSender({ ...key, secret: 'theirs' }, further, NOW), { kind: 'reversed', address })
})

test('a local part may have 64 octets', () => {
  assert.equal(isTooLong(`${'a'.repeat(64)}@here.test`), false)
  assert.equal(isTooLong(`${'a'.repeat(65)}@here.test`), true)
  assert.equal(isTooLong(`${'関'.repeat(22)}@here.test`), true)
})
