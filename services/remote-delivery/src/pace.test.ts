// What one destination is given: starts of dialogues in a second as well as dialogues at a time, less after 421 and 451.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deferred, type Outcome, rejected } from './outcome.ts'
import { Pace } from './pace.ts'

const limits = { perDestination: 8, ratePerSecond: 100 }
const taken: Outcome = { kind: 'sent', reply: '250 ok', remoteMta: 'mx' }
const tooMuch = deferred('4.3.2', '421 4.3.2 too much')

/** How many dialogues begin in the second after `now`. */
function startsInASecond(pace: Pace, now: number): number {
  let starts = 0
  for (let at = now; ; starts++) {
    at += pace.waitMs(at)
    if (at >= now + 1_000 || starts > 1_000) return starts
    pace.start(at)
  }
}

test('the starts in a second are limited, however soon the dialogues end', () => {
  const pace = new Pace(limits)
  const starts = startsInASecond(pace, 0)
  assert.ok(starts >= 100 && starts <= 100 + limits.perDestination, `${starts}`)
  assert.ok(startsInASecond(pace, 1_000) <= 101)
})

const warnings: [Outcome, boolean][] = [
  [tooMuch, true],
  [deferred('4.7.0', '451 4.7.0 slower, please'), true],
  [deferred('4.4.1', 'mx: connection refused'), true],
  [deferred('4.4.2', 'The connection was lost'), true],
  [deferred('4.2.1', '450 4.2.1 the mailbox is busy'), false],
  [deferred('4.2.2', '452 4.2.2 the mailbox is full'), false],
  [rejected('5.1.1', '550 5.1.1 nobody: 421 451'), false],
]
for (const [outcome, isWarning] of warnings)
  test(`"${outcome.kind === 'sent' ? '' : outcome.diagnostic}" ${isWarning ? 'lowers' : 'leaves'} both limits`, () => {
    const pace = new Pace(limits)
    pace.learn([taken, outcome], 0, 1_000)
    assert.equal(pace.dialogues, isWarning ? 4 : 8)
    const starts = startsInASecond(pace, 1_000)
    if (isWarning) assert.ok(starts <= 8, `${starts}`)
    else assert.ok(starts >= 100, `${starts}`)
  })

test('dialogues that were under way together are one warning, and one that began later another', () => {
  const pace = new Pace(limits)
  for (let dialogue = 0; dialogue < 8; dialogue++) pace.learn([tooMuch], dialogue, 1_000 + dialogue)
  assert.equal(pace.dialogues, 4)
  pace.learn([tooMuch], 1_500, 1_600)
  assert.equal(pace.dialogues, 2)
  for (let again = 2; again < 20; again++) pace.learn([tooMuch], again * 1_000, again * 1_000 + 1)
  assert.equal(pace.dialogues, 1, 'one goes on always')
  assert.ok(pace.waitMs(19_001) <= 30_000, 'and twice a minute at the least')
})

test('mail that is taken raises both slowly, up to the limits', () => {
  const pace = new Pace(limits)
  for (const at of [1, 2, 3]) pace.learn([tooMuch], at * 10, at * 10 + 1)
  assert.equal(pace.dialogues, 1)
  for (let mails = 0; mails < 5; mails++) pace.learn([taken], 100, 200)
  assert.ok(pace.dialogues > 1 && pace.dialogues <= 4, 'a mail adds less than one dialogue')
  assert.ok(startsInASecond(pace, 200) <= 8, 'many mails in one second raise the rate no more than one')
  let seconds = 0
  while (startsInASecond(pace, 1_000 * ++seconds) < 90) pace.learn([taken], 1_000 * seconds, 1_000 * seconds + 999)
  assert.ok(seconds >= 8 && seconds <= 60, `${seconds}`)
  for (let mails = 0; mails < 200; mails++) pace.learn([taken], 70_000, 80_000)
  assert.equal(pace.dialogues, limits.perDestination)
})
