// Mails that tests send, and what tests read in mails: header fields and body, octet for octet.
import { randomUUID } from 'node:crypto'

export interface MailParts {
  from: string
  to: string
  subject?: string
  /** More header lines, without CRLF. */
  headers?: string[]
  /** With CRLF line ends; default one line of text. */
  body?: string | Buffer
}

/** A plain mail with a Message-ID of its own, lines ended by CRLF. */
export function composeMail(parts: MailParts): Buffer {
  const lines = [
    `From: <${parts.from}>`,
    `To: <${parts.to}>`,
    `Subject: ${parts.subject ?? 'a test'}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${randomUUID()}@test.invalid>`,
    ...(parts.headers ?? []),
  ]
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), Buffer.from(parts.body ?? 'Hello.\r\n')])
}

/** The EICAR test file, assembled when it is needed: no file of ours is a finding. */
export function eicar(): string {
  return ['X5O!P%@AP[4\\PZX54(P^)7CC)7}$', 'EICAR', '-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'].join('')
}

/** What stands after the first empty line, octet for octet. */
export function bodyOf(mail: Buffer): Buffer {
  return mail.subarray(mail.indexOf('\r\n\r\n') + 4)
}

/** The values of all fields of this name, unfolded, in order. */
export function fieldsOf(mail: Buffer, name: string): string[] {
  const head = mail
    .subarray(0, mail.indexOf('\r\n\r\n'))
    .toString('utf8')
    .replaceAll(/\r\n(?=[ \t])/g, '')
  const prefix = `${name.toLowerCase()}:`
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(prefix))
    .map((line) => line.slice(prefix.length).trim())
}

/** The only field of this name. @throws Error when there is none, or more */
export function fieldOf(mail: Buffer, name: string): string {
  const values = fieldsOf(mail, name)
  if (values.length !== 1) throw new Error(`expected one ${name} field, found ${values.length}: ${values.join(' | ')}`)
  return values[0]!
}

/** The Subject with its encoded words read (RFC 2047, in UTF-8). */
export function subjectOf(mail: Buffer): string {
  const value = fieldOf(mail, 'Subject').replaceAll(/\?=[ \t]+=\?/g, '?==?')
  return value.replaceAll(/(?:=\?utf-8\?[bq]\?[^?]*\?=)+/gi, (words) => {
    const parts = [...words.matchAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi)]
    return Buffer.concat(parts.map(([, encoding, text]) => decodeWord(encoding!, text!))).toString('utf8')
  })
}

function decodeWord(encoding: string, text: string): Buffer {
  return encoding.toLowerCase() === 'b' ? Buffer.from(text, 'base64') : decodeQuotedPrintable(text.replaceAll('_', ' '))
}

/** The text of a mail of one part, decoded (RFC 2045 section 6), with plain line ends. */
export function textOf(mail: Buffer): string {
  const encoding = fieldsOf(mail, 'Content-Transfer-Encoding')[0]?.toLowerCase()
  const body = bodyOf(mail).toString('latin1')
  switch (encoding) {
    case 'base64':
      return plainLines(Buffer.from(body, 'base64'))
    case 'quoted-printable':
      return plainLines(decodeQuotedPrintable(body.replaceAll('=\r\n', '')))
    default:
      return plainLines(bodyOf(mail))
  }
}

function decodeQuotedPrintable(text: string): Buffer {
  const decoded = text.replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(decoded, 'latin1')
}

function plainLines(text: Buffer): string {
  return text.toString('utf8').replaceAll('\r\n', '\n')
}
