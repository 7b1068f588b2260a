// npm run check:tls: testssl.sh (Debian: testssl.sh) on every port of a running system; fails on a finding of medium or
// worse. Two minutes a port: for nightly runs.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type TlsListener, tlsListeners } from '@sekimori/testing/tls-probe'

interface Finding {
  id: string
  severity: string
  finding: string
}

const run = promisify(execFile)
const BAD = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'])
/** Of the certificate, not of what we speak: a local authority has no revocation service. */
const OF_THE_CERTIFICATE = /^cert_(revocation|expirationStatus|notAfter|chain_of_trust)/
const STARTTLS: Partial<Record<TlsListener, string>> = { submission: 'smtp', mx: 'smtp', pop3: 'pop3' }

const { values } = parseArgs({ options: { 'state-dir': { type: 'string', default: '.local' } } })
const endpoints = JSON.parse(readFileSync(join(values['state-dir'], 'endpoints.json'), 'utf8'))

async function check(listener: TlsListener, dir: string): Promise<Finding[]> {
  const report = join(dir, `${listener}.json`)
  const starttls = STARTTLS[listener]
  const args = [
    '--quiet',
    '--color',
    '0',
    '--warnings',
    'off',
    '--nodns',
    'none',
    '--ip',
    '127.0.0.1',
    '--jsonfile',
    report,
  ]
  const how = [...(starttls === undefined ? [] : ['--starttls', starttls]), '--add-ca', endpoints.caCertificate]
  // Its exit status counts what it would have liked to try as well; the report says what matters.
  await run('testssl', [...args, ...how, `localhost:${endpoints[listener].port}`]).catch((error) => error)
  const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[]
  if (!findings.some(({ id }) => id === 'TLS1_3')) throw new Error(`testssl.sh did not get through on ${listener}`)
  return findings.filter(({ id, severity }) => BAD.has(severity) && !OF_THE_CERTIFICATE.test(id))
}

const dir = mkdtempSync(join(tmpdir(), 'testssl-'))
try {
  for (const listener of tlsListeners) {
    const findings = await check(listener, dir)
    process.stdout.write(`${listener}: ${findings.length === 0 ? 'no finding of medium or worse' : ''}\n`)
    for (const { id, severity, finding } of findings) process.stdout.write(`  ${severity} ${id}: ${finding}\n`)
    if (findings.length > 0) process.exitCode = 1
  }
} finally {
  await rm(dir, { recursive: true })
}
