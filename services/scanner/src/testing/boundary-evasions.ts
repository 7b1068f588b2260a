// Attachments behind a boundary that is named, or used, as the rules do not have it (RFC 2046 section 5.1.1, RFC 2231).
import { attached, BASE64, type Form, MIXED, OCTETS } from './attached.ts'
import type { Sample } from './sample.ts'

export function boundaryEvasions(payload: string): Sample[] {
  const b64 = Buffer.from(payload).toString('base64')
  const named = Object.entries(NAMED).flatMap(([name, [parameters, boundary]]) =>
    ['multipart/mixed', 'multipart/related', 'MULTIPART/ALTERNATIVE', 'multipart/x-none'].map((type) =>
      attached(`boundary: ${name}, ${type}`, b64, {
        type: [`Content-Type: ${type}; ${parameters}`],
        delimiter: `--${boundary}`,
      }),
    ),
  )
  const types = Object.entries(TYPES).map(([name, type]) => attached(`type: ${name}`, b64, { type }))
  const cuts = Object.entries(CUTS).map(([name, form]) => attached(`delimiter: ${name}`, b64, form))
  const subtypes = SUBTYPES.map((subtype) =>
    attached(`multipart/${subtype}`, b64, { type: [`Content-Type: multipart/${subtype}; boundary=foo`] }),
  )
  return [...named, ...types, ...cuts, ...subtypes]
}

const SUBTYPES = ['signed', 'parallel', 'digest', 'form-data', 'report', 'appledouble', 'fax-message', 'byteranges', '']

/** Parameters, and the boundary that is used. */
export const NAMED: Record<string, [string, string]> = {
  bare: ['boundary=foo', 'foo'],
  'first of two': ['boundary=foo; boundary=bar', 'foo'],
  'second of two': ['boundary=foo; boundary=bar', 'bar'],
  'third of three': ['boundary=a; boundary=b; boundary="foo"', 'foo'],
  'in pieces': ['boundary*0=fo; boundary*1=o', 'foo'],
  'in quoted pieces': ['boundary*0="f"; boundary*1="oo"', 'foo'],
  'in pieces, out of order': ['boundary*1=o; boundary*0=fo', 'foo'],
  'in encoded pieces': ["boundary*0*=us-ascii'en'%66o; boundary*1*=%6f", 'foo'],
  'pieces beside a whole, whole used': ['boundary=foo; boundary*0=b; boundary*1=ar', 'foo'],
  'pieces beside a whole, pieces used': ['boundary=foo; boundary*0=b; boundary*1=ar', 'bar'],
  'percent signs': ["boundary*=us-ascii''fo%6f", 'foo'],
  'percent signs, no charset': ['boundary*=fo%6f', 'foo'],
  'encoded word': ['boundary="=?us-ascii?Q?fo=6F?="', 'foo'],
  'encoded word in base64': ['boundary="=?utf-8?B?Zm9v?="', 'foo'],
  'encoded word taken as it is': ['boundary="=?us-ascii?Q?foo?="', '=?us-ascii?Q?foo?='],
  escapes: ['boundary="f\\oo"', 'foo'],
  'escapes taken as they are': ['boundary="f\\oo"', 'f\\oo'],
  'trailing space, cut': ['boundary="foo "', 'foo'],
  'leading space': ['boundary=" foo"', ' foo'],
  'leading space, cut': ['boundary=" foo"', 'foo'],
  'open quote': ['boundary="foo', 'foo'],
  'only a closing quote': ['boundary=foo"', 'foo'],
  'quotes inside': ['boundary=f"o"o', 'foo'],
  'text behind the quote': ['boundary="foo"bar', 'foobar'],
  'text behind the quote, cut': ['boundary="foo"bar', 'foo'],
  'single quotes': ["boundary='foo'", 'foo'],
  'single quotes taken as they are': ["boundary='foo'", "'foo'"],
  comment: ['boundary=foo(bar)', 'foo'],
  'comment taken as it is': ['boundary=foo(bar)', 'foo(bar)'],
  'comment before': ['boundary=(bar)foo', 'foo'],
  'spaces around the sign': ['boundary = foo', 'foo'],
  'space inside, cut': ['boundary=foo bar', 'foo'],
  'space inside': ['boundary=foo bar', 'foo bar'],
  'semicolon inside': ['boundary="foo;bar"', 'foo;bar'],
  'semicolon inside, cut': ['boundary=foo;bar', 'foo'],
  comma: ['boundary=foo,bar', 'foo'],
  'letter case': ['BouNDaRy=foo', 'foo'],
  NUL: ['bou\0ndary=foo', 'foo'],
  'UTF-8': ['boundary="f\xc3\xb6\xc3\xb6"', 'f\xc3\xb6\xc3\xb6'],
  long: [`boundary="${'x'.repeat(150)}"`, 'x'.repeat(150)],
  folded: ['\r\n boundary=\r\n\tfoo', 'foo'],
  'parameters before': [`${'x=y; '.repeat(50)}boundary=foo`, 'foo'],
  'text that looks like it before': ['x="boundary=bar"; boundary=foo', 'foo'],
  'text that looks like it only': ['x="boundary=foo"', 'foo'],
  'other dashes': ['boundary="--foo"', '--foo'],
  'not the one that is named': ['boundary=bar', 'foo'],
  empty: ['boundary=""', 'foo'],
  none: ['charset=utf-8', 'foo'],
}

const TYPES: Record<string, string[]> = {
  'two fields, first used': [MIXED, 'Content-Type: text/plain'],
  'two fields, last used': ['Content-Type: text/plain', MIXED],
  'two fields, both multipart': ['Content-Type: multipart/mixed; boundary=bar', MIXED],
  'text with a boundary': ['Content-Type: text/plain; boundary=foo'],
  'html with a boundary': ['Content-Type: text/html; boundary=foo'],
  'no subtype': ['Content-Type: multipart; boundary=foo'],
  'spaces around the slash': ['Content-Type: multipart / mixed; boundary=foo'],
  'comment in the type': ['Content-Type: multipart(x)/mixed; boundary=foo'],
  'quoted type': ['Content-Type: "multipart/mixed"; boundary=foo'],
  'comma for a semicolon': ['Content-Type: multipart/mixed, boundary=foo'],
  'no semicolon': ['Content-Type: multipart/mixed boundary=foo'],
  'two semicolons': ['Content-Type: multipart/mixed;; boundary=foo'],
  'no colon': ['Content-Type multipart/mixed; boundary=foo'],
  'equals sign for the colon': ['Content-Type= multipart/mixed; boundary=foo'],
  'space before the colon': ['Content-Type : multipart/mixed; boundary=foo'],
  'NUL in the name': ['Content-\0Type: multipart/mixed; boundary=foo'],
  'name in quotes': ['"Content-Type": multipart/mixed; boundary=foo'],
  'fold behind the name': ['Content-Type', ' : multipart/mixed; boundary=foo'],
  'fold in the type': ['Content-Type: multipart/', ' mixed; boundary=foo'],
  'base64 named for the multipart': [MIXED, BASE64],
  'quoted-printable named for the multipart': [MIXED, 'Content-Transfer-Encoding: quoted-printable'],
  missing: [],
}

export const CUTS: Record<string, Form> = {
  'no closing': { closing: '', epilogue: [] },
  'trailing spaces': { delimiter: '--foo  ', closing: '--foo--  ' },
  'trailing tab': { delimiter: '--foo\t' },
  'trailing text': { delimiter: '--foo bar', closing: '--foo--' },
  'text right behind': { delimiter: '--foobar', closing: '--foo--' },
  'closing for all': { delimiter: '--foo--' },
  'closing cut': { closing: '--foo-' },
  'text behind the closing': { closing: '--foo--bar' },
  'bare CR before': { delimiter: '\r--foo' },
  'blank lines before': { delimiter: '\r\n\r\n--foo' },
  'no header, type missing': { part: [BASE64] },
  'header of the part missing': { part: [], gap: [] },
  'no empty line': { gap: [] },
  'empty line of spaces': { gap: ['   '] },
  'empty line first': { part: ['', OCTETS, BASE64] },
  'two empty lines first': { part: ['', '', OCTETS, BASE64] },
  'a line of spaces first': { part: ['  ', OCTETS, BASE64] },
  'text first': { part: ['this is no field', OCTETS, BASE64] },
  'text between the fields': { part: [OCTETS, 'this is no field', BASE64] },
  'bare CR in the header': { part: [`${OCTETS}\r${BASE64}`] },
  'bare LF in the header': { part: [`${OCTETS}\n${BASE64}`] },
  'NUL between the fields': { part: [`${OCTETS}\r\n\0${BASE64}`] },
  'a field without end': { part: [OCTETS, `X: ${'y'.repeat(20_000)}`, BASE64] },
  'many fields': { part: [OCTETS, ...Array<string>(500).fill('X-Y: z'), BASE64] },
  'mbox line': { part: ['From a@b.example Thu Jan  1 00:00:00 1970', OCTETS, BASE64] },
}
