// For tests only: what clients and attackers may send to a POP3 server, by its grammar and against it, from a seed.

import { type Numbers, one } from '@sekimori/testing/fuzz'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const LOGINS = ['USER bob@example.test\r\nPASS secret', `AUTH PLAIN ${base64('\0bob@example.test\0secret')}`]
const NUMBERS = ['1', '2', '3', '4', '0', '007', '-1', '+1', '1.0', '0x1', '2147483648', '99999999999', '', '１']
const NAMES = [
  'bob@example.test',
  'nobody@example.test',
  'x',
  '"b\\"ob"@example.test',
  'bob@example.test ',
  '関守@例え.test',
  '%n%s',
]
const SASL = ['PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER', 'CRAM-MD5', 'plain', '*', '=']
const BEFORE_LOGIN = ['CAPA', 'UTF8', 'LANG', 'LANG ja', 'AUTH', 'AUTH PLAIN', 'AUTH LOGIN', 'USER bob@example.test']
const AT_MAILDROP = [
  ...['STAT', 'LIST', 'UIDL', 'LIST 3', 'UIDL 4', 'NOOP', 'RSET', 'CAPA', 'LANG en'],
  ...['RETR 1', 'RETR 2', 'RETR 3', 'RETR 4', 'TOP 4 1', 'TOP 4 1000', 'TOP 3 0', 'DELE 1', 'DELE 2', 'DELE 4'],
]
const RESPONSES = [
  '=',
  '*',
  '',
  '====',
  'QQ',
  base64('\0bob@example.test\0wrong'),
  base64('\0bob@example.test\0secret'),
  base64('bob@example.test'),
  base64('secret'),
  base64('\0\0'),
  base64('user=x\x01auth=Bearer y\x01\x01'),
]
const ODD_OCTETS = [0x00, 0x0a, 0x0d, 0x1b, 0x20, 0x2e, 0x7f, 0x80, 0xc0, 0xff]

/** Commands by the grammar of RFC 1939, 2449, 2595, 5034; which of them are right depends on the state. */
const GRAMMAR: ((below: Numbers) => string)[] = [
  (below) => one(['STAT', 'NOOP', 'RSET', 'CAPA', 'LIST', 'UIDL', 'AUTH', 'LANG', 'UTF8', 'APOP'], below),
  (below) => `${one(['LIST', 'UIDL', 'RETR', 'DELE', 'retr', 'dElE'], below)} ${one(NUMBERS, below)}`,
  (below) => `TOP ${one(NUMBERS, below)} ${one(NUMBERS, below)}`,
  (below) => `USER ${one(NAMES, below)}`,
  (below) => `PASS ${one(['secret', 'wrong', ' secret ', '', 'pass word'], below)}`,
  (below) => `AUTH ${one(SASL, below)}${below(2) === 0 ? '' : ` ${one(RESPONSES, below)}`}`,
  (below) => one(RESPONSES, below),
  (below) => one(LOGINS, below),
]

/** What the server waits for: a login, the answer to a challenge, or commands at an open maildrop. */
export type Phase = 'outside' | 'challenged' | 'inside'

/** One line, or a few that belong together, with line ends; mostly what fits the phase, so that sessions go deep. */
export function commandFrom(below: Numbers, phase?: Phase): Buffer {
  const line = below(300) === 0 ? 'STLS' : (fitting(below, phase) ?? one(GRAMMAR, below)(below))
  const octets = Buffer.from(`${line}${below(10) === 0 ? '\n' : '\r\n'}`)
  return below(8) === 0 ? mutated(octets, below) : octets
}

function fitting(below: Numbers, phase: Phase | undefined): string | undefined {
  if (phase === undefined || below(3) === 0) return undefined
  switch (phase) {
    case 'outside':
      return below(3) === 0 ? one(LOGINS, below) : one(BEFORE_LOGIN, below)
    case 'challenged':
      return one(RESPONSES, below)
    case 'inside':
      return below(60) === 0 ? 'QUIT' : one(AT_MAILDROP, below)
  }
}

/** What a grammar does not make: cut, doubled, stretched and odd octets. */
function mutated(octets: Buffer, below: Numbers): Buffer {
  const at = below(octets.length)
  const odd = Buffer.from([ODD_OCTETS[below(ODD_OCTETS.length)]!])
  const [head, tail] = [octets.subarray(0, at), octets.subarray(at)]
  switch (below(6)) {
    case 0:
      return Buffer.concat([head, odd, tail])
    case 1:
      return Buffer.concat([head, odd, tail.subarray(1)])
    case 2:
      return Buffer.concat([head, tail.subarray(1)])
    case 3:
      return Buffer.concat([head, Buffer.alloc(below(40) === 0 ? 30_000 : below(400), odd), tail])
    case 4:
      return Buffer.concat([octets, octets])
    default:
      return Buffer.concat([Buffer.from(' '.repeat(below(5))), head, Buffer.from('\t'), tail])
  }
}
