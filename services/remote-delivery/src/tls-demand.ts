// What encryption a server must show before it gets a mail: by the operator's word for the domain, DANE (RFC 7672), MTA-STS
// (RFC 8461) and the mail's own wish (RFC 8689).
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { matchesTlsa, type Tlsa } from './dane.ts'
import { isPolicyHost, type StsPolicy } from './mta-sts.ts'

/** What an operator asks for a domain: opportunistic is nothing, verified a certificate that fits the host. */
export type TlsFloor = 'opportunistic' | 'encrypted' | 'verified'

/** A fault of a session as TLS-RPT has it (RFC 8460 section 4.3); those of policies are in sts-fetch.ts. */
export type TlsFault =
  | 'starttls-not-supported'
  | 'certificate-host-mismatch'
  | 'certificate-expired'
  | 'certificate-not-trusted'
  | 'validation-failure'
  | 'tlsa-invalid'
  | 'dnssec-invalid'

/** `isStrict`: no mail goes without; otherwise the fault is only recorded (MTA-STS in testing mode, or nobody asks). */
export type TlsDemand =
  | { kind: 'none' }
  | { kind: 'encrypted' }
  | { kind: 'verified'; by: 'MTA-STS' | 'operator'; isStrict: boolean }
  | { kind: 'dane'; records: Extract<Tlsa, { kind: 'records' }>['records'] }
  | { kind: 'excluded'; fault: TlsFault; reason: string; isStrict: boolean }

/** What is known of the domain and the server that bears on encryption. */
export interface TlsFacts {
  floor: TlsFloor
  sts?: StsPolicy | undefined
  tlsa: Tlsa
  host: string
}

/** DANE goes before MTA-STS (RFC 8461 section 2), and the operator's word is the least that is asked for. */
export function tlsDemand({ floor, sts, tlsa, host }: TlsFacts): TlsDemand {
  if (tlsa.kind === 'unknown')
    return { kind: 'excluded', fault: 'dnssec-invalid', reason: `TLSA lookup failed (${tlsa.reason})`, isStrict: true }
  if (tlsa.kind === 'records') return { kind: 'dane', records: tlsa.records }
  if (sts !== undefined && !isPolicyHost(sts, host) && floor !== 'verified')
    return {
      kind: 'excluded',
      fault: 'validation-failure',
      reason: 'the MTA-STS policy does not name it',
      isStrict: sts.mode === 'enforce',
    }
  if (floor === 'verified') return { kind: 'verified', by: 'operator', isStrict: true }
  if (sts?.mode === 'enforce') return { kind: 'verified', by: 'MTA-STS', isStrict: true }
  if (floor === 'encrypted' || tlsa.kind === 'unusable') return { kind: 'encrypted' }
  return sts === undefined ? { kind: 'none' } : { kind: 'verified', by: 'MTA-STS', isStrict: false }
}

export interface TlsProof {
  /** By what the server has proved who it is; undefined when it has not, or nobody asked. */
  by?: 'DANE' | 'MTA-STS' | 'operator'
  fault?: TlsFault
  reason?: string
}

/** What an encrypted session proves of what is demanded. */
export function proofOf(socket: TLSSocket, demand: TlsDemand): TlsProof {
  switch (demand.kind) {
    case 'none':
    case 'encrypted':
      return {}
    case 'excluded':
      return { fault: demand.fault, reason: demand.reason }
    case 'verified': {
      const fault = certificateFault(socket)
      return fault === undefined ? { by: demand.by } : { fault, reason: String(socket.authorizationError) }
    }
    case 'dane': {
      const certificate = socket.getPeerX509Certificate()
      const isMatch = certificate !== undefined && matchesDane(demand.records, certificate, socket.servername)
      return isMatch
        ? { by: 'DANE' }
        : { fault: 'validation-failure', reason: 'the certificate is not that of its TLSA record' }
    }
  }
}

function matchesDane(
  records: Extract<Tlsa, { kind: 'records' }>['records'],
  certificate: X509Certificate,
  host: string | false | null | undefined,
): boolean {
  const now = Date.now()
  const isInTime = Date.parse(certificate.validFrom) <= now && now <= Date.parse(certificate.validTo)
  const isNamed = isInTime && typeof host === 'string' && certificate.checkHost(host) !== undefined
  return matchesTlsa(records, certificate, issuersOf(certificate), isNamed)
}

/** The chain above a certificate; a root is its own issuer. */
function issuersOf(certificate: X509Certificate): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (
    let next = certificate.issuerCertificate;
    next !== undefined && chain.length < 10;
    next = next.issuerCertificate
  ) {
    if (chain.some(({ fingerprint256 }) => fingerprint256 === next!.fingerprint256)) break
    chain.push(next)
  }
  return chain
}

/** What is wrong with the certificate by the rules of the Web PKI. */
function certificateFault({ authorized, authorizationError }: TLSSocket): TlsFault | undefined {
  if (authorized) return undefined
  switch (String(authorizationError)) {
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return 'certificate-host-mismatch'
    case 'CERT_HAS_EXPIRED':
      return 'certificate-expired'
    default:
      return 'certificate-not-trusted'
  }
}
