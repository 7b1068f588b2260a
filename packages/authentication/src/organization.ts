// The Organizational Domain of a name, by the DNS Tree Walk (RFC 9989 section 4.10.2).
import type { Resolve } from '@sekimori/dns/resolver'
import { createRecordLookup, getOrgDomain } from 'mailauth/lib/dmarc/get-dmarc-record.js'

/** @throws DnsError when the walk can't be finished now */
export function organizationalDomain(domain: string, resolve: Resolve): Promise<string> {
  return getOrgDomain(domain, createRecordLookup(resolve, { strict: true }))
}
