// Attachments in places where not every reader looks: around, behind and inside of other things.
import { attached, attachedText, BASE64, MIXED, OCTETS, quotedPrintable, wrapped } from './attached.ts'
import { crlf, HEAD, type Sample, sample, uuencode } from './sample.ts'
import { opaqueSigned, readableBy } from './wrappings.ts'

export function placeEvasions(payload: string): Sample[] {
  const b64 = Buffer.from(payload).toString('base64')
  return [...heads(b64), ...around(payload, b64), ...nested(b64), ...mailsInside(b64), ...opaque(b64)]
}

/** What a mail may begin with. */
export const HEADS: Record<string, string[]> = {
  'mbox line first': ['From a@b.example Thu Jan  1 00:00:00 1970', ...HEAD],
  'quoted mbox line first': ['>From a@b.example Thu Jan  1 00:00:00 1970', ...HEAD],
  'blank line first': ['', ...HEAD],
  'blank lines first': ['', '', '', ...HEAD],
  'text first': ['hello,', 'this is text', ...HEAD],
  'spaces first': ['    ', ...HEAD],
  'byte order mark first': [`\xef\xbb\xbf${HEAD[0]}`, ...HEAD.slice(1)],
  'NUL first': [`\0${HEAD[0]}`, ...HEAD.slice(1)],
  'continuation first': [' folded', ...HEAD],
  'no field but Content-Type': [],
  'line of spaces': [...HEAD, '   '],
  'line of tabs': [...HEAD, '\t'],
  'line without a colon': [...HEAD, 'this is no field'],
  'line with a space in its name': [...HEAD, 'X Y: z'],
  'UTF-8 in a name': [...HEAD, 'X-\xc3\xbc: z'],
  'empty name': [...HEAD, ': z'],
  'long line': [...HEAD, `X: ${'y'.repeat(30_000)}`],
  'long name': [...HEAD, `${'X'.repeat(5_000)}: y`],
  'many fields': [...HEAD, ...Array<string>(2_000).fill('X-Y: z')],
  'many folds': [...HEAD, 'X: y', ...Array<string>(2_000).fill(' folded')],
  'bare CR': [...HEAD, 'X: y\rZ: w'],
  'first field unknown': ['Zork: 1', ...HEAD],
  'long signature first': [
    'DKIM-Signature: v=1;',
    ...Array<string>(60).fill(` b=${'x'.repeat(60)}`),
    ...HEAD.slice(0, 3),
  ],
}

const leafOf = (b64: string) => [OCTETS, BASE64, '', b64]

/** Before and within the header section of the mail. */
function heads(b64: string): Sample[] {
  return Object.entries(HEADS).map(([name, head]) => attached(`head: ${name}`, b64, { head }))
}

function around(payload: string, b64: string): Sample[] {
  const part = ['--foo', ...leafOf(b64)]
  return [
    attached('line ends: bare CR everywhere', b64),
    ...[
      ['LF', '\n'],
      ['CR', '\r'],
      ['CRCRLF', '\r\r\n'],
    ].map(([name, end]) => ({
      name: `line ends: ${name}`,
      mail: Buffer.from(attachedText(b64).replaceAll('\r\n', end!), 'latin1'),
    })),
    attached('behind the closing delimiter', 'hello', { part: ['Content-Type: text/plain'], epilogue: part }),
    attached('behind the closing delimiter, another closing', 'hello', { part: [], epilogue: [...part, '--foo--'] }),
    attached('behind a blank epilogue', 'hello', { part: [], epilogue: ['', '', ...part, ''] }),
    attached('in the preamble', 'hello', { part: [], preamble: leafOf(b64) }),
    attached('in the preamble, uuencoded', 'hello', { part: [], preamble: [uuencode(payload)] }),
    attached('in the epilogue, uuencoded', 'hello', { part: [], epilogue: [uuencode(payload)] }),
    sample('as the whole body', [...HEAD, ...leafOf(b64)]),
    sample('as the whole body, unnamed', [...HEAD, '', b64]),
    sample('as the whole body, quoted-printable', [
      ...HEAD,
      'Content-Transfer-Encoding: quoted-printable',
      '',
      quotedPrintable(payload),
    ]),
  ]
}

function nested(b64: string): Sample[] {
  const samples: Sample[] = []
  for (let depth = 1; depth <= 20; depth++) {
    let text = crlf(leafOf(b64))
    for (let level = 0; level < depth; level++)
      text = crlf([`Content-Type: multipart/mixed; boundary=b${level}`, '', `--b${level}`, text, `--b${level}--`, ''])
    samples.push(sample(`multiparts, ${depth} deep`, [...HEAD, text]))
    let mail = crlf([...HEAD, ...leafOf(b64)])
    for (let level = 0; level < depth; level++) mail = crlf([...HEAD, 'Content-Type: message/rfc822', '', mail])
    samples.push({ name: `mails, ${depth} deep`, mail: Buffer.from(mail, 'latin1') })
  }
  for (const encode of [(text: string) => text, (text: string) => wrapped(Buffer.from(text).toString('base64'), 76)]) {
    const name = encode('a') === 'a' ? 'as it is' : 'in base64'
    const inner = crlf(['--foo', ...leafOf(b64), '--foo--', ''])
    samples.push(sample(`multipart ${name}, said to be base64`, [...HEAD, MIXED, BASE64, '', encode(inner)]))
    const same = crlf([MIXED, '', '--foo', ...leafOf(b64), '--foo--', ''])
    samples.push(sample(`same boundary, ${name}`, [...HEAD, MIXED, '', '--foo', same, '--foo--', '']))
  }
  return samples
}

function mailsInside(b64: string): Sample[] {
  const inner = attachedText(b64)
  const types = [
    'message/rfc822',
    'Message/RFC822; name=x.eml',
    'message/global',
    'message/news',
    'message/x-unknown',
    'text/rfc822',
    'text/plain',
    'application/octet-stream; name="x.eml"',
    'message/partial; id=x; number=1; total=1',
    'message/external-body; access-type=local-file; name=x',
  ]
  const encodings: [string, (text: string) => string][] = [
    ['7bit', (text) => text],
    ['base64', (text) => wrapped(Buffer.from(text).toString('base64'), 76)],
    ['quoted-printable', (text) => wrapped(quotedPrintable(text), 60, '=\r\n')],
  ]
  return types.flatMap((type) =>
    encodings.map(([encoding, encode]) =>
      attached(`mail inside: ${type}, ${encoding}`, encode(inner), {
        type: ['Content-Type: multipart/mixed; boundary=outer'],
        delimiter: '--outer',
        part: [`Content-Type: ${type}`, `Content-Transfer-Encoding: ${encoding}`],
      }),
    ),
  )
}

/** Files in formats of mail programs and in pages, by each transfer encoding: more is to be read there than MIME. */
export function fileEvasions(payload: string): Sample[] {
  return Object.entries(readableBy(payload)).flatMap(([name, { type, bytes }]) => [
    attached(`${name}, base64`, wrapped(bytes.toString('base64'), 76), { part: [`Content-Type: ${type}`, BASE64] }),
    attached(`${name}, binary`, bytes.toString('latin1'), {
      part: [`Content-Type: ${type}`, 'Content-Transfer-Encoding: binary'],
    }),
    attached(`${name}, unnamed`, wrapped(bytes.toString('base64'), 76), { part: [OCTETS, BASE64] }),
  ])
}

/** Mails in signed or compressed objects. */
function opaque(b64: string): Sample[] {
  const inner = Buffer.from(attachedText(b64), 'latin1')
  const types = ['application/pkcs7-mime; smime-type=signed-data; name=smime.p7m', 'application/x-pkcs7-mime']
  return Object.entries(opaqueSigned(inner)).flatMap(([name, bytes]) =>
    types.map((type) => {
      const text = wrapped(bytes.toString('base64'), 76)
      return sample(`${name}, ${type}`, [...HEAD, `Content-Type: ${type}`, BASE64, '', text])
    }),
  )
}
