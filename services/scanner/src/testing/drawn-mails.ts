// Mails by the rules, drawn by lot (always the same ones): multiparts in multiparts, with one file somewhere in them.
import { quotedPrintable, wrapped } from './attached.ts'
import { crlf, type Sample } from './sample.ts'

const TYPES = [
  ...[
    'application/octet-stream',
    'application/pdf',
    'image/png',
    'text/plain',
    'text/html',
    'text/csv',
    'text/calendar',
  ],
  ...['application/zip', 'application/json', 'audio/mpeg', 'video/mp4', 'text/rtf', 'text/x-vcard', 'text/xml'],
]
const PARAMETERS = ['', '; charset=utf-8', '; name="a b.com"', ';\r\n\tname="x.exe"', "; name*=utf-8''%e3%81%82.exe"]
const OTHERS: string[][] = [
  [],
  ['Content-Disposition: attachment; filename="x.exe"'],
  ['Content-Disposition: attachment;', ' filename*0="very long "; filename*1="name.com"'],
  ['Content-Disposition: inline', 'Content-ID: <x@y>'],
  ['Content-Description: hello'],
]
const HEADS = [
  ...['From: a@b.example', 'To: c@d.example', 'Subject: =?utf-8?B?44GC?=', 'Message-ID: <1@b.example>', 'Reply-To: x'],
  ...[
    'DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=xxxx',
    'Received: from x\r\n\tby y',
    'MIME-Version: 1.0',
    'X-Mailer: foo',
  ],
  `X-Long: ${'z'.repeat(900)}`,
]
const SUBTYPES = ['mixed', 'mixed', 'alternative', 'related', 'report', 'signed', 'parallel', 'x-new']
const FILLERS = ['hello', '<html><body><p>hi</p></body></html>', 'a harmless attachment\r\nof two lines', '']
const DEEPEST = 5

/** So many mails, each with the file once. */
export function drawnMails(file: string, count: number): Sample[] {
  const lot = new Lot(file)
  return Array.from({ length: count }, (_, i) => ({ name: `drawn mail ${i}`, mail: Buffer.from(lot.mail(), 'latin1') }))
}

class Lot {
  #file: string
  #state = 20_261_122
  #boundaries = 0

  constructor(file: string) {
    this.#file = file
  }

  mail(): string {
    const head = HEADS.filter(() => this.#below(2) === 0)
    return crlf([...head, this.#entity(this.#below(DEEPEST), true)])
  }

  #below(most: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * most)
  }

  #one<T>(of: T[]): T {
    return of[this.#below(of.length)]!
  }

  #entity(depth: number, hasFile: boolean): string {
    if (depth === 0 || this.#below(4) === 0) return this.#leaf(hasFile ? this.#file : this.#one(FILLERS))
    const boundary = `${this.#one(['', '----=_Part_', '=_', "'()+_,-./:?", '_000_', '--'])}${this.#boundaries++}x`
    const count = 1 + this.#below(4)
    const place = this.#below(count)
    const parts = Array.from({ length: count }, (_, i) => [
      `--${boundary}`,
      this.#entity(depth - 1, hasFile && i === place),
    ])
    const type = `Content-Type: multipart/${this.#one(SUBTYPES)};${this.#one([' ', '\r\n\t'])}boundary="${boundary}"`
    const preamble = this.#one([[], ['This is a multi-part message in MIME format.'], ['']])
    return crlf([type, '', ...preamble, ...parts.flat(), `--${boundary}--`, ''])
  }

  #leaf(text: string): string {
    const [encoding, body] = this.#one<[string, string]>([
      ['base64', wrapped(Buffer.from(`${text} `).toString('base64'), 76)],
      ['quoted-printable', wrapped(quotedPrintable(`${text} `), 60, '=\r\n')],
      ['7bit', text],
      ['8bit', text],
      ['binary', text],
    ])
    const fields = [
      [`Content-Type: ${this.#one(TYPES)}${this.#one(PARAMETERS)}`],
      [`${this.#one(['Content-Transfer-Encoding', 'Content-transfer-encoding'])}: ${encoding}`],
      this.#one(OTHERS),
    ]
    return crlf([...(this.#below(2) === 0 ? fields : fields.toReversed()).flat(), '', body])
  }
}
