// The decoder against every way of cutting its input, and against what smugglers send.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DotDecoder, type LineRules } from './dot-decoder.ts'

const strict: LineRules = { bareLf: 'refuse', maxLineBytes: 998 }

/** Feeds the text in pieces of `cut` octets; gives content, what follows the end, and the fault. */
function decode(text: string, cut: number, rules = strict) {
  const decoder = new DotDecoder(rules)
  const bytes = Buffer.from(text, 'latin1')
  let content = ''
  for (let at = 0; at < bytes.length; at += cut) {
    const added = decoder.add(bytes.subarray(at, at + cut))
    content += added.content.toString('latin1')
    if (added.rest !== undefined) {
      const rest = added.rest.toString('latin1') + bytes.toString('latin1', at + cut)
      return { content, rest, fault: decoder.fault }
    }
  }
  return { content, rest: undefined, fault: decoder.fault }
}

function atEveryCut(text: string, check: (decoded: ReturnType<typeof decode>, cut: number) => void, rules = strict) {
  for (let cut = 1; cut <= text.length; cut++) check(decode(text, cut, rules), cut)
}

test('RFC 5321 4.1.1.4 content ends at CRLF.CRLF, or at a first line that is a dot, however it is cut', () => {
  for (const [text, content] of [
    ['A: 1\r\n\r\nbody\r\n.\r\nRSET\r\n', 'A: 1\r\n\r\nbody\r\n'],
    ['.\r\nRSET\r\n', ''],
    ['\r\n.\r\nRSET\r\n', '\r\n'],
  ] as const)
    atEveryCut(text, (decoded, cut) =>
      assert.deepEqual(decoded, { content, rest: 'RSET\r\n', fault: undefined }, `cut at ${cut}`),
    )
})

test('RFC 5321 4.5.2 a leading dot is taken away, once, and only at the start of a line', () => {
  const text = '..\r\n...\r\n.a\r\n..b.\r\nc..\r\n.\r\n'
  atEveryCut(text, ({ content }) => assert.equal(content, '.\r\n..\r\na\r\n.b.\r\nc..\r\n'))
})

const SMUGGLED = [
  '\n.\n',
  '\n.\r\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\r\n.\r\n',
]

for (const sequence of SMUGGLED)
  test(`RFC 5321 2.3.8 ${JSON.stringify(sequence)} is a fault, and the end is CRLF.CRLF all the same`, () => {
    const isRealEnd = sequence.endsWith('\r\n.\r\n')
    atEveryCut(`A: 1\r\n\r\nfirst${sequence}MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n`, ({ content, rest, fault }) => {
      assert.ok(fault !== undefined)
      assert.equal(rest, isRealEnd ? 'MAIL FROM:<x@y>\r\n.\r\nQUIT\r\n' : 'QUIT\r\n')
      assert.doesNotMatch(content, /MAIL/)
    })
  })

test('bare LF is repaired where that is asked for: one mail, whose lines all end in CRLF', () => {
  const repair: LineRules = { bareLf: 'repair', maxLineBytes: 998 }
  atEveryCut(
    'A: 1\n\nfirst\n.\nMAIL\n..x\r\n..y\r\n\r\n.\r\nQUIT\r\n',
    (decoded) =>
      assert.deepEqual(decoded, {
        content: 'A: 1\r\n\r\nfirst\r\n.\r\nMAIL\r\n..x\r\n.y\r\n\r\n',
        rest: 'QUIT\r\n',
        fault: undefined,
      }),
    repair,
  )
  atEveryCut('a\n\rb\r\n.\r\n', ({ fault }) => assert.equal(fault, 'bare-cr'), repair)
})

test('RFC 5321 4.5.3.1.6 a line may be as long as the limit and no longer, wherever it is cut', () => {
  const rules: LineRules = { bareLf: 'refuse', maxLineBytes: 20 }
  atEveryCut(`${'x'.repeat(20)}\r\n.\r\n`, ({ fault }) => assert.equal(fault, undefined), rules)
  atEveryCut(`${'x'.repeat(21)}\r\n.\r\n`, ({ fault }) => assert.equal(fault, 'long-line'), rules)
})

test('a mail of dots costs no more than another one', () => {
  const decoder = new DotDecoder(strict)
  const since = process.cpuUsage()
  for (let i = 0; i < 160; i++) decoder.add(Buffer.from('..\r\n'.repeat(16_384)))
  const { user } = process.cpuUsage(since)
  assert.ok(user < 8_000_000, `10 MB of dots took ${user / 1000} ms`)
})
