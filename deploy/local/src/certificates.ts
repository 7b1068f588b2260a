// The TLS files of local mode: a CA of this installation's own and a server certificate, renewed in time (RFC 5280).
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { writeFileAtomically } from './atomic-file.ts'
import type { Authority } from './certificate-authority.ts'

export interface TlsFiles {
  caCertificate: string
  certificate: string
  key: string
}

const DAY_MS = 24 * 60 * 60 * 1000
const RENEW_BEFORE_MS = 30 * DAY_MS

/** Makes what is missing, what expires within 30 days and what doesn't fit `names` (host names and addresses). */
export async function ensureCertificates(dir: string, names: string[], now = new Date()): Promise<TlsFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const files = {
    caCertificate: join(dir, 'ca.pem'),
    certificate: join(dir, 'server.pem'),
    key: join(dir, 'server-key.pem'),
  }
  const caKeyPath = join(dir, 'ca-key.pem')
  const authority = await readAuthority(files.caCertificate, caKeyPath, now)
  if (authority !== undefined && (await isUsable(files, authority, names, now))) return files
  // Loaded only when needed: it costs a good part of a second.
  const { issueCertificate, makeAuthority } = await import('./certificate-authority.ts')
  const issuer = authority ?? (await makeAuthority(now))
  if (authority === undefined) {
    await writeFileAtomically(caKeyPath, issuer.key)
    await writeFileAtomically(files.caCertificate, issuer.certificate)
  }
  const { certificate, key } = await issueCertificate(issuer, names, now)
  await writeFileAtomically(files.key, key)
  await writeFileAtomically(files.certificate, certificate + issuer.certificate)
  return files
}

async function readAuthority(certificatePath: string, keyPath: string, now: Date): Promise<Authority | undefined> {
  const [certificate, key] = await Promise.all([read(certificatePath), read(keyPath)])
  if (certificate === undefined || key === undefined) return undefined
  const parsed = parse(certificate, key)
  return parsed !== undefined && lastsLongEnough(parsed, now) ? { certificate, key } : undefined
}

async function isUsable(files: TlsFiles, authority: Authority, names: string[], now: Date): Promise<boolean> {
  const [certificate, key] = await Promise.all([read(files.certificate), read(files.key)])
  if (certificate === undefined || key === undefined) return false
  const parsed = parse(certificate, key)
  if (parsed === undefined) return false
  const isOurs = parsed.verify(new X509Certificate(authority.certificate).publicKey)
  return isOurs && lastsLongEnough(parsed, now) && names.every((name) => covers(parsed, name))
}

function covers(certificate: X509Certificate, name: string): boolean {
  return (isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name)) !== undefined
}

function lastsLongEnough(certificate: X509Certificate, now: Date): boolean {
  return certificate.validToDate.getTime() - now.getTime() > RENEW_BEFORE_MS
}

/** The certificate, if it can be read and the key is its own. */
function parse(certificate: string, key: string): X509Certificate | undefined {
  try {
    const parsed = new X509Certificate(certificate)
    return parsed.checkPrivateKey(createPrivateKey(key)) ? parsed : undefined
  } catch {
    // Damaged: it is made anew.
    return undefined
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
