// Certificates for servers that tests start: made on the spot, trusted by nobody but the test (RFC 5280).
import 'reflect-metadata'
import { isIP } from 'node:net'
import { createSecureContext, type SecureContext } from 'node:tls'
import {
  BasicConstraintsExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' }
const RSA = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2_048,
  publicExponent: new Uint8Array([1, 0, 1]),
}
const DAY_MS = 86_400_000

/** PEM of a self-signed certificate for the names and addresses; `cert` is also the `ca` to trust. */
export async function makeTestCertificate(...names: string[]): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  return certify(keys, { name: 'ECDSA', hash: 'SHA-256' }, names)
}

/** The same, but its time is over. */
export async function makeExpiredTestCertificate(...names: string[]): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  return certify(keys, { name: 'ECDSA', hash: 'SHA-256' }, names, Date.now() - 2 * DAY_MS)
}

/** The same with an RSA key, as old clients need it. */
export async function makeTestRsaCertificate(...names: string[]): Promise<{ cert: string; key: string }> {
  const keys = await crypto.subtle.generateKey(RSA, true, ['sign', 'verify'])
  return certify(keys, RSA, names)
}

type SelfSigned = Parameters<typeof X509CertificateGenerator.createSelfSigned>[0]

async function certify(
  keys: SelfSigned['keys'],
  signingAlgorithm: NonNullable<SelfSigned['signingAlgorithm']>,
  names: string[],
  now = Date.now(),
): Promise<{ cert: string; key: string }> {
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + DAY_MS),
    signingAlgorithm,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })),
      ),
    ],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  return { cert: certificate.toString('pem'), key }
}

export interface TestChain {
  cert: string
  key: string
  leaf: string
  ca: string
}

/** PEM of a certificate for the names with the one of its issuer behind it, and the two by themselves. */
export async function makeTestChain(...names: string[]): Promise<TestChain> {
  return issue(names, Date.now())
}

/** The same, but its time is over; that of its issuer is not. */
export async function makeExpiredTestChain(...names: string[]): Promise<TestChain> {
  return issue(names, Date.now() - 2 * DAY_MS)
}

async function issue(names: string[], now: number): Promise<TestChain> {
  const authority = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const life = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + DAY_MS), signingAlgorithm }
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...life,
    name: 'CN=issuer',
    keys: authority,
    extensions: [new BasicConstraintsExtension(true, undefined, true)],
  })
  const certificate = await X509CertificateGenerator.create({
    signingAlgorithm,
    notBefore: new Date(now - DAY_MS),
    notAfter: new Date(now + DAY_MS),
    subject: 'CN=test',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: authority.privateKey,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
  })
  const key = PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY')
  const [leaf, issuer] = [`${certificate.toString('pem')}\n`, `${ca.toString('pem')}\n`]
  return { cert: leaf + issuer, key, leaf, ca: issuer }
}

/** A certificate as listeners take it; it never changes. */
export function fixedCertificates(pair: { cert: string; key: string }): {
  contextFor(): SecureContext
  onChange(): void
} {
  const context = createSecureContext(pair)
  return { contextFor: () => context, onChange: () => {} }
}
