// What never comes to an end of itself: content, repeated commands, a PROXY header that is not sent, a client that has gone.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { connect } from '@sekimori/testing/line-socket'
import { dialSmtp, type SmtpDialer } from '@sekimori/testing/smtp-dialer'
import { linesUntilEnd, type TestListenerOptions, testListener } from './testing/test-listener.ts'

const SHORT_MS = 3_000

async function inData(options: TestListenerOptions) {
  const listener = await testListener(options)
  const client = await dialSmtp(listener.endpoint)
  await client.say('EHLO client.test', 250)
  await client.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
  for (const code of [250, 250, 354]) await client.hear(code)
  return {
    client,
    mails: listener.mails,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await listener[Symbol.asyncDispose]()
    },
  }
}

/** Sends without end until the server answers. */
async function pour(client: SmtpDialer, octets: string, pauseMs: number): Promise<string> {
  const timer = setInterval(() => void client.raw(octets).catch(() => {}), pauseMs)
  try {
    const { code, enhanced } = await client.hear()
    await client.closed()
    return `${code} ${enhanced}`
  } finally {
    clearInterval(timer)
  }
}

suite('without an end', { concurrency: true }, () => {
  test('content that goes on far beyond the limit is 552 5.3.4 and the end, kept or not', async () => {
    for (const begin of ['A: 1\r\n\r\n', 'A: 1\r\n\r\nbare\rCR\r\n']) {
      await using s = await inData({ smtp: { size: 1_000 } })
      await s.client.raw(begin)
      assert.equal(await pour(s.client, `${'x'.repeat(78)}\r\n`.repeat(1_000), 5), '552 5.3.4')
      assert.deepEqual(s.mails, [])
    }
  })

  test('a mail may take as long as a session and no longer, however fast it comes', async () => {
    await using s = await inData({ limits: { sessionTimeoutMs: SHORT_MS, dataMinBytesPerSecond: 1 } })
    assert.equal(await pour(s.client, 'x\r\n', 20), '421 4.4.2')
    assert.deepEqual(s.mails, [])
  })

  test('the same recipient again and again is too many commands: 421 4.7.0', async () => {
    await using listener = await testListener({ limits: { maxCommands: 10 }, smtp: { maxRecipients: 20 } })
    await using client = await dialSmtp(listener.endpoint)
    await client.say('EHLO client.test', 250)
    await client.say('MAIL FROM:<a@b.test>', 250)
    for (let i = 0; i < 28; i++) await client.say('RCPT TO:<c@d.test>', 250)
    assert.equal((await client.say('RCPT TO:<c@d.test>', 421)).enhanced, '4.7.0')
    await client.closed()
  })

  test('a load balancer that does not send its header is given up', async () => {
    await using listener = await testListener({ limits: { handshakeTimeoutMs: SHORT_MS }, proxyNetworks: '127.0.0.1' })
    const socket = await connect(listener.endpoint)
    await socket.write('PROXY ')
    assert.deepEqual(await linesUntilEnd(socket), [])
    await socket.close()
  })

  test('of a client that has gone without a word the system asks, by keep-alive probes', async () => {
    await using listener = await testListener()
    await using client = await dialSmtp(listener.endpoint)
    await client.say('EHLO client.test', 250)
    const port = `:${listener.endpoint.port.toString(16).toUpperCase().padStart(4, '0')}`
    // Columns of Linux: local address, remote address, state (01: established), queues, timer (02: keep-alive).
    await eventually(async () => {
      const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
      const session = lines.find(([, local, , state]) => local?.endsWith(port) && state === '01')
      return session?.[5]?.startsWith('02:')
    })
  })
})
