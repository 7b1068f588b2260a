// The POP3 dialer against scripted answers: what it reads, byte for byte, and how it fails.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { test } from 'node:test'
import type { Endpoint } from './line-socket.ts'
import { LineSocket } from './line-socket.ts'
import { dialPop3 } from './pop3-dialer.ts'
import { makeTestCertificate } from './test-certificate.ts'

type Certificate = { cert: string; key: string }

/** Answers each command by the text that `replies` has for it; STLS is carried out. */
async function serve(replies: Record<string, string>, certificate?: Certificate): Promise<Endpoint & AsyncDisposable> {
  const converse = async (socket: LineSocket) => {
    await socket.write(replies.greeting ?? '+OK ready\r\n')
    for (;;) {
      const command = await socket.readLine()
      await socket.write(replies[command] ?? '-ERR what?\r\n')
      if (command === 'STLS' && certificate !== undefined) await socket.acceptTls(certificate)
      if (command === 'QUIT') return socket.end()
    }
  }
  const server = net.createServer((socket) => {
    const lines = new LineSocket(socket, 10_000)
    converse(lines).catch(() => lines.close())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { host: '127.0.0.1', port, [Symbol.asyncDispose]: async () => void server.close() }
}

test('a session: STLS, login, listing, a mail byte for byte, deletion, the end', async () => {
  const certificate = await makeTestCertificate('127.0.0.1')
  const mail = 'A: b\r\n\r\n..\r\n....x\r\nno end \xe9\r\n'
  await using server = await serve(
    {
      STLS: '+OK go\r\n',
      'USER bob': '+OK\r\n',
      'PASS secret': '+OK in\r\n',
      LIST: '+OK 2 messages\r\n1 120\r\n3 4\r\n.\r\n',
      UIDL: '+OK\r\n1 aa\r\n3 bb\r\n.\r\n',
      'RETR 1': `+OK 28 octets\r\n${mail}.\r\n`,
      'RETR 3': '+OK\r\n.\r\n',
      CAPA: '+OK\r\nUIDL\r\nSTLS\r\n.\r\n',
      'DELE 1': '+OK\r\n',
      QUIT: '+OK bye\r\n',
    },
    certificate,
  )
  await using pop3 = await dialPop3(server, { ca: certificate.cert })
  await pop3.stls()
  assert.equal((await pop3.login('bob', 'secret')).text, 'in')
  assert.deepEqual(await pop3.list(), [
    { number: 1, sizeBytes: 120 },
    { number: 3, sizeBytes: 4 },
  ])
  assert.deepEqual((await pop3.uidl())[1], { number: 3, uid: 'bb' })
  assert.equal((await pop3.retrieve(1)).toString(), 'A: b\r\n\r\n.\r\n...x\r\nno end é\r\n')
  assert.deepEqual((await pop3.retrieveAll())[1], Buffer.alloc(0))
  assert.equal((await pop3.sayMultiline('CAPA')).body.toString(), 'UIDL\r\nSTLS\r\n')
  await pop3.dele(1)
  await pop3.quit()
})

test('refusals carry their response code, and an unexpected status says what came', async () => {
  await using server = await serve({ 'USER bob': '+OK\r\n', 'PASS x': '-ERR [IN-USE] busy\r\n', NOOP: 'OK\r\n' })
  await using pop3 = await dialPop3(server)
  const reply = await pop3.login('bob', 'x', '-ERR')
  assert.deepEqual(reply, { status: '-ERR', text: 'busy', responseCode: 'IN-USE' })
  await assert.rejects(pop3.login('bob', 'x'), {
    message: 'expected +OK in reply to "PASS …", got "-ERR [IN-USE] busy"',
  })
  await assert.rejects(pop3.say('STAT'), /expected \+OK in reply to "STAT", got "-ERR what\?"/)
  await assert.rejects(pop3.say('NOOP', '-ERR'), /got "OK"/)
})

test('a greeting can be a refusal, and silence has a deadline', async () => {
  await using full = await serve({ greeting: '-ERR [SYS/TEMP] full\r\n' })
  await assert.rejects(dialPop3(full), /expected \+OK as the greeting, got "-ERR \[SYS\/TEMP\] full"/)
  await using refused = await dialPop3(full, { greeting: '-ERR' })
  assert.ok(refused)
  await using mute = await serve({ 'RETR 1': '+OK\r\nhalf a mail\r\n' })
  await using pop3 = await dialPop3(mute, { timeoutMs: 1_000 })
  await assert.rejects(pop3.retrieve(1), /waited \d+ ms in vain for the lines after "RETR 1"; so far came "half a mail/)
})

test('a mail that is not as long as its reply says is noticed', async () => {
  await using server = await serve({ 'RETR 1': '+OK 9 octets\r\nA: b\r\n.\r\n' })
  await using pop3 = await dialPop3(server)
  await assert.rejects(pop3.retrieve(1), /octets of message 1/)
})
