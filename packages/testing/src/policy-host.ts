// A domain outside with a certificate that the system under test trusts, and the host of its MTA-STS policy (RFC 8461).
import { once } from 'node:events'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeTestCertificate } from './test-certificate.ts'

export interface PolicyHost extends AsyncDisposable {
  domain: string
  /** For the policy host and for `mx.` of the domain. */
  certificate: { cert: string; key: string }
  /** Settings that let the system find and trust it. */
  settings: { MTA_STS_PORT: string; RELAY_CA_FILE: string }
  /** What the policy host answers with. */
  policy: string
  /** How often it was asked. */
  asked: number
}

/** Starts the policy host on 127.0.0.1. */
export async function makePolicyHost(): Promise<PolicyHost> {
  const domain = 'policies.test'
  const certificate = await makeTestCertificate(`mta-sts.${domain}`, `mx.${domain}`)
  const dir = mkdtempSync(join(tmpdir(), 'sekimori-policy-'))
  const authority = join(dir, 'ca.pem')
  writeFileSync(authority, certificate.cert)
  const server = createServer(certificate, (_request, response) => {
    host.asked++
    response.writeHead(200, { 'content-type': 'text/plain' }).end(host.policy)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host: PolicyHost = {
    domain,
    certificate,
    settings: { MTA_STS_PORT: String((server.address() as AddressInfo).port), RELAY_CA_FILE: authority },
    policy: '',
    asked: 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return host
}
