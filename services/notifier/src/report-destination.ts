// To whom a domain's DMARC reports may go: elsewhere only where the destination says so (RFC 9990).
import { organizationalDomain } from '@sekimori/authentication/organization'
import { readTags } from '@sekimori/dns/dkim-record'
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import { type ReportUri, readReportUris } from './report-uri.ts'

/** Destinations of one report that are served; those beyond are left out. */
export const MOST_DESTINATIONS = 2
const LONGEST_NAME = 253

export type MailUri = Extract<ReportUri, { kind: 'mail' }>

/** The destinations that may be used. @throws DnsError when it can't be found out now */
export async function dmarcDestinations(policyDomain: string, rua: string, resolve: Resolve): Promise<MailUri[]> {
  const allowed: MailUri[] = []
  for (const uri of readReportUris(rua)) {
    if (uri.kind !== 'mail' || allowed.length === MOST_DESTINATIONS) continue
    const agreed = await agreedDestination(policyDomain, uri, resolve)
    if (agreed !== undefined) allowed.push(agreed)
  }
  return allowed
}

/** The destination, or the one that its host wants instead; undefined when the host has not agreed. */
async function agreedDestination(policyDomain: string, uri: MailUri, resolve: Resolve): Promise<MailUri | undefined> {
  if (await isSameOrganization(policyDomain, uri.host, resolve)) return uri
  const name = `${policyDomain}._report._dmarc.${uri.host}`
  if (name.length > LONGEST_NAME) return undefined
  const records = (await textsOf(name, resolve)).map(readTags).filter((tags) => isReportRecord(tags))
  if (records.length === 0) return undefined
  const other = records.find((tags) => tags!.has('rua'))?.get('rua')
  if (other === undefined) return uri
  // The host may name another address of its own; one elsewhere voids its consent.
  const [instead] = readReportUris(other)
  return instead?.kind === 'mail' && instead.host === uri.host ? instead : undefined
}

async function isSameOrganization(one: string, other: string, resolve: Resolve): Promise<boolean> {
  if (one === other) return true
  const [first, second] = await Promise.all([organizationalDomain(one, resolve), organizationalDomain(other, resolve)])
  return first === second
}

function isReportRecord(tags: Map<string, string> | undefined): boolean {
  return tags !== undefined && [...tags.keys()][0] === 'v' && tags.get('v') === 'DMARC1'
}

/** The TXT records of a name; none when there is no such name. */
export async function textsOf(name: string, resolve: Resolve): Promise<string[]> {
  try {
    return (await resolve(name, 'TXT')).map((strings) => strings.join(''))
  } catch (error) {
    if (error instanceof DnsError && ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(error.code)) return []
    throw error
  }
}
