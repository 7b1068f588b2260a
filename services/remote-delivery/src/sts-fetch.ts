// Fetching an MTA-STS policy file (RFC 8461 section 3.3) from a host that strangers name: bounded in time and size, no
// redirects, a certificate that is checked, and no address that no stranger's record may lead to.
import { request } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { readPolicy, type StsPolicy } from './mta-sts.ts'
import type { Reached } from './mx.ts'
import type { Failure } from './outcome.ts'

/** Connects to the host at the port of policies; refuses addresses as for mail servers. */
export type ReachPolicyHost = (host: string, signal: AbortSignal) => Promise<Reached | Failure>

const TIMEOUT_MS = 10_000
const POLICY_MOST_BYTES = 65_536

/** Why there is no policy, as TLS-RPT tells it (RFC 8460 section 4.3.2.2). */
export type PolicyFault = 'sts-policy-fetch-error' | 'sts-policy-invalid' | 'sts-webpki-invalid'

export class PolicyError extends Error {
  readonly fault: PolicyFault

  constructor(fault: PolicyFault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.fault = fault
  }
}

/** @throws PolicyError when there is no policy that can be used. */
export async function fetchStsPolicy(domain: string, id: string, reach: ReachPolicyHost): Promise<StsPolicy> {
  const host = `mta-sts.${domain}`
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const reached = await reach(host, signal)
  if (reached.kind !== 'reached') throw new PolicyError('sts-policy-fetch-error', reached.diagnostic)
  try {
    return read(id, await get(host, reached, signal))
  } finally {
    reached.socket.destroy()
  }
}

function read(id: string, text: string): StsPolicy {
  try {
    return readPolicy(id, text)
  } catch (error) {
    throw invalid((error as Error).message, { cause: error })
  }
}

function invalid(message: string, options?: ErrorOptions): PolicyError {
  return new PolicyError('sts-policy-invalid', message, options)
}

function get(host: string, { socket }: Reached, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let secured: TLSSocket | undefined
  const asked = request({
    host,
    path: '/.well-known/mta-sts.txt',
    headers: { host, accept: 'text/plain' },
    createConnection() {
      secured = connectTls({ socket, servername: host, ALPNProtocols: ['http/1.1'] })
      return secured
    },
    signal,
  })
  asked.on('error', (error) => reject(asPolicyError(error, secured)))
  asked.on('response', async (response) => {
    const { statusCode, headers } = response
    try {
      if (statusCode !== 200) throw new PolicyError('sts-policy-fetch-error', `the policy host answered ${statusCode}`)
      if (!/^text\/plain\s*(;|$)/i.test(headers['content-type'] ?? '')) throw invalid('the policy is not text/plain')
      resolve(await readBounded(response))
    } catch (error) {
      reject(asPolicyError(error as Error, secured))
    } finally {
      asked.destroy()
    }
  })
  asked.end()
  return promise
}

/** `secured` knows whether it was the certificate that the connection failed for. */
function asPolicyError(error: Error, secured: TLSSocket | undefined): PolicyError {
  if (error instanceof PolicyError) return error
  const isOfCertificate = Boolean(secured?.authorizationError)
  return new PolicyError(isOfCertificate ? 'sts-webpki-invalid' : 'sts-policy-fetch-error', error.message, {
    cause: error,
  })
}

async function readBounded(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > POLICY_MOST_BYTES) throw invalid(`the policy is longer than ${POLICY_MOST_BYTES} octets`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
