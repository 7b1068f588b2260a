// Headers in UTF-8 inside a mail's body, for clients that know ASCII only (RFC 6858 section 2.2): what is changed, what must
// never be, and that sizes are known before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headerEnd } from './header.ts'
import { asSurrogate, surrogateGrowth } from './surrogate.ts'
import { bodyWithSurrogateParts, surrogatePartsGrowth } from './surrogate-parts.ts'

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n`
const HEAD = lines('Subject: x', 'Content-Type: multipart/mixed; boundary="b 1"', '')
const FILE = 'Content-Disposition: attachment; filename="資料.txt"'
const FILE_IN_ASCII = "Content-Disposition: attachment;\r\n filename*=utf-8''%E8%B3%87%E6%96%99.txt"

async function* cut(mail: Buffer, sizeBytes: number) {
  for (let at = 0; at < mail.length; at += sizeBytes) yield mail.subarray(at, at + sizeBytes)
}

/** The surrogate, which is the same however the mail is cut, and as long as was found before. */
async function surrogateOf(text: string, cuts = [1, 2, 3, 7, 100, text.length]): Promise<string> {
  const mail = Buffer.from(text)
  const head = mail.subarray(0, headerEnd(mail))
  const grown = await surrogatePartsGrowth(head, () => cut(mail, 64))
  const growth = surrogateGrowth(Buffer.alloc(0), head, [], grown)
  const seen = new Set<string>()
  for (const sizeBytes of cuts) {
    const sent = Buffer.concat(await Array.fromAsync(asSurrogate(cut(mail, sizeBytes), growth)))
    assert.equal(sent.length, mail.length + (growth ?? 0))
    assert.equal(await surrogatePartsGrowth(head, () => cut(mail, sizeBytes)), grown)
    seen.add(sent.toString('latin1'))
  }
  assert.equal(seen.size, 1)
  return Buffer.from([...seen][0]!, 'latin1').toString()
}

test('RFC 6858 2.2 the headers of parts are in ASCII, in parts of parts as well; what they contain stays', async () => {
  const text = `${HEAD}${lines(
    'preamble 前文',
    '--b 1',
    'Content-Type: text/plain; charset=utf-8',
    '',
    '本文 --b 1',
    '--b',
    '--b 1 ',
    'Content-Type: multipart/alternative; boundary=--in-',
    'Content-Description: 説明',
    '',
    '----in-',
    FILE,
    'Content-ID: <花>',
    '',
    FILE,
    '',
    '----in---',
    'epilogue 後文',
    '--b 1',
    '',
    FILE,
    '--b 1--',
    FILE,
  )}`
  const expected = text
    .replace(FILE, FILE_IN_ASCII)
    .replace('Content-ID: <花>\r\n', '')
    .replace('説明', '=?utf-8?B?6Kqs5piO?=')
  assert.equal(await surrogateOf(text), expected)
})

test('the header of the mail and those of its parts are changed together', async () => {
  const text = `${HEAD.replace('x', '花')}${lines('--b 1', FILE, '', '本文', '--b 1--')}`
  assert.equal(await surrogateOf(text), text.replace('花', '=?utf-8?B?6Iqx?=').replace(FILE, FILE_IN_ASCII))
})

test('what is signed, encrypted or an attached message is not touched, nor what has no clear structure', async () => {
  const part = lines('--b 1', FILE, '', 'text', '--b 1--')
  const inside = (type: string) =>
    lines('--b 1', `Content-Type: ${type}`, '', '--in', FILE, '', '--in--', '--b 1', '', 'text', '--b 1--')
  const untouched = [
    ...['multipart/signed', 'Multipart/Encrypted', 'text/plain', 'message/rfc822'].map((type) =>
      HEAD.replace('multipart/mixed', type).concat(part),
    ),
    ...['multipart/signed; boundary=in', 'message/rfc822; boundary=in', 'message/global'].map((type) =>
      HEAD.concat(inside(type)),
    ),
    ...['boundary="b 1"; boundary=c', 'boundary=""', 'charset=x'].map((other) =>
      HEAD.replace('boundary="b 1"', other).concat(part),
    ),
    HEAD.replace('Subject', 'Content-Type').concat(part),
    HEAD.replace('Subject: x', 'Content-Transfer-Encoding: base64').concat(part),
    // No header at all: the empty line is missing.
    HEAD.concat(lines('--b 1', 'こんにちは', 'a: 花', '', 'text', '--b 1--')),
    // No delimiter, and no header.
    HEAD.concat(lines(`--b 1${' '.repeat(600)}`, FILE, '', 'text', '--b 1--')),
  ]
  for (const text of untouched) assert.equal(await surrogateOf(text), text)
})

test('a header section of a part that is too long to be one passes as it is', async () => {
  const text = `${HEAD}${lines('--b 1', `X: ${'y'.repeat(70_000)}`, FILE, '', 'text', '--b 1--')}`
  assert.equal(await surrogateOf(text, [30_000, 65_000, text.length]), text)
})

test('what ends early is whole all the same', async () => {
  const whole = `${HEAD}${lines('--b 1', FILE, '', 'text', '--b 1--')}`
  for (let end = HEAD.length; end < whole.length; end++) {
    const text = Buffer.from(whole).subarray(0, end).toString('latin1')
    const shown = await surrogateOf(Buffer.from(text, 'latin1').toString())
    assert.ok(shown.startsWith(HEAD))
  }
})

test('a mail takes no more time than its length, and no more memory than a chunk, whatever stands in it', {
  timeout: 60_000,
}, async () => {
  const deep = Array.from(
    { length: 20 },
    (_, i) => `--b ${i}\nContent-Type: multipart/mixed; boundary="b ${i + 1}"\n\n`,
  )
  const pieces = [
    '--\n',
    '-',
    '\n-',
    '--b 1\n\n',
    `--b 1\n${FILE}\n\n`,
    deep.join(''),
    '--b 1\n',
    ' ',
    '--b 1--\n',
    'a:\n',
  ]
  for (const piece of pieces) {
    const chunk = Buffer.from(piece.repeat(Math.ceil(500_000 / piece.length)))
    const body = bodyWithSurrogateParts(Buffer.from(HEAD))
    let held = 0
    for (let i = 0; i < 20; i++) {
      held += chunk.length
      for (const octets of body.push(chunk)) held -= octets.length
      assert.ok(held <= 65_536, `${held} octets are held`)
    }
  }
})

test('whoever sends more lines like delimiters than any mail has is not followed, and loses nothing', async () => {
  const text = `${HEAD}${`--b 1\r\n\r\n`.repeat(25_000)}${lines('--b 1', FILE, '', '--b 1--')}`
  assert.equal(await surrogateOf(text, [100, text.length]), text)
})
