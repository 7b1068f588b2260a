// Where a domain wants reports on the encryption of sessions with its servers (RFC 8460 section 3).
import { readTags } from '@sekimori/dns/dkim-record'
import type { Resolve } from '@sekimori/dns/resolver'
import { MOST_DESTINATIONS, textsOf } from './report-destination.ts'
import { type ReportUri, readReportUris } from './report-uri.ts'

/** None when the domain asks for no reports, or has several records. @throws DnsError when it can't be found out now */
export async function tlsDestinations(domain: string, resolve: Resolve): Promise<ReportUri[]> {
  const records = (await textsOf(`_smtp._tls.${domain}`, resolve)).filter((text) => /^v=TLSRPTv1\s*;/.test(text))
  const rua = records.length === 1 ? readTags(records[0]!)?.get('rua') : undefined
  return rua === undefined ? [] : readReportUris(rua).slice(0, MOST_DESTINATIONS)
}
