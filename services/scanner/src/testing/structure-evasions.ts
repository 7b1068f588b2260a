// Mails whose header sections or parts are cut in places where readers differ.
import { crlf, HEAD, type Sample, sample, uuencode } from './sample.ts'

export function headerTricks(b64: string): Sample[] {
  const part = [
    '--foo',
    'Content-Type: application/octet-stream',
    'Content-Transfer-Encoding: base64',
    '',
    b64,
    '--foo--',
    '',
  ]
  const type = 'Content-Type: multipart/mixed; boundary=foo'
  return [
    sample('no MIME-Version', [...HEAD.slice(0, 3), type, '', ...part]),
    sample('line that is no field in the header', [...HEAD, 'this is no field', type, '', ...part]),
    sample('line of spaces in the header', [...HEAD, '   ', type, '', ...part]),
    sample('space before the field name', [...HEAD, ` ${type}`, '', ...part]),
    sample('NUL in the field name', [...HEAD, `Content-Type\0: multipart/mixed; boundary=foo`, '', ...part]),
    sample('part header goes on behind an empty line', [
      ...HEAD,
      type,
      '',
      '--foo',
      '',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      '',
      b64,
      '--foo--',
      '',
    ]),
    sample('part header without an empty line', [
      ...HEAD,
      type,
      '',
      '--foo',
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      b64,
      '--foo--',
      '',
    ]),
    { name: 'bare CR line ends', mail: Buffer.from([...HEAD, type, '', ...part].join('\r'), 'latin1') },
    {
      name: 'bare CR in the part header',
      mail: Buffer.from(crlf([...HEAD, type, '', ...part]).replace('octet-stream\r\n', 'octet-stream\r'), 'latin1'),
    },
    { name: 'bare LF line ends', mail: Buffer.from([...HEAD, type, '', ...part].join('\n'), 'latin1') },
  ]
}

export function structureTricks(payload: string, b64: string): Sample[] {
  const type = 'Content-Type: multipart/mixed; boundary=foo'
  const leaf = ['Content-Type: application/octet-stream', 'Content-Transfer-Encoding: base64', '', b64]
  const inner = crlf([...HEAD, type, '', '--foo', ...leaf, '--foo--', ''])
  return [
    sample('no closing delimiter', [...HEAD, type, '', '--foo', ...leaf, '']),
    sample('part behind the closing delimiter', [
      ...HEAD,
      type,
      '',
      '--foo',
      'Content-Type: text/plain',
      '',
      'x',
      '--foo--',
      '--foo',
      ...leaf,
      '--foo--',
      '',
    ]),
    sample('delimiter with trailing text', [...HEAD, type, '', '--foo bar', ...leaf, '--foo--', '']),
    sample('closing delimiter first', [...HEAD, type, '', '--foo--', '--foo', ...leaf, '--foo--', '']),
    sample('mail in a mail', [...HEAD, 'Content-Type: message/rfc822', '', inner]),
    sample('mail in a mail, base64', [
      ...HEAD,
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from(inner).toString('base64'),
    ]),
    sample('mail as text', [...HEAD, 'Content-Type: text/plain', '', inner]),
    sample('uuencode in the body', [...HEAD, '', 'see below', '', uuencode(payload), '']),
    sample('uuencode in the preamble', [
      ...HEAD,
      type,
      '',
      uuencode(payload),
      '--foo',
      'Content-Type: text/plain',
      '',
      'x',
      '--foo--',
      '',
    ]),
    sample('uuencode in the epilogue', [
      ...HEAD,
      type,
      '',
      '--foo',
      'Content-Type: text/plain',
      '',
      'x',
      '--foo--',
      uuencode(payload),
      '',
    ]),
    sample('begin-base64', [...HEAD, '', 'begin-base64 644 a.com', b64, '====', '']),
    sample('the whole body is base64', [
      ...HEAD,
      'Content-Type: application/octet-stream',
      'Content-Transfer-Encoding: base64',
      '',
      b64,
    ]),
    sample('multipart in a multipart with the same boundary', [
      ...HEAD,
      type,
      '',
      '--foo',
      type,
      '',
      '--foo',
      ...leaf,
      '--foo--',
      '',
    ]),
  ]
}
