// DKIM signatures (RFC 6376, 8301, 8463) and the ARC chain (RFC 8617) of a mail, read in one pass over its body.
import type { Readable } from 'node:stream'
import type { Resolve } from '@sekimori/dns/resolver'
import type { DKIMResult } from 'mailauth'
import { arc } from 'mailauth/lib/arc/index.js'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import { formatAuthHeaderRow } from 'mailauth/lib/tools.js'
import type { ArcFinding, ArcResult, DkimFinding, DkimResult } from './findings.ts'

export interface SignatureFindings {
  dkim: DkimFinding[]
  arc: ArcFinding
  /** How many From fields the library sees; it reads a damaged header section in its own way. */
  fromFields: number
}

/** `receivedAt`: signatures that had expired by then are not valid (x=). */
export interface SignatureFacts {
  receivedAt: Date
  clientAddress?: string
}

/** Verifies every signature. @throws what reading the mail throws. */
export async function checkSignatures(
  mail: Buffer | Readable,
  { receivedAt, clientAddress }: SignatureFacts,
  resolver: Resolve,
): Promise<SignatureFindings> {
  const found = await dkimVerify(mail, { resolver, strict: true, curTime: receivedAt })
  const options = { resolver, strict: true, ...(clientAddress === undefined ? {} : { ip: clientAddress }) }
  const chain = await arc((found.arc ?? {}) as Parameters<typeof arc>[0], options)
  return {
    dkim: found.results.map(dkimFinding),
    arc: { result: chain.status.result as ArcResult, sets: chain.i || 0, line: chain.info ?? 'arc=none' },
    fromFields: found.fromFields,
  }
}

function dkimFinding({ status, signingDomain, selector, info }: DKIMResult): DkimFinding {
  const judged = judge(status)
  return {
    result: judged.result as DkimResult,
    ...(signingDomain ? { domain: signingDomain } : {}),
    ...(selector ? { selector } : {}),
    line: judged === status && info ? info : formatAuthHeaderRow('dkim', judged, { strict: true }),
  }
}

/** What the RFCs leave to the receiver: bodies that l= leaves unsigned in part, and keys that are only being tested. */
function judge(status: DKIMResult['status']): DKIMResult['status'] {
  // Anybody can add to such a body, and what is added may be all that a reader sees (RFC 6376 section 8.2).
  if (status.result === 'pass' && status.underSized)
    return { ...status, result: 'policy', policy: { 'dkim-rules': 'unsigned-body' } }
  // A mail is treated no worse for such a signature than for none (RFC 6376 section 3.6.1).
  if (status.result === 'fail' && status.testing) return { ...status, result: 'neutral', comment: 'test mode' }
  return status
}
