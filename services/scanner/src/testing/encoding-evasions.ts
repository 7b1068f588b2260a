// Attachments whose transfer encoding is named, or done, as the rules do not have it (RFC 2045 section 6).
import { attached, BASE64, OCTETS, quotedPrintable, wrapped } from './attached.ts'
import { type Sample, uuencode } from './sample.ts'

/** Every form of a body with every way to name its encoding that some reader understands. */
export function encodingEvasions(payload: string): Sample[] {
  const b64 = Buffer.from(payload).toString('base64')
  const samples: Sample[] = []
  const add = (bodies: Record<string, string>, names: Record<string, string[]>) => {
    for (const [body, text] of Object.entries(bodies))
      for (const [name, fields] of Object.entries(names))
        samples.push(attached(`encoding: ${body}, ${name}`, text, { part: [OCTETS, ...fields] }))
  }
  add(base64Bodies(b64, payload), BASE64_NAMES)
  add(quotedBodies(payload), QUOTED_NAMES)
  add(uuBodies(payload), UU_NAMES)
  return samples
}

const cte = (...values: string[]) => values.map((value) => `Content-Transfer-Encoding: ${value}`)

export const BASE64_NAMES: Record<string, string[]> = {
  usual: [BASE64],
  capitals: cte('BASE64'),
  'mixed case': cte('BaSe64'),
  quoted: cte('"base64"'),
  'single quotes': cte("'base64'"),
  'comment before': cte('(7bit) base64'),
  'comment behind': cte('base64 (really)'),
  parameter: cte('base64; x=y'),
  comma: cte('base64, 7bit'),
  dot: cte('base64.'),
  'x-base64': cte('x-base64'),
  hyphen: cte('base-64'),
  'trailing spaces': cte('base64   '),
  tab: cte('\tbase64'),
  folded: ['Content-Transfer-Encoding:', '\tbase64'],
  'first of two': cte('base64', '7bit'),
  'last of two': cte('7bit', 'base64'),
  'with quoted-printable': cte('quoted-printable', 'base64'),
  'with unknown': cte('x-strange', 'base64'),
  twice: cte('base64', 'base64'),
  'space before colon': ['Content-Transfer-Encoding : base64'],
  'no space behind colon': ['Content-Transfer-Encoding:base64'],
  'NUL in name': ['Content-Transfer-\0Encoding: base64'],
  'NUL in value': cte('bas\0e64'),
  'UTF-8 in value': cte('base64\xc2\xa0'),
  'field name in capitals': ['CONTENT-TRANSFER-ENCODING: base64'],
  'Content-Encoding': ['Content-Encoding: base64'],
  'indented field': [' Content-Transfer-Encoding: base64'],
}

export function base64Bodies(b64: string, payload: string): Record<string, string> {
  const octets = [...Buffer.from(payload)].map((octet) => Buffer.from([octet]).toString('base64'))
  const unpadded = b64.replace(/=+$/, '')
  return {
    'one line': b64,
    'lines of 76': wrapped(b64, 76),
    'lines of 7': wrapped(b64, 7),
    'no padding': unpadded,
    'more padding': `${unpadded}====`,
    'padding in the middle': octets.join(''),
    'padding at each line': wrapped(octets.join(''), 4),
    'spaces inside': wrapped(b64, 5, ' '),
    'tabs at line ends': wrapped(b64, 20, '\t\r\n'),
    'foreign letters inside': wrapped(b64, 11, '*'),
    'foreign octets inside': wrapped(b64, 9, '\x80\xff'),
    'NUL inside': wrapped(b64, 13, '\0'),
    'bare CR inside': wrapped(b64, 20, '\r'),
    'bare LF inside': wrapped(b64, 20, '\n'),
    'blank lines inside': wrapped(b64, 20, '\r\n\r\n'),
    'text behind': `${b64}\r\n\r\n-- sent from somewhere`,
    'leading blank lines': `\r\n\r\n${b64}`,
  }
}

const QUOTED_NAMES: Record<string, string[]> = {
  usual: cte('quoted-printable'),
  capitals: cte('QUOTED-PRINTABLE'),
  quoted: cte('"quoted-printable"'),
  comment: cte('quoted-printable (x)'),
  'first of two': cte('quoted-printable', '7bit'),
  'last of two': cte('8bit', 'quoted-printable'),
  'with base64': cte('base64', 'quoted-printable'),
  'x-quoted-printable': cte('x-quoted-printable'),
  parameter: cte('quoted-printable; charset=x'),
}

function quotedBodies(payload: string): Record<string, string> {
  const letters = payload.match(/.{1,3}/gs)!
  const text = quotedPrintable(payload)
  return {
    'every octet': text,
    'small letters': quotedPrintable(payload, true),
    'soft breaks everywhere': letters.map((part) => quotedPrintable(part)).join('=\r\n'),
    'soft breaks with spaces': letters.map((part) => quotedPrintable(part)).join('= \t\r\n'),
    'soft breaks by LF': letters.map((part) => quotedPrintable(part)).join('=\n'),
    'soft breaks within plain text': wrapped(payload.replaceAll('=', '=3D'), 9, '=\r\n'),
    'soft break at the end': `${text}=`,
    'invalid hex behind': `${text}\r\n=ZZ =`,
  }
}

const UU_NAMES: Record<string, string[]> = {
  'x-uuencode': cte('x-uuencode'),
  uuencode: cte('uuencode'),
  'x-uue': cte('x-uue'),
  unnamed: [],
  '7bit': cte('7bit'),
}

function uuBodies(payload: string): Record<string, string> {
  const text = uuencode(payload)
  return {
    uuencoded: text,
    'uuencoded, text around': `some text\r\n\r\n${text}\r\nmore text`,
    'uuencoded, spaces for zeros': text.replaceAll('`', ' '),
    'uuencoded, no end': text.replace(/\r\nend$/, ''),
    'uuencoded, short mode': text.replace('begin 644', 'begin 6'),
    'uuencoded, no mode': text.replace('begin 644', 'begin'),
    'uuencoded, two spaces': text.replace('begin 644 ', 'begin  644  '),
    'uuencoded, the second of two': `${uuencode('harmless')}\r\n${text}`,
    'uuencoded, name with spaces': text.replace('a.com', 'a b c.com'),
  }
}
