// npm run check:tls: testssl.sh on 25, 110, 465, 587 and 995 (the settings API speaks no TLS: it stands behind a proxy); fails
// on a finding of medium or worse. Installs Debian's testssl.sh and starts a system of its own. For nightly runs.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { type TlsListener, tlsListeners } from '@sekimori/testing/tls-probe'
import { ensureInstalled } from '../deploy/local/src/system-packages.ts'
import { startSystem } from './bench/running-system.ts'

const help = `npm run check:tls -- [--state-dir DIR] [LISTENER…]

  --state-dir DIR   check the system that runs with this STATE_DIR (default: start one and stop it again)
  LISTENER          ${tlsListeners.join(', ')} (default: all, some minutes each)
`

interface Finding {
  id: string
  severity: string
  finding: string
}

const run = promisify(execFile)
const PORT_TIMEOUT_MS = 900_000
const PACKAGES = [{ name: 'testssl.sh', file: '/usr/bin/testssl' }]
const BAD = new Set(['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'])
/** Of the certificate, not of what we speak: a local authority has no revocation service. */
const OF_THE_CERTIFICATE = /^cert_(revocation|expirationStatus|notAfter|chain_of_trust)/
const STARTTLS: Partial<Record<TlsListener, string>> = { submission: 'smtp', mx: 'smtp', pop3: 'pop3' }
/** Protocols, ciphers, forward secrecy, order, certificate, known weaknesses; no simulation of web browsers. */
const CHECKS = ['-p', '-s', '-f', '-P', '-S', '-U']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'state-dir': { type: 'string' }, help: { type: 'boolean', default: false } },
})

async function main(): Promise<void> {
  if (values.help) return void process.stdout.write(help)
  await ensureInstalled(PACKAGES, (line) => void process.stdout.write(`${line}\n`))
  if (values['state-dir'] !== undefined) return checkAll(values['state-dir'])
  const own = mkdtempSync(join(tmpdir(), 'sekimori-tls-'))
  try {
    await using _system = await startSystem(own)
    await checkAll(own)
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

async function checkAll(stateDir: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'testssl-'))
  const endpoints = JSON.parse(readFileSync(join(stateDir, 'endpoints.json'), 'utf8'))
  try {
    for (const listener of tlsListeners.filter((name) => positionals.length === 0 || positionals.includes(name))) {
      const findings = await check(listener, endpoints, dir)
      process.stdout.write(`${listener}: ${findings.length === 0 ? 'no finding of medium or worse' : ''}\n`)
      for (const { id, severity, finding } of findings) process.stdout.write(`  ${severity} ${id}: ${finding}\n`)
      if (findings.length > 0) process.exitCode = 1
    }
  } finally {
    await rm(dir, { recursive: true })
  }
}

async function check(
  listener: TlsListener,
  endpoints: Record<TlsListener, { port: number }> & { caCertificate: string },
  dir: string,
): Promise<Finding[]> {
  const report = join(dir, `${listener}.json`)
  const starttls = STARTTLS[listener]
  const args = [
    ...['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1', ...CHECKS],
    ...['--add-ca', endpoints.caCertificate, '--jsonfile', report],
    ...(starttls === undefined ? [] : ['--starttls', starttls]),
  ]
  // Its exit status counts what it would have liked to try as well; the report says what matters.
  const outcome = run('testssl', [...args, `localhost:${endpoints[listener].port}`], { timeout: PORT_TIMEOUT_MS })
  const failure: unknown = await outcome.then(
    () => undefined,
    (error) => error,
  )
  const findings = JSON.parse(readFileSync(report, 'utf8')) as Finding[]
  for (const id of ['TLS1_2', 'TLS1_3', 'BEAST', 'RC4'])
    if (!findings.some((finding) => finding.id.startsWith(id)))
      throw new Error(`testssl.sh did not get through on ${listener}`, { cause: failure })
  return findings.filter(({ id, severity }) => BAD.has(severity) && !OF_THE_CERTIFICATE.test(id))
}

await main()
