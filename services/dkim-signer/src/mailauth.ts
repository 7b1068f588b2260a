// DKIM signatures by mailauth (RFC 6376, RFC 8463): relaxed/relaxed, no l=, the body hashed once for all keys.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Content, OpenContent } from '@sekimori/mail/content'
import type { SigningKey } from '@sekimori/store/dkim-key'
import { DkimSigner, type ParsedField } from 'mailauth/lib/dkim/dkim-signer.js'
import { OVERSIGNED_FIELDS, SIGNED_FIELDS } from './signed-fields.ts'

/** Signs with every key; resolves to one header line (folded, without final CRLF) a key. @throws Error when one fails. */
export async function signatureLines(
  content: Content,
  domain: string,
  keys: SigningKey[],
  open: OpenContent,
): Promise<string[]> {
  const signer = new OversigningSigner({
    canonicalization: 'relaxed/relaxed',
    strict: true,
    headerList: SIGNED_FIELDS,
    signTime: new Date(),
    signatureData: keys.map(({ selector, algorithm, privateKey }) => ({
      signingDomain: domain,
      selector,
      algorithm,
      privateKey,
    })),
  })
  if (content.kind === 'inline') await written(content.bytes, signer)
  else await pipeline(Readable.from(open(content), { objectMode: false }), signer)
  const { errors, signatureHeaders } = signer
  if (errors.length > 0) throw new Error(`signing for ${domain} failed`, { cause: errors[0]!.err })
  return signatureHeaders.map((line) => line.trimEnd())
}

/** A pipeline of one buffer would cost more than it reads. */
async function written(mail: Buffer, signer: DkimSigner): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  signer.on('error', reject).end(mail, () => resolve())
  await promise
}

const COVERED = new Set(SIGNED_FIELDS.map((name) => name.toLowerCase()))

class OversigningSigner extends DkimSigner {
  /**
   * The library names in h= what it signs, from the lowest field to the topmost, by `casedKey`. Names behind the topmost
   * one stand for fields that are not there (RFC 6376 section 5.4.2), which add nothing to what is hashed.
   */
  override async messageHeaders(headers: { parsed: ParsedField[] }): Promise<void> {
    const topmost = headers.parsed.find(({ key }) => COVERED.has(key))
    if (topmost !== undefined) topmost.casedKey = [topmost.casedKey, ...OVERSIGNED_FIELDS].join(': ')
    await super.messageHeaders(headers)
  }
}
