// Formats in which mail programs wrap files, written octet by octet: uuencode in HTML, yEnc, BinHex, AppleSingle, MacBinary,
// TNEF, data URLs, CMS, and pages in charsets that hide their letters.
import { deflateSync } from 'node:zlib'
import { tnef } from '../archive/sample-documents.ts'
import { uuencode } from './sample.ts'

interface Wrapped {
  type: string
  bytes: Buffer
}

/** The file in each format that some mail program takes it out of. */
export function readableBy(payload: string): Record<string, Wrapped> {
  const file = Buffer.from(payload)
  const script = `<html><body><script>${payload}</script></body></html>`
  const html = (bytes: Buffer | string, charset = 'utf-8') => ({
    type: `text/html; charset=${charset}`,
    bytes: Buffer.from(bytes as string),
  })
  const long = Buffer.from(payload.padEnd(120)).toString('base64')
  const url = `data:application/octet-stream;base64,${file.toString('base64')}`
  return {
    TNEF: { type: 'application/ms-tnef; name=winmail.dat', bytes: tnef(file) },
    'TNEF in TNEF': { type: 'application/ms-tnef', bytes: tnef(tnef(file)) },
    yEnc: { type: 'text/plain', bytes: yEnc(file) },
    BinHex: { type: 'application/mac-binhex40', bytes: binHex(file) },
    AppleSingle: { type: 'application/applefile', bytes: appleSingle(file) },
    MacBinary: { type: 'application/macbinary', bytes: macBinary(file) },
    'uuencode in HTML': html(`<html><pre>\r\n${uuencode(payload)}\r\n</pre></html>`),
    'script in UTF-16LE': html(Buffer.from(script, 'utf16le'), 'utf-16le'),
    'script in UTF-16BE': html(Buffer.from(script, 'utf16le').swap16(), 'utf-16be'),
    'script in UTF-16 with a mark': html(Buffer.from(`\ufeff${script}`, 'utf16le'), 'utf-16'),
    'script in UTF-16, said to be UTF-8': html(Buffer.from(script, 'utf16le')),
    'script in UTF-7': html(utf7(script), 'utf-7'),
    'script in UTF-7, unnamed': html(`<meta charset=utf-7>${utf7(script)}`),
    'data URL': html(`<a download=a.com href="${url}">x</a>`),
    'data URL in a frame of its own': html(`<iframe srcdoc="&lt;a href='${url}'&gt;x&lt;/a&gt;"></iframe>`),
    'data URL in SVG': { type: 'image/svg+xml', bytes: Buffer.from(`<svg><image href="${url}"/></svg>`) },
    'handler with entities': html(`<p onclick="${entities(payload)}">x</p>`),
    'script URL with entities': html(`<a href="javascript:${entities(payload)}">x</a>`),
    'file in a script': html(`<script>save(atob("${long}"))</script>`),
    'file in a script, in pieces': html(`<script>save(atob("${long.match(/.{1,30}/g)!.join('" +\n "')}"))</script>`),
    'file in a handler': html(`<body onload='save(atob("${long}"))'>`),
    'file in a calendar': { type: 'text/calendar', bytes: Buffer.from(calendar(file)) },
  }
}

const entities = (text: string) => [...text].map((letter) => `&#${letter.charCodeAt(0)};`).join('')

function utf7(text: string): string {
  return text.replace(/[<>"=]/g, (letter) => {
    const bytes = Buffer.from(letter, 'utf16le').swap16()
    return `+${bytes.toString('base64').replace(/=+$/, '')}-`
  })
}

function calendar(file: Buffer): string {
  const lines = `ATTACH;ENCODING=BASE64;VALUE=BINARY:${file.toString('base64')}`.match(/.{1,70}/g)!
  return `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n${lines.join('\r\n ')}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`
}

function yEnc(file: Buffer): Buffer {
  const octets = [...file].flatMap((octet) => {
    const moved = (octet + 42) & 0xff
    return [0, 0x0a, 0x0d, 0x3d].includes(moved) ? [0x3d, (moved + 64) & 0xff] : [moved]
  })
  const begin = Buffer.from(`=ybegin line=128 size=${file.length} name=a.com\r\n`)
  return Buffer.concat([begin, Buffer.from(octets), Buffer.from(`\r\n=yend size=${file.length}\r\n`)])
}

function binHex(file: Buffer): Buffer {
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(file.length)
  const header = Buffer.concat([Buffer.from('\x05a.com\0TEXTttxt\0\0', 'latin1'), lengths, Buffer.alloc(2)])
  const plain = Buffer.concat([header, file, Buffer.alloc(4)])
  const packed = Buffer.from([...plain].flatMap((octet) => (octet === 0x90 ? [octet, 0] : [octet])))
  const alphabet = '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr'
  const bits = [...packed].map((octet) => octet.toString(2).padStart(8, '0')).join('')
  const letters = bits.match(/.{1,6}/g)!.map((group) => alphabet[Number.parseInt(group.padEnd(6, '0'), 2)]!)
  const text = `:${letters.join('')}:`.match(/.{1,64}/g)!.join('\r\n')
  return Buffer.from(`(This file must be converted with BinHex 4.0)\r\n\r\n${text}\r\n`)
}

function appleSingle(file: Buffer): Buffer {
  const header = Buffer.alloc(38)
  header.writeUInt32BE(0x00051600, 0)
  header.writeUInt32BE(0x00020000, 4)
  header.writeUInt16BE(1, 24)
  header.writeUInt32BE(1, 26)
  header.writeUInt32BE(38, 30)
  header.writeUInt32BE(file.length, 34)
  return Buffer.concat([header, file])
}

function macBinary(file: Buffer): Buffer {
  const header = Buffer.alloc(128)
  header[1] = 5
  header.write('a.com', 2)
  header.write('TEXTttxt', 65)
  header.writeUInt32BE(file.length, 83)
  return Buffer.concat([header, file, Buffer.alloc((128 - (file.length % 128)) % 128)])
}

/** CMS objects that hold the mail: signed, in DER and in pieces of BER, and compressed. */
export function opaqueSigned(mail: Buffer): Record<string, Buffer> {
  const oid = (hex: string) => Buffer.from(hex, 'hex')
  const data = oid('06092a864886f70d010701')
  const signed = oid('06092a864886f70d010702')
  const compressed = oid('060b2a864886f70d0109100109')
  const half = mail.length >> 1
  const pieces = endless(0x24, der(0x04, mail.subarray(0, half)), der(0x04, mail.subarray(half)))
  const zlib = der(0x30, oid('060b2a864886f70d0109100308'))
  const version = Buffer.from([2, 1, 1])
  const content = (octets: Buffer) => der(0x30, data, der(0xa0, octets))
  const signedData = (inner: Buffer) =>
    der(0x30, signed, der(0xa0, der(0x30, version, Buffer.from([0x31, 0]), inner, Buffer.from([0x31, 0]))))
  return {
    'signed, DER': signedData(content(der(0x04, mail))),
    'signed, in pieces': signedData(
      content(der(0x24, der(0x04, mail.subarray(0, half)), der(0x04, mail.subarray(half)))),
    ),
    'signed, BER of no length': endless(
      0x30,
      signed,
      endless(0xa0, endless(0x30, version, Buffer.from([0x31, 0]), endless(0x30, data, endless(0xa0, pieces)))),
    ),
    compressed: der(
      0x30,
      compressed,
      der(0xa0, der(0x30, Buffer.from([2, 1, 0]), zlib, content(der(0x04, deflateSync(mail))))),
    ),
  }
}

/** A CMS object whose content is encrypted. */
export function enveloped(): Buffer {
  const type = Buffer.from('06092a864886f70d010703', 'hex')
  return der(0x30, type, der(0xa0, der(0x30, Buffer.from([2, 1, 0]), der(0x31), der(0x30, Buffer.alloc(200, 0x5a)))))
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  const head = body.length < 0x80 ? [tag, body.length] : [tag, 0x84, ...length]
  return Buffer.concat([Buffer.from(head), body])
}

function endless(tag: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([tag, 0x80]), ...parts, Buffer.alloc(2)])
}
