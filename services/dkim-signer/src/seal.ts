// ARC sets (RFC 8617 section 5.1) on mail that is handed on: what we found out about its sender, sealed, so that the next
// server may believe us where its own checks must fail.
import { Readable } from 'node:stream'
import type { OpenContent } from '@sekimori/mail/content'
import { asDelivered, headerBytes } from '@sekimori/mail/delivered'
import type { Job } from '@sekimori/mail/job'
import type { SigningKey } from '@sekimori/store/dkim-key'
import { createSeal } from 'mailauth/lib/arc/index.js'

/** Chains that can't be carried on: the mail goes as it is. */
const UNSEALABLE = new Set(['EARCCHAINFAILED', 'EINVALIDINSTANCE', 'EINVALIDCV'])

/**
 * Seals a mail with one of the keys, RSA before Ed25519, which few verify yet. Resolves to the header lines of the set, top
 * first; none when the mail has no results of ours, or a chain that can't be carried on. @throws Error when signing fails
 */
export async function sealLines(
  job: Job,
  domain: string,
  keys: SigningKey[],
  open: OpenContent,
  signTime = new Date(),
): Promise<string[]> {
  const results = job.added.find((line) => /^authentication-results:/i.test(line))
  const key = keys.find(({ algorithm }) => algorithm === 'rsa-sha256') ?? keys[0]
  if (results === undefined || key === undefined) return []
  const { selector, algorithm, privateKey } = key
  const seal = {
    signingDomain: domain,
    selector,
    algorithm,
    privateKey,
    signTime,
    authResults: results.slice(results.indexOf(':') + 1).trim(),
    cv: chainStatus(results),
  }
  const input = Readable.from(asDelivered(headerBytes(job.added), open(job.content), job.struck), { objectMode: false })
  // The declared type knows neither KeyObject nor the result's codes.
  const { headers, errors } = await createSeal(input, { seal } as unknown as Parameters<typeof createSeal>[1])
  if (headers.length > 0) return headers.map((line) => line.trimEnd())
  const error = (errors as unknown as { err: Error & { code?: string } }[])[0]?.err
  if (UNSEALABLE.has(error?.code ?? '')) return []
  throw new Error(`sealing for ${domain} failed`, { cause: error })
}

/** What our own verifier found about the chain that the mail came with. */
function chainStatus(results: string): 'none' | 'pass' | 'fail' {
  const status = /[;\s]arc=(pass|fail)\b/.exec(results)?.[1]
  return (status as 'pass' | 'fail' | undefined) ?? 'none'
}
