// DKIM signatures by mailauth (RFC 6376, RFC 8463): relaxed/relaxed, no l=, the body hashed once for all keys.
import { Readable } from 'node:stream'
import type { Content, OpenContent } from '@sekimori/mail/content'
import type { SigningKey } from '@sekimori/store/dkim-key'
import type { DKIMSignOptions } from 'mailauth'
import { dkimSign } from 'mailauth/lib/dkim/sign.js'

/** Signs with every key; resolves to one header line (folded, without final CRLF) a key. @throws Error when one fails. */
export async function signatureLines(
  content: Content,
  domain: string,
  keys: SigningKey[],
  open: OpenContent,
): Promise<string[]> {
  const input = content.kind === 'inline' ? content.bytes : Readable.from(open(content), { objectMode: false })
  const options = {
    canonicalization: 'relaxed/relaxed',
    signTime: new Date(),
    signatureData: keys.map(({ selector, algorithm, privateKey }) => ({
      signingDomain: domain,
      selector,
      algorithm,
      privateKey,
    })),
  }
  // The declared type asks for a single key beside the list, which the library does not.
  const { signatures, errors } = await dkimSign(input, options as unknown as DKIMSignOptions)
  if (errors.length > 0) throw new Error(`signing for ${domain} failed`, { cause: errors[0]!.err })
  return signatures.split(/\r\n(?=\S)/).map((line) => line.trimEnd())
}
