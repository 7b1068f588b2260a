// Random SMTP for fuzzing: mostly commands as they should be, some bent in every way that has ever broken a server.

import { type Numbers, one } from './fuzz.ts'

const PATHS = [
  '<>',
  '<alice@example.test>',
  '<bob@example.test>',
  '<x@elsewhere.test>',
  '<"a b"@example.test>',
  '<a@[IPv6:::1]>',
]
const ODD_PATHS = [
  '<@a,@b:bob@example.test>',
  '<关@例え.test>',
  '<a@@b>',
  '<',
  '<a b@c>',
  '<%s%n@x.test>',
  "<'or 1=1--@x.test>",
  '<../../etc/passwd@x>',
]
const PARAMETERS = [
  'SIZE=100',
  'SIZE=99999999999',
  'BODY=8BITMIME',
  'SMTPUTF8',
  'RET=HDRS',
  'ENVID=a+2Bb',
  'NOTIFY=NEVER',
]
const ODD_PARAMETERS = [
  'ENVID=+0D+0A',
  'SIZE=-1',
  '__proto__=1',
  'constructor=x',
  'ORCPT=rfc822;+41',
  'REQUIRETLS',
  'AUTH=<>',
  '=',
  'a=b=c',
]
const PLAIN = Buffer.from('\0alice@example.test\0right').toString('base64')
const OTHERS = [
  'NOOP',
  'RSET',
  'HELP',
  'VRFY bob',
  'EXPN x',
  'QUIT',
  'STARTTLS',
  'BDAT 5 LAST',
  'ETRN x',
  'TURN',
  '__proto__',
  'constructor x',
]
const LOGINS = [
  `AUTH PLAIN ${PLAIN}`,
  'AUTH PLAIN',
  'AUTH LOGIN',
  'AUTH LOGIN YQ==',
  'AUTH CRAM-MD5',
  'AUTH XOAUTH2 eA==',
  PLAIN,
  '*',
  '=',
]
const SPLICES = [
  '\r',
  '\n',
  '\0',
  '\r\n',
  '\r\n.\r\n',
  '\n.\n',
  '\x80',
  '\xff',
  ' ',
  '\t',
  ':',
  '<',
  '>',
  '=',
  '\x1b[0m',
  '\u2028',
]

/** How a mail is sent, login included. */
const STEPS = [
  'EHLO fuzz.test',
  `AUTH PLAIN ${PLAIN}`,
  'MAIL FROM:<alice@example.test>',
  'RCPT TO:<bob@example.test>',
  'DATA',
]
const MAIL_STEP = 2

export function rightStep(step: number): Buffer {
  return Buffer.from(`${STEPS[step]}\r\n`)
}

/** The step after that one: the next, or the mail from its beginning. */
export function stepAfter(step: number, code: number | undefined): number {
  const isRefused = code === undefined || code >= 400
  return (isRefused && step >= MAIL_STEP) || step + 1 === STEPS.length ? MAIL_STEP : step + 1
}

/** One command with its line end, bent now and then. */
export function commandFrom(below: Numbers): Buffer {
  const command = Buffer.from(plainCommand(below), 'utf8')
  if (below(4) !== 0) return Buffer.concat([command, Buffer.from('\r\n')])
  return Buffer.concat([bent(command, below), Buffer.from(below(8) === 0 ? '\n' : '\r\n')])
}

function plainCommand(below: Numbers): string {
  const path = below(5) === 0 ? one(ODD_PATHS, below) : one(PATHS, below)
  const parameters = Array.from({ length: below(3) }, () => one(below(4) === 0 ? ODD_PARAMETERS : PARAMETERS, below))
  const rest = [path, ...parameters].join(' ')
  switch (below(12)) {
    case 0:
      return one(['EHLO fuzz.test', 'HELO fuzz.test', 'EHLO', `EHLO ${'x'.repeat(below(600))}`], below)
    case 1:
      return one(LOGINS, below)
    case 2:
      return one(OTHERS, below)
    case 3:
    case 4:
    case 5:
      return `MAIL FROM:${below(2) === 0 ? path : rest}`
    case 6:
    case 7:
    case 8:
      return `RCPT TO:${below(2) === 0 ? path : rest}`
    case 9:
      return one(['mail from:', 'RCPT TO:', 'MAIL', 'rcpt to', 'DATA x', '', ' '], below)
    default:
      return 'DATA'
  }
}

function bent(bytes: Buffer, below: Numbers): Buffer {
  const at = below(bytes.length + 1)
  switch (below(5)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(one(SPLICES, below)), bytes.subarray(at)])
    case 1:
      return bytes.subarray(0, at)
    case 2:
      return Buffer.concat([bytes, Buffer.alloc(below(below(20) === 0 ? 30_000 : 600), bytes[0] ?? 0x41)])
    case 3:
      return Buffer.from(bytes.map((octet) => (below(10) === 0 ? below(256) : octet)))
    default:
      return Buffer.concat([bytes, Buffer.from(one(SPLICES, below)), bytes])
  }
}

const LINES = [
  'From: alice@example.test',
  'Subject: x',
  ': no name',
  ' fold',
  'Bcc: y',
  'Date',
  'Received: a',
  '',
  'body',
  '.',
  '..',
  'text.',
]
const ENDS = ['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\n\r', '\0\r\n']

/** What follows 354: lines with all kinds of ends, and the true end. */
export function messageFrom(below: Numbers): Buffer {
  const isClean = below(2) === 0
  let text = isClean ? 'From: alice@example.test\r\n' : ''
  for (let i = below(30); i > 0; i--) {
    const line = below(40) === 0 ? 'x'.repeat(below(50_000)) : one(LINES, below)
    text += `${line === '.' && isClean ? '..' : line}${isClean ? '\r\n' : one(ENDS, below)}`
  }
  return Buffer.from(`${text}\r\n.\r\n`, 'latin1')
}
