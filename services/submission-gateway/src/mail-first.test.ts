// What a mail waits for goes ahead of the checks of guesses.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ALICE, listen, loggedIn, portsThatNote } from './testing/submission.ts'

test('the questions of MAIL and RCPT and the way into the queue go first, a login and the receipt of content do not', async () => {
  const { ports } = portsThatNote()
  const first: string[] = []
  const last: string[] = []
  let underWay = 0
  const noted = <Given extends unknown[], Answer>(name: string, ask: (...given: Given) => Promise<Answer>) => {
    return (...given: Given) => {
      const seen = underWay > 0 ? first : last
      seen.push(name)
      return ask(...given)
    }
  }
  await using listener = await listen(
    {
      ...ports,
      async mailFirst(work) {
        underWay += 1
        try {
          return await work()
        } finally {
          underWay -= 1
        }
      },
      login: noted('login', ports.login),
      sendingState: noted('sendingState', ports.sendingState),
      sendingLimits: noted('sendingLimits', ports.sendingLimits),
      directory: { ...ports.directory, lookup: noted('lookup', ports.directory.lookup) },
      store: noted('store', ports.store),
      publish: noted('publish', ports.publish),
    },
    'implicit',
  )
  await using client = await loggedIn(listener.port)
  await client.say(`MAIL FROM:<${ALICE}>`, 250)
  await client.say('RCPT TO:<bob@example.test>', 250)
  assert.deepEqual(new Set(first), new Set(['sendingState', 'sendingLimits', 'lookup']))
  await client.say('RSET', 250)
  const text = `From: ${ALICE}\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(100)}`
  await client.send({ mailFrom: ALICE, recipients: ['bob@example.test'] }, text)
  assert.ok(first.includes('publish'))
  assert.ok(last.includes('login') && last.includes('store'))
  assert.ok(!first.includes('store'))
})
