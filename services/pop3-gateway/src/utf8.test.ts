// POP3 in UTF-8 (RFC 6856): when it may be asked for, what it changes, and which names and passwords are taken.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from './ports.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

/** A world that notes who logged in, and who asked for UTF-8. */
function noting() {
  const asked: boolean[] = []
  const names: string[] = []
  const ports: Ports = {
    ...portsWith(maildropOf([])),
    login: async (address, password) => {
      names.push(`${address} ${password}`)
      return { kind: 'ok', account: { id: 1, address } }
    },
    openMaildrop: async (_account, isUtf8) => {
      asked.push(isUtf8)
      return { kind: 'open', maildrop: maildropOf([]) }
    },
  }
  return { asked, names, ports }
}

test('RFC 6856 2.1 UTF8 comes before the login and counts for the session; it takes no argument', async () => {
  const { asked, ports } = noting()
  await using server = await startServer(ports)
  for (const isUtf8 of [true, false]) {
    await using client = await WireClient.dialTls(server.pop3sPort)
    assert.match(await client.say('UTF8 now'), /^-ERR /)
    if (isUtf8) assert.match(await client.say('utf8'), /^\+OK/)
    await client.say('USER bob@example.test')
    assert.match(await client.say('PASS x'), /^\+OK/)
    assert.match(await client.say('UTF8'), /^-ERR /)
  }
  assert.deepEqual(asked, [true, false])
})

test('RFC 6856 2.1 STLS after UTF8 is refused, and UTF8 after STLS is not', async () => {
  const { asked, ports } = noting()
  await using server = await startServer(ports)
  await using hasty = await WireClient.dial(server.pop3Port)
  assert.match(await hasty.say('UTF8'), /^\+OK/)
  assert.match(await hasty.say('STLS'), /^-ERR /)
  await using client = await WireClient.dial(server.pop3Port)
  await client.say('STLS')
  await client.startTls()
  assert.match(await client.say('UTF8'), /^\+OK/)
  await client.say('USER bob@example.test')
  await client.say('PASS x')
  assert.deepEqual(asked, [true])
})

test('RFC 6856 2.2 names and passwords may be in UTF-8, but not of characters that nobody can type or see', async () => {
  const { names, ports } = noting()
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  for (const text of ['\u202e', '\ue000', '\ufffd', '\u2028', '\ufdd0']) {
    assert.match(await client.say(`USER a${text}@example.test`), /^-ERR The line has characters/)
    const plain = Buffer.from(`\0a\0b${text}`).toString('base64')
    assert.match(await client.say(`AUTH PLAIN ${plain}`), /^-ERR The response can not/)
  }
  await client.say('USER 花子@example.test')
  assert.match(await client.say('PASS 秘密 の言葉'), /^\+OK/)
  assert.deepEqual(names, ['花子@example.test 秘密 の言葉'])
})
