// Headers in UTF-8 as clients see them that know ASCII only (RFC 6856, RFC 6858), and that their size is known before.
import assert from 'node:assert/strict'
import { isAscii } from 'node:buffer'
import { test } from 'node:test'
import { asDelivered } from './delivered.ts'
import { headerEnd, parseHeader, unfold } from './header.ts'
import { asSurrogate, surrogateGrowth } from './surrogate.ts'
import { surrogateHeader } from './surrogate-header.ts'

/** The surrogate's fields, unfolded and with their encoded words read. */
function fields(...lines: string[]): string[] {
  const header = surrogateHeader(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))!
  assert.ok(isAscii(header))
  assert.ok(
    header
      .toString()
      .split('\r\n')
      .every((line) => line.length < 100),
    header.toString(),
  )
  return parseHeader(header).map(({ name, value }) => `${name}: ${readWords(unfold(value))}`)
}

function readWords(text: string): string {
  return text
    .replace(/\?= +=\?/g, '?==?')
    .replace(/=\?utf-8\?B\?([^?]*)\?=/g, (_, octets) => Buffer.from(octets, 'base64').toString())
}

test('text becomes encoded words, whatever its length and script', () => {
  const long = '拝啓 ますますご清栄のこととお慶び申し上げます 🎌'.repeat(4)
  assert.deepEqual(fields('Subject: 請求書', `Comments: ${long}`, 'X-Note: naïve'), [
    'subject: 請求書',
    `comments: ${long}`,
    'x-note: naïve',
  ])
})

test('RFC 6858 2.1 names become encoded words; addresses that have no ASCII form lead nowhere and are shown', () => {
  const nowhere = '<invalid@internationalized-address.invalid>'
  assert.deepEqual(
    fields(
      'From: "山田, 太郎" <taro@example.test>',
      'To: Bob <bob@example.test>, 花子 <花子@例え.テスト>,\r\n zoe@例え.テスト, 山@example.test (山)',
      'Cc: 開発部: a@example.test, 次郎 <jiro@example.test>;',
      'Return-Path: <花子@example.test>',
    ),
    [
      'from: 山田, 太郎 <taro@example.test>',
      `to: Bob <bob@example.test>, 花子 <花子@例え.テスト> ${nowhere}, <zoe@xn--r8jz45g.xn--zckzah>, 山 <山@example.test> ${nowhere}`,
      'cc: 開発部: a@example.test, 次郎 <jiro@example.test>;',
      `return-path: ${nowhere}`,
    ],
  )
})

test('RFC 2231 parameters of MIME fields are encoded, the others stay', () => {
  const name = `${'報告書'.repeat(20)}.pdf`
  const [type, short] = fields(
    `Content-Type: application/pdf; charset=x; name="${name}"`,
    'Content-Disposition: attachment; filename=資料.txt; size=3',
  )
  const pieces = [...type!.matchAll(/name\*\d+\*=([^;]*)/g)].map(([, piece]) => piece)
  assert.match(type!, /^content-type: application\/pdf; charset=x; name\*0\*=utf-8''%/)
  assert.equal(decodeURIComponent(pieces.join('')).slice("utf-8''".length), name)
  assert.equal(short, "content-disposition: attachment; filename*=utf-8''%E8%B3%87%E6%96%99.txt; size=3")
})

test('RFC 6858 2.4 what has no ASCII form is left out; verdicts of ours keep what they say', () => {
  assert.deepEqual(
    fields(
      'Received: from a by b for <花子@example.test>; now',
      'Authentication-Results: mx.test; spf=pass smtp.mailfrom=花子@a.test',
      'Message-ID: <花@a.test>',
      'Date: today',
    ),
    ['authentication-results: mx.test; spf=pass smtp.mailfrom=??@a.test', 'date: today'],
  )
})

test('ASCII headers, and octets that are no UTF-8, stay as they are', () => {
  assert.equal(surrogateHeader(Buffer.from('Subject: =?utf-8?B?4pyT?=\r\n\r\n')), undefined)
  const shiftJis = Buffer.from('Subject: \x93\xfa\x96\x7b\r\nTo: a@b.test\r\n\r\n', 'latin1')
  assert.equal(surrogateHeader(shiftJis), undefined)
})

test('no field can be made of what a field says', () => {
  for (const text of ['花\rBcc: x@y.test', '花\n Bcc: x', '花 <"a\r\n @b>', '"花\\', '花 <<<>>,,;:::', '花;name="\\'])
    for (const name of ['Subject', 'From', 'Return-Path', 'Content-Type', 'X-A']) {
      const header = surrogateHeader(Buffer.from(`${name}: ${text}\r\n\r\n`))
      assert.ok(header !== undefined && isAscii(header))
      assert.equal(headerEnd(header), header.length)
      assert.ok(
        header
          .toString()
          .split('\r\n')
          .slice(1, -2)
          .every((line) => line.startsWith(' ')),
        header.toString(),
      )
    }
})

test('the size is that of what is sent, however the mail is cut; the body is not touched', async () => {
  const added = Buffer.from('Delivered-To: 花子@example.test\r\nX-Virus-Status: clean\r\n')
  const head = Buffer.from('X-Virus-Status: 偽\r\nSubject: 請求書\r\nFrom: 花子 <h@a.test>\r\n\r\n')
  const body = Buffer.from('本文\r\n'.repeat(500))
  const struck = [0, head.indexOf('Subject')]
  const mail = Buffer.concat([head, body])
  const sizeBytes = added.length + mail.length - struck[1]!
  const growth = surrogateGrowth(added, head, struck, 0)!
  const sizes = new Set<number>()
  for (const cut of [1, 7, 100, 5_000]) {
    async function* pieces() {
      for (let at = 0; at < mail.length; at += cut) yield mail.subarray(at, at + cut)
    }
    const sent = Buffer.concat(await Array.fromAsync(asSurrogate(asDelivered(added, pieces(), struck), growth)))
    assert.deepEqual(sent.subarray(headerEnd(sent)), body)
    assert.ok(isAscii(sent.subarray(0, headerEnd(sent))))
    sizes.add(sent.length)
  }
  assert.deepEqual([...sizes], [sizeBytes + growth])
  assert.equal(surrogateGrowth(Buffer.from('A: b\r\n'), Buffer.from('Subject: x\r\n\r\n'), [], 0), undefined)
})

test('a header of 256 KB takes no more time than its length, whatever stands in it', { timeout: 60_000 }, () => {
  for (const piece of ['"\\', '\\"', ';a="\\"', '(', '<', '(\\', ',', ';a', '; ', '"a" ', '花<', '花"'])
    for (const name of ['From', 'Content-Type', 'Subject', 'Return-Path', 'Authentication-Results', 'X']) {
      const header = Buffer.from(`${name}: 花 ${piece.repeat(256_000 / Buffer.byteLength(piece))}\r\n\r\n`)
      assert.ok(isAscii(surrogateHeader(header)!))
    }
})
