// Fetching an MTA-STS policy file (RFC 8461 section 3.3) from a host that strangers name: bounded in time and size, no
// redirects, a certificate that is checked, and no address that no stranger's record may lead to.
import { request } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { readPolicy, type StsPolicy } from './mta-sts.ts'
import type { Reached } from './mx.ts'
import type { Failure } from './outcome.ts'

/** Connects to the host at the port of policies; refuses addresses as for mail servers. */
export type ReachPolicyHost = (host: string, signal: AbortSignal) => Promise<Reached | Failure>

const TIMEOUT_MS = 10_000
const POLICY_MOST_BYTES = 65_536

/** @throws Error when there is no policy that can be used. */
export async function fetchStsPolicy(domain: string, id: string, reach: ReachPolicyHost): Promise<StsPolicy> {
  const host = `mta-sts.${domain}`
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const reached = await reach(host, signal)
  if (reached.kind !== 'reached') throw new Error(reached.diagnostic)
  try {
    return readPolicy(id, await get(host, reached, signal))
  } finally {
    reached.socket.destroy()
  }
}

function get(host: string, { socket }: Reached, signal: AbortSignal): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const asked = request({
    host,
    path: '/.well-known/mta-sts.txt',
    headers: { host, accept: 'text/plain' },
    createConnection: () => connectTls({ socket, servername: host, ALPNProtocols: ['http/1.1'] }),
    signal,
  })
  asked.on('error', reject)
  asked.on('response', async (response) => {
    const { statusCode, headers } = response
    try {
      if (statusCode !== 200) throw new Error(`the policy host answered ${statusCode}`)
      if (!/^text\/plain\s*(;|$)/i.test(headers['content-type'] ?? '')) throw new Error('the policy is not text/plain')
      resolve(await readBounded(response))
    } catch (error) {
      reject(error)
    } finally {
      asked.destroy()
    }
  })
  asked.end()
  return promise
}

async function readBounded(chunks: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > POLICY_MOST_BYTES) throw new Error(`the policy is longer than ${POLICY_MOST_BYTES} octets`)
    parts.push(chunk)
  }
  return Buffer.concat(parts).toString('utf8')
}
