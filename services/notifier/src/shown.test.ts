// Whatever a stranger writes into a header field, a notice shows one harmless line of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shown, shownAddresses } from './shown.ts'

const word = (text: string | Buffer, charset = 'utf-8') =>
  `=?${charset}?B?${Buffer.from(text as string).toString('base64')}?=`

test('encoded words are read, also with a language (RFC 2231) and in old Japanese charsets', () => {
  assert.equal(shown(`${word('請求書')} ${word('の件')}`), '請求書の件')
  assert.equal(shown('=?us-ascii*en?Q?an_invoice?='), 'an invoice')
  assert.equal(shown('=?iso-2022-jp?B?GyRCQEE1YT1xGyhC?='), '請求書')
  assert.equal(shown('=?shift_jis?B?kL+LgY+R?='), '請求書')
})

test('what can not be decoded is shown in some harmless form', () => {
  for (const value of ['=?x-none?B?4pyT?=', '=?utf-8?B?***?=', '=?utf-8?Q?=ZZ?=', '=?utf-8?X?a?=', '=??B??=', '=?']) {
    const text = shown(value)
    assert.match(text, /^[^\p{Cc}\p{Cf}]{1,40}$/u, value)
  }
})

test('nothing, blanks and invisible marks alone are a dash', () => {
  for (const value of [undefined, '', ' \t', '\u200b\u2060\ufeff', word('\r\n'), word('\u202e')])
    assert.equal(shown(value), '-')
})

test('it is one line: no header, no line of a body can be put in', () => {
  for (const end of ['\r\n', '\n', '\r', '\u0085', '\u2028', '\u2029', '\v', '\f']) {
    assert.equal(shown(word(`one${end}Bcc: two`)), 'one Bcc: two', JSON.stringify(end))
    assert.equal(shown(`one${end}Bcc: two`), 'one Bcc: two', JSON.stringify(end))
  }
  assert.equal(shown(word('a\0b\u001b[31mc\u009bd')), 'a b [31mc d')
})

test('the reading order can not be turned, and nothing is hidden', () => {
  for (const mark of [
    '\u202a',
    '\u202b',
    '\u202d',
    '\u202e',
    '\u2066',
    '\u2067',
    '\u2069',
    '\u200e',
    '\u200f',
    '\u061c',
  ])
    assert.equal(shown(word(`invoice${mark}fdp exe`)), 'invoice fdp exe')
  assert.equal(shown(word('a\u00adb\u200bc\u{e0041}d')), 'a b c d')
})

test('lone surrogates become the replacement character', () => {
  const utf16 = Buffer.from([0x00, 0xd8, 0x41, 0x00]) // U+D800, then A
  for (const text of [shown(word(utf16, 'utf-16le')), shown('\ud800A'), shown('A\udfff')]) {
    assert.ok(text.isWellFormed())
    assert.match(text, /A/)
  }
})

test('it is short, however long the field and its words are, and soon done', () => {
  const huge = [
    word('長'.repeat(500_000)),
    '=?'.repeat(500_000),
    `${word('a')} `.repeat(100_000),
    '='.repeat(1_000_000),
    'a.'.repeat(500_000),
    'a@'.repeat(500_000),
    `=?utf-8?Q?${'=41'.repeat(300_000)}?=`,
  ]
  const before = process.cpuUsage()
  for (const value of huge) assert.ok([...shown(value)].length <= 801, value.slice(0, 20))
  assert.ok(process.cpuUsage(before).user < 2_000_000)
  assert.equal(shown('字'.repeat(201)), `${'字'.repeat(200)}…`)
  assert.equal(shown('😀'.repeat(200)), '😀'.repeat(200))
})

test('a letter bears no tower of marks', () => {
  assert.equal(shown(`Z${'\u0301'.repeat(150)}a`), `Z${'\u0301'.repeat(4)}a`)
  assert.equal(shown('が'.normalize('NFD')), 'が'.normalize('NFD'))
})

test('nothing becomes a link', () => {
  const harmless = {
    'see http://evil.test/a?b=c': 'see http:[//]evil[.]test/a?b=c',
    'HTTPS://user@EVIL.test': 'HTTPS:[//]user@EVIL[.]test',
    'www.evil.test': 'www[.]evil[.]test',
    'evil.com/pay now': 'evil[.]com/pay now',
    'ht\u200btp://evil.test': 'ht tp:[//]evil[.]test',
    'http:\u00ad//evil.test': 'http: //evil[.]test',
    'ウイルス.例え.テスト へ': 'ウイルス[.]例え[.]テスト へ',
    'mailto:a@b.test tel:0900 javascript:x': 'mailto[:]a@b[.]test tel[:]0900 javascript[:]x',
    'www.evil.test@b.test': 'www[.]evil[.]test@b[.]test',
    '<a href="//evil.test">': '<a href="//evil[.]test">',
  }
  for (const [value, text] of Object.entries(harmless)) {
    assert.equal(shown(value), text)
    assert.equal(shown(word(value)), text)
  }
})

test('addresses, dates and numbers stay as they are', () => {
  const date = 'Fri, 02 Jan 2026 12:00:00.5 +0900'
  for (const value of [date, 'Re: v1.2, 3.14', 'Hello.']) assert.equal(shown(value), value)
  const addresses = '"山田" <taro.yamada+x@mail.example.co.jp>, b@example.test'
  assert.equal(shownAddresses(addresses), addresses)
})
