// Mail signed by hand with tags of any kind, for tests of what a verifier makes of them (RFC 6376 section 3.5).
import { createHash, type KeyObject, sign } from 'node:crypto'

/** Header fields without CRLF, and the body. */
export interface PlainMail {
  fields: string[]
  body: string
}

export interface SignatureTags {
  a: string
  d: string
  s: string
  /** Names of the fields that are signed. */
  h: string
  [tag: string]: string
}

const relaxed = (field: string) => {
  const [name = '', ...value] = field.split(':')
  const text = value
    .join(':')
    .replace(/\r\n/g, '')
    .replace(/[ \t]+/g, ' ')
  return `${name.trim().toLowerCase()}:${text.trim()}`
}

/** The mail with one relaxed/relaxed signature on top; `tags` are written as they are, and stand for the defaults. */
export function signMailWith(mail: PlainMail, key: KeyObject, tags: SignatureTags): string {
  const hash = tags.a.endsWith('sha1') ? 'sha1' : 'sha256'
  const signed = 'l' in tags ? mail.body.slice(0, Number(tags.l)) : mail.body
  const bh = createHash(hash).update(signed, 'utf8').digest('base64')
  const all = { v: '1', c: 'relaxed/relaxed', ...tags, bh }
  const unsigned = `DKIM-Signature: ${Object.entries(all)
    .map(([tag, value]) => `${tag}=${value}`)
    .join('; ')}; b=`
  const remaining = [...mail.fields]
  const covered = tags.h.split(':').flatMap((name) => {
    const at = remaining.findLastIndex((field) => field.toLowerCase().startsWith(`${name.trim().toLowerCase()}:`))
    return at < 0 ? [] : remaining.splice(at, 1)
  })
  const data = Buffer.from([...covered.map((field) => `${relaxed(field)}\r\n`), relaxed(unsigned)].join(''))
  const isEd25519 = key.asymmetricKeyType === 'ed25519'
  const signature = isEd25519 ? sign(null, createHash('sha256').update(data).digest(), key) : sign(hash, data, key)
  return [`${unsigned}${signature.toString('base64')}`, ...mail.fields, '', mail.body].join('\r\n')
}
