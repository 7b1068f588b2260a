// LANG (RFC 6856 section 3): replies in Japanese or English, as the client asks; codes and figures are the same in both.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Ports } from './ports.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'
import { texts } from './texts.ts'

const JAPANESE = /[\u3040-\u30ff\u4e00-\u9fff]/
const PLAIN = Buffer.from('\0bob@example.test\0secret').toString('base64')

/** What a line that came as octets says. */
const utf8 = (line: string) => Buffer.from(line, 'latin1').toString('utf8')

async function say(client: WireClient, command: string): Promise<string> {
  return utf8(await client.say(command))
}

test('RFC 6856 3.2 LANG lists the languages, and CAPA announces it, in both states', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  const check = async () => {
    assert.ok((await client.sayMulti('CAPA')).includes('LANG'))
    assert.deepEqual((await client.sayMulti('lang')).map(utf8), ['en English', 'ja 日本語'])
  }
  await check()
  await client.say(`AUTH PLAIN ${PLAIN}`)
  await check()
})

test('RFC 6856 3.2 LANG names the tag that it has chosen, and its reply is in that language already', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  for (const range of ['ja', 'JA-jp', '*']) {
    assert.match(await say(client, `LANG ${range}`), /^\+OK ja 日本語で/, range)
    assert.equal(await say(client, 'NOOP'), '-ERR 先にログインしてください')
    assert.match(await say(client, 'LANG en'), /^\+OK en Replies are in English$/)
    assert.equal(await say(client, 'NOOP'), '-ERR Log in first')
  }
})

test('RFC 6856 3.2 an unknown language is -ERR, in the language of before, which stays', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  await client.say('LANG ja')
  for (const range of ['sv', 'x', 'toString', 'ja_JP', 'jaja-ja', 'ja!', 'en ja'])
    assert.match(await say(client, `LANG ${range}`), /^-ERR .*[\u3040-\u30ff]/, range)
  assert.equal(await say(client, 'NOOP'), '-ERR 先にログインしてください')
})

test('until a client asks, replies are in ASCII; what the operator prefers is for LANG * only', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { preferredLanguage: 'en' })
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await client.say('NOOP'), '-ERR Log in first')
  await client.say('LANG ja')
  assert.equal(await say(client, 'LANG *'), '+OK en Replies are in English')
})

test('RFC 2595 section 4: a language that was asked for before TLS is forgotten', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  await client.say('LANG ja')
  assert.match(await say(client, 'STLS'), /^\+OK .*[\u3040-\u30ff]/)
  await client.startTls()
  assert.equal(await client.say('NOOP'), '-ERR Log in first')
})

test('what users see of a failed login is in their language, behind the same response code', async () => {
  const outcomes = { refused: 'AUTH', slowed: 'SYS/TEMP', unavailable: 'SYS/TEMP' } as const
  for (const [kind, code] of Object.entries(outcomes)) {
    const login: Ports['login'] = async () => ({ kind: kind as keyof typeof outcomes })
    await using server = await startServer({ ...portsWith(maildropOf([])), login })
    await using client = await WireClient.dialTls(server.pop3sPort)
    const english = await say(client, `AUTH PLAIN ${PLAIN}`)
    await client.say('LANG ja')
    const japanese = await say(client, `AUTH PLAIN ${PLAIN}`)
    for (const reply of [english, japanese]) assert.ok(reply.startsWith(`-ERR [${code}] `), reply)
    assert.ok(!JAPANESE.test(english) && JAPANESE.test(japanese), japanese)
  }
})

test('the language lasts from before the login to the goodbye, and in-use is said in it', async () => {
  const maildrop = maildropOf(['a: b\r\n\r\n'])
  let isInUse = true
  const ports: Ports = {
    ...portsWith(maildrop),
    openMaildrop: async () => (isInUse ? { kind: 'in-use' } : { kind: 'open', maildrop }),
  }
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  await client.say('LANG ja')
  assert.equal(await say(client, `AUTH PLAIN ${PLAIN}`), '-ERR [IN-USE] メールボックスは別の接続で使用中です')
  isInUse = false
  assert.equal(await say(client, `AUTH PLAIN ${PLAIN}`), '+OK 1 通 (8 オクテット)')
  assert.equal(await say(client, 'STAT'), '+OK 1 8')
  assert.equal(await say(client, 'LIST 1'), '+OK 1 8')
  assert.deepEqual(await client.sayMulti('UIDL'), ['1 101'])
  assert.equal(await say(client, 'DELE 1'), '+OK メール 1 に削除の印を付けました')
  assert.equal(await say(client, 'RETR 1'), '-ERR メール 1 には削除の印が付いています')
  assert.match(await say(client, 'TOP'), /^-ERR TOP には.*必要です$/)
  assert.equal(await say(client, 'QUIT'), '+OK 1 通を削除しました。さようなら')
})

test('who is shed is told so in the language that it asked for', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { maxSessions: 1 })
  await using oldest = await WireClient.dial(server.pop3Port)
  await oldest.say('LANG ja')
  await using _user = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  assert.equal(utf8(await oldest.rest()), `-ERR [SYS/TEMP] ${texts.shed.ja}\r\n`)
})

test('RFC 2449 section 4: every text fits into a reply line, in every language, and English is ASCII', () => {
  for (const text of Object.values(texts)) {
    const { en, ja } = typeof text === 'string' ? { en: text, ja: text } : text
    assert.match(en, /^[ -~]+$/)
    for (const shown of [en, ja]) assert.ok(Buffer.byteLength(`-ERR [SYS/TEMP] ${shown}\r\n`) <= 512, shown)
  }
})
