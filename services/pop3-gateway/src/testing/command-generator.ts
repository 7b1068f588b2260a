// For tests only: what clients and attackers may send to a POP3 server, by its grammar and against it, from a seed.

/** An integer below `below`, the same sequence for the same seed (mulberry32). */
export type Numbers = (below: number) => number

export function numbersFrom(seed: number): Numbers {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

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
const RESPONSES = [
  '=',
  '*',
  '',
  '====',
  'QQ',
  base64('\0bob@example.test\0wrong'),
  base64('\0\0'),
  base64('user=x\x01auth=Bearer y\x01\x01'),
]
const ODD_OCTETS = [0x00, 0x0a, 0x0d, 0x1b, 0x20, 0x2e, 0x7f, 0x80, 0xc0, 0xff]

/** Commands by the grammar of RFC 1939, 2449, 2595, 5034; which of them are right depends on the state. */
const GRAMMAR: ((below: Numbers) => string)[] = [
  (below) => pick(['STAT', 'NOOP', 'RSET', 'CAPA', 'LIST', 'UIDL', 'AUTH', 'LANG', 'UTF8', 'APOP'], below),
  (below) => `${pick(['LIST', 'UIDL', 'RETR', 'DELE', 'retr', 'dElE'], below)} ${pick(NUMBERS, below)}`,
  (below) => `TOP ${pick(NUMBERS, below)} ${pick(NUMBERS, below)}`,
  (below) => `USER ${pick(NAMES, below)}`,
  (below) => `PASS ${pick(['secret', 'wrong', ' secret ', '', 'pass word'], below)}`,
  (below) => `AUTH ${pick(SASL, below)}${below(2) === 0 ? '' : ` ${pick(RESPONSES, below)}`}`,
  (below) => pick(RESPONSES, below),
  (below) => pick(LOGINS, below),
]

/** One line, or a few that belong together, with line ends; seldom malformed, so that sessions go deep. */
export function commandFrom(below: Numbers): Buffer {
  const line = below(300) === 0 ? 'STLS' : pick(GRAMMAR, below)(below)
  const octets = Buffer.from(`${line}${below(10) === 0 ? '\n' : '\r\n'}`)
  return below(8) === 0 ? mutated(octets, below) : octets
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

function pick<T>(from: readonly T[], below: Numbers): T {
  return from[below(from.length)]!
}
