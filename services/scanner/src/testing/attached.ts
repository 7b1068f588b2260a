// For tests only: one file attached to a mail, with any part of the mail's form replaced.
import { crlf, HEAD, type Sample } from './sample.ts'

export interface Form {
  /** Fields of the mail that follow From, To, Subject and MIME-Version. */
  type?: string[]
  /** Fields of the part that holds the file. */
  part?: string[]
  /** How the delimiter lines begin. */
  delimiter?: string
  closing?: string
  preamble?: string[]
  epilogue?: string[]
  head?: string[]
  /** Between the fields and the file. */
  gap?: string[]
}

export const OCTETS = 'Content-Type: application/octet-stream; name="a.com"'
export const BASE64 = 'Content-Transfer-Encoding: base64'
export const MIXED = 'Content-Type: multipart/mixed; boundary="foo"'

/** A text, and the file as the second part. */
export function attached(name: string, file: string, form: Form = {}): Sample {
  return { name, mail: Buffer.from(attachedText(file, form), 'latin1') }
}

export function attachedText(file: string, form: Form = {}): string {
  const { type = [MIXED], part = [OCTETS, BASE64], delimiter = '--foo', closing = `${delimiter}--` } = form
  const { preamble = [], epilogue = [''], head = HEAD, gap = [''] } = form
  return crlf([
    ...[...head, ...type, '', ...preamble],
    ...[delimiter, 'Content-Type: text/plain', '', 'hello'],
    ...[delimiter, ...part, ...gap, file],
    ...[closing, ...epilogue],
  ])
}

/** Lines of so many letters. */
export function wrapped(text: string, length: number, lineEnd = '\r\n'): string {
  return text.match(new RegExp(`.{1,${length}}`, 'gs'))!.join(lineEnd)
}

export function quotedPrintable(text: string, isLower = false): string {
  const hex = (letter: string) => letter.charCodeAt(0).toString(16).padStart(2, '0')
  return [...text].map((letter) => `=${isLower ? hex(letter) : hex(letter).toUpperCase()}`).join('')
}
