// Mails that hide an attachment behind broken MIME, and mails that are odd but harmless: made, not collected.
// Patterns: what common mail clients decode although (or because) it breaks RFC 2045, 2046, 2047, 2231 or 5322.

import { boundaryEvasions } from './boundary-evasions.ts'
import { encodingEvasions } from './encoding-evasions.ts'
import { placeEvasions } from './place-evasions.ts'
import { HEAD, type Sample, sample, uuencode } from './sample.ts'
import { headerTricks, structureTricks } from './structure-evasions.ts'

/** Mails in which some reader finds `payload` (ASCII) as an attachment. */
export function evasions(payload: string): Sample[] {
  const b64 = Buffer.from(payload).toString('base64')
  return [
    ...encodingTricks(payload, b64),
    ...boundaryTricks(b64),
    ...headerTricks(b64),
    ...structureTricks(payload, b64),
    ...encodingEvasions(payload),
    ...boundaryEvasions(payload),
    ...placeEvasions(payload),
  ]
}

function attachment(b64: string, encoding: string[]): string[] {
  return [
    ...HEAD,
    'Content-Type: multipart/mixed; boundary=foo',
    '',
    '--foo',
    'Content-Type: text/plain',
    '',
    'hello',
    '--foo',
    'Content-Type: application/octet-stream; name=a.com',
    ...encoding,
    '',
    b64,
    '--foo--',
    '',
  ]
}

function encodingTricks(payload: string, b64: string): Sample[] {
  const field = (value: string) => [`Content-Transfer-Encoding: ${value}`]
  const quoted = [...payload]
    .map((letter) => `=${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
  const tricks: [string, string, string[]][] = [
    ['plain base64', b64, field('base64')],
    ['encoding in capitals', b64, field('BASE64')],
    ['junk in base64', b64.replace(/(.{7})/g, '$1!'), field('base64')],
    [
      'padding in the middle',
      [...Buffer.from(payload)].map((octet) => Buffer.from([octet]).toString('base64')).join(''),
      field('base64'),
    ],
    ['one letter a line', [...b64].join('\r\n'), field('base64')],
    ['dashes in base64', `--\r\n${b64}`.replace('--\r\n', '-\r\n'), field('base64')],
    ['text behind the padding', `${b64}\r\n\r\nthis is text`, field('base64')],
    ['text before base64', `!! \r\n${b64}`, field('base64')],
    ['two encodings, base64 first', b64, ['Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: 7bit']],
    [
      'two encodings, base64 last',
      b64,
      ['Content-Transfer-Encoding: quoted-printable', 'Content-Transfer-Encoding: base64'],
    ],
    [
      'three encodings',
      b64,
      ['Content-Transfer-Encoding: 8bit', 'Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: 7bit'],
    ],
    ['encoding in quotes', b64, field('"base64"')],
    ['encoding with a comment', b64, field('(x) base64')],
    ['encoding with a parameter', b64, field('base64; x=y')],
    ['encoding with a trailing dot', b64, field('base64.')],
    ['folded encoding', b64, ['Content-Transfer-Encoding:', ' base64']],
    ['encoding with junk', b64, field('foo base64 bar')],
    ['x-base64', b64, field('x-base64')],
    ['no encoding named', b64, []],
    ['wrong encoding named', b64, field('7bit')],
    ['empty encoding', b64, field('')],
    ['space before the colon', b64, ['Content-Transfer-Encoding : base64']],
    ['quoted-printable', quoted, field('quoted-printable')],
    ['quoted-printable in small letters', quoted.toLowerCase(), field('quoted-printable')],
    ['quoted-printable with soft breaks', quoted.replace(/(.{9})/g, '$1=\r\n'), field('quoted-printable')],
    [
      'quoted-printable with spaces behind soft breaks',
      quoted.replace(/(.{9})/g, '$1=  \r\n'),
      field('quoted-printable'),
    ],
    [
      'both encodings applied',
      Buffer.from(quoted).toString('base64'),
      ['Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: quoted-printable'],
    ],
    [
      'base64 twice',
      Buffer.from(b64).toString('base64'),
      ['Content-Transfer-Encoding: base64', 'Content-Transfer-Encoding: base64'],
    ],
    ['url alphabet', b64.replaceAll('+', '-').replaceAll('/', '_'), field('base64')],
    ['uuencode in a part', uuencode(payload), field('x-uuencode')],
  ]
  return tricks.map(([name, body, encoding]) => sample(name, attachment(body, encoding)))
}

function boundaryTricks(b64: string): Sample[] {
  const part = (boundary: string) => [
    `--${boundary}`,
    'Content-Type: application/octet-stream',
    'Content-Transfer-Encoding: base64',
    '',
    b64,
    `--${boundary}--`,
    '',
  ]
  const tricks: [string, string[], string][] = [
    ['two boundaries, first used', ['Content-Type: multipart/mixed; boundary=foo; boundary=bar'], 'foo'],
    ['two boundaries, last used', ['Content-Type: multipart/mixed; boundary=foo; boundary=bar'], 'bar'],
    [
      'two content types, first used',
      ['Content-Type: multipart/mixed; boundary=foo', 'Content-Type: text/plain'],
      'foo',
    ],
    [
      'two content types, last used',
      ['Content-Type: text/plain', 'Content-Type: multipart/mixed; boundary=foo'],
      'foo',
    ],
    ['boundary in an encoded word', ['Content-Type: multipart/mixed; boundary="=?us-ascii?Q?fo=6F?="'], 'foo'],
    ['boundary in pieces', ['Content-Type: multipart/mixed; boundary*0=fo; boundary*1=o'], 'foo'],
    ['boundary with percent signs', ["Content-Type: multipart/mixed; boundary*=us-ascii''fo%6f"], 'foo'],
    ['boundary with escapes', ['Content-Type: multipart/mixed; boundary="fo\\o"'], 'foo'],
    ['boundary with trailing space', ['Content-Type: multipart/mixed; boundary="foo "'], 'foo'],
    ['boundary with an open quote', ['Content-Type: multipart/mixed; boundary="foo'], 'foo'],
    ['boundary with text behind the quote', ['Content-Type: multipart/mixed; boundary="foo"bar'], 'foobar'],
    ['boundary with single quotes', ["Content-Type: multipart/mixed; boundary='foo'"], 'foo'],
    ['boundary with a comment', ['Content-Type: multipart/mixed; boundary=foo(comment)'], 'foo'],
    ['boundary with spaces around the sign', ['Content-Type: multipart/mixed; boundary = foo'], 'foo'],
    ['boundary cut at a semicolon', ['Content-Type: multipart/mixed; boundary="foo;bar"'], 'foo;bar'],
    ['multipart with a wrong type', ['Content-Type: text/plain; boundary=foo'], 'foo'],
    ['unknown multipart', ['Content-Type: multipart/strange; boundary=foo'], 'foo'],
    ['folded boundary', ['Content-Type: multipart/mixed;', '\tboundary=', ' foo'], 'foo'],
    ['boundary in capitals', ['CONTENT-TYPE: MULTIPART/MIXED; BOUNDARY=foo'], 'foo'],
  ]
  return tricks.map(([name, head, boundary]) => sample(name, [...HEAD, ...head, '', ...part(boundary)]))
}
