// Old clients: TLS 1.0 and 1.1 on 465, 587, 995 and 110, by OpenSSL's own client. Off, unless the operator allows them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePorts } from '@sekimori/testing/free-ports'
import { runClient } from '@sekimori/testing/real-client'
import { startSecondProcess } from '@sekimori/testing/second-process'
import { sharedStack } from '@sekimori/testing/shared-stack'

const STARTTLS: Record<string, string[]> = { submission: ['-starttls', 'smtp'], pop3: ['-starttls', 'pop3'] }
const VERSIONS = [
  ['-tls1', 'TLSv1'],
  ['-tls1_1', 'TLSv1.1'],
  ['-tls1_2', 'TLSv1.2'],
  ['-tls1_3', 'TLSv1.3'],
] as const

/** Negotiates this version and says QUIT; what openssl and the server have said. */
async function handshake(listener: string, port: number, version: string, caCertificate: string): Promise<string> {
  const args = [
    ...['s_client', '-connect', `localhost:${port}`, '-brief', '-ign_eof', '-nocommands', version],
    ...['-cipher', 'ALL:@SECLEVEL=0', '-CAfile', caCertificate, '-verify_return_error', ...(STARTTLS[listener] ?? [])],
  ]
  return (await runClient('openssl', args, 'QUIT\r\n')).transcript
}

test('TLS 1.0 and 1.1 are spoken to clients on 465, 587, 995 and 110 where TLS_LEGACY=allow, and nowhere else', async () => {
  const stack = await sharedStack()
  const { caCertificate } = stack.endpoints
  const [smtps, pop3s] = (await freePorts(2)) as [number, number]
  const allowing = { TLS_LEGACY: 'allow', SMTPS_PORT: String(smtps), POP3S_PORT: String(pop3s) }
  const pid = (service: string) => stack.processes.pid(service)
  await using submission = await startSecondProcess(pid('submission-gateway'), 'SUBMISSION_PORT', allowing)
  await using pop3 = await startSecondProcess(pid('pop3-gateway'), 'POP3_PORT', allowing)
  const legacy = { submission: submission.endpoint.port, smtps, pop3: pop3.endpoint.port, pop3s }
  for (const listener of ['submission', 'smtps', 'pop3', 'pop3s'] as const)
    for (const [version, name] of VERSIONS) {
      // On 465 it does not wait for the greeting, which earns it a 421, inside TLS like any other reply.
      const spoken = { heard: /^(221 2\.0\.0|421 4\.7\.0|\+OK) /m, version: name, what: `${listener} ${name}` }
      checkSpoken(await handshake(listener, legacy[listener], version, caCertificate), spoken)
      const usual = await handshake(listener, stack.endpoints[listener].port, version, caCertificate)
      if (name === 'TLSv1.2' || name === 'TLSv1.3') checkSpoken(usual, spoken)
      else assert.match(usual, /alert protocol version/, spoken.what)
    }
})

function checkSpoken(
  transcript: string,
  { heard, version, what }: { heard: RegExp; version: string; what: string },
): void {
  assert.match(transcript, heard, what)
  assert.equal(/^Protocol version: (.*)$/m.exec(transcript)?.[1], version, what)
}
