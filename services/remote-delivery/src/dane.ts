// DANE for SMTP (RFC 7672): TLSA records that say which certificate a server has, believed only where DNSSEC has
// validated them and the way to them.
import type { X509Certificate } from 'node:crypto'
import { DnsError } from '@sekimori/dns/dns-error'
import type { RecordsByType } from '@sekimori/dns/records'
import mxConnect from 'mx-connect'
import type { ResolveValidated, Route } from './route.ts'
import type { Server } from './server-address.ts'

type TlsaRecord = RecordsByType['TLSA'][number]

/**
 * none: no DANE here. records: one of them must match. unusable: there are records, but of no kind that SMTP knows: then
 * the session must be encrypted (RFC 7672 section 2.2). unknown: they could not be looked up, and nothing may be assumed.
 */
export type Tlsa =
  | { kind: 'none' }
  | { kind: 'records'; records: TlsaRecord[] }
  | { kind: 'unusable' }
  | { kind: 'unknown'; reason: string }

const DANE_TA = 2
const DANE_EE = 3

/** The TLSA records of a server; looked for only where the hosts and the address are validated. */
export async function lookUpTlsa(route: Route, server: Server, port: number, resolve: ResolveValidated): Promise<Tlsa> {
  if (!route.isValidated || !server.isAddressValidated) return { kind: 'none' }
  try {
    const { records, isValidated } = await resolve(`_${port}._tcp.${server.host}`, 'TLSA')
    if (!isValidated) return { kind: 'none' }
    const usable = records.filter(isUsable)
    return usable.length > 0 ? { kind: 'records', records: usable } : { kind: 'unusable' }
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    const isAnswer = error.code === 'ENOTFOUND' || error.code === 'ENODATA'
    return isAnswer ? { kind: 'none' } : { kind: 'unknown', reason: error.code }
  }
}

/** PKIX usages (0 and 1) say nothing in SMTP (RFC 7672 section 3.1.3). */
function isUsable({ usage, selector, matchingType, data }: TlsaRecord): boolean {
  return (usage === DANE_TA || usage === DANE_EE) && selector <= 1 && matchingType <= 2 && data.length > 0
}

/**
 * Whether the certificate is one that the records mean. `isNamed`: whether it is for the server's name and in its time,
 * which DANE-TA asks for and DANE-EE does not (RFC 7672 section 3.1).
 */
export function matchesTlsa(
  records: TlsaRecord[],
  certificate: X509Certificate,
  issuers: X509Certificate[],
  isNamed: boolean,
): boolean {
  const usable = isNamed ? records : records.filter(({ usage }) => usage === DANE_EE)
  return usable.length > 0 && mxConnect.dane.verifyCertAgainstTlsa(certificate, usable, issuers).valid
}
