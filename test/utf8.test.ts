// Internationalised mail (RFC 6531, RFC 6532) and its readers: those who know UTF-8 and those who don't (RFC 6856).
import assert from 'node:assert/strict'
import { isAscii } from 'node:buffer'
import { test } from 'node:test'
import { bodyOf, subjectOf } from '@sekimori/testing/mail-text'
import { dialPop3 } from '@sekimori/testing/pop3-dialer'
import { sharedStack } from '@sekimori/testing/shared-stack'

const PART = 'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment; filename="資料.txt"\r\n\r\n'
const PART_IN_ASCII = PART.replace(' filename="資料.txt"', "\r\n filename*=utf-8''%E8%B3%87%E6%96%99.txt")
const BODY = `--b\r\n${PART}本文は\r\n.そのまま\r\n`

test('RFC 6856 a mail with UTF-8 headers is shown as delivered after UTF8, otherwise in ASCII, each with its exact size', async () => {
  const stack = await sharedStack()
  const bob = await stack.createMailbox()
  for (const body of [BODY, `${BODY}${`${'x'.repeat(70)}\r\n`.repeat(1_200)}--b--\r\n`]) {
    await using mx = await stack.dialMx()
    const head = `From: 花子 <花子@sender.example>\r\nTo: ${bob.address}\r\nSubject: 請求書の件\r\nContent-Type: multipart/mixed; boundary=b\r\nDate: Sun, 22 Nov 2026 10:00:00 +0900\r\n`
    const envelope = {
      mailFrom: '花子@sender.example',
      recipients: [bob.address],
      parameters: 'SMTPUTF8 BODY=8BITMIME',
    }
    await mx.send(envelope, Buffer.from(`${head}\r\n${body}`))
    const before = body === BODY ? 1 : 2
    const delivered = (await stack.received(bob, before)).at(-1)!
    assert.ok(delivered.includes('Subject: 請求書の件\r\n'))

    await using pop3 = await dialPop3(stack.endpoints.pop3s, { tls: 'implicit', ca: stack.ca })
    await pop3.login(bob.address, bob.password)
    const { sizeBytes, number } = (await pop3.list()).at(-1)!
    const shown = await pop3.retrieve(number)
    assert.equal(shown.length, sizeBytes)
    const header = shown.subarray(0, shown.indexOf('\r\n\r\n'))
    assert.ok(isAscii(header), header.toString())
    assert.equal(subjectOf(shown), '請求書の件')
    assert.match(header.toString(), /<invalid@internationalized-address\.invalid>/)
    assert.equal(bodyOf(shown).toString(), bodyOf(delivered).toString().replace(PART, PART_IN_ASCII))
    assert.ok(bodyOf(shown).includes(PART_IN_ASCII))
    await pop3.quit()

    await using utf8 = await stack.dialPop3s(bob)
    assert.deepEqual((await utf8.list()).at(-1), { number, sizeBytes: delivered.length })
    await utf8.quit()
  }
})
