// What a maildrop of 100,000 messages costs in looks at its list: a few for each message when all are listed, none for
// the others when one is meant. Time tells nothing on a busy machine; looks can be counted.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const MESSAGES = 100_000
const LOOKS_AT_EACH = 6
const SINGLES = 2_000

/** A list that counts how often one of its messages is looked at. */
function countedMessages() {
  let looks = 0
  const messages = Array.from({ length: MESSAGES }, (_, index) => ({ uid: index + 1, sizeBytes: 10 }))
  const counted = new Proxy(messages, {
    get: (target, key) => {
      if (typeof key === 'string' && /^\d/.test(key)) looks += 1
      return Reflect.get(target, key)
    },
  })
  return { messages: counted, looks: () => looks }
}

test('100,000 messages are opened and listed with a few looks at each, and single ones without a look at the others', async () => {
  const { messages, looks } = countedMessages()
  await using server = await startServer(portsWith(maildropOf([], { messages })))
  await using client = await WireClient.login(server.pop3sPort)
  for (const command of ['STAT', 'LIST', 'UIDL']) {
    client.send(`${command}\r\n`)
    if (command === 'STAT') await client.line()
    else assert.ok((await client.countUntilEnd()) > MESSAGES * 5)
  }
  const afterListing = looks()
  assert.ok(afterListing <= LOOKS_AT_EACH * MESSAGES, `${afterListing} looks`)
  const single = (number: number) => `STAT\r\nLIST ${number}\r\nUIDL ${number}\r\nDELE ${number}\r\nSTAT\r\nNOOP\r\n`
  client.send(Array.from({ length: SINGLES }, (_, index) => single(MESSAGES - index)).join(''))
  client.send('LIST 1\r\n')
  await client.until('\r\n+OK 1 10\r\n')
  const forSingles = looks() - afterListing
  assert.ok(forSingles <= SINGLES * 20, `${forSingles} looks for ${SINGLES} messages`)
  client.send('RSET\r\nSTAT\r\nQUIT\r\n')
  assert.match(await client.rest(), new RegExp(`\\+OK ${MESSAGES} ${MESSAGES * 10}\r\n\\+OK Bye\r\n$`))
  assert.ok(looks() - afterListing - forSingles <= LOOKS_AT_EACH * MESSAGES)
})
