// Fetches an MTA-STS policy (RFC 8461 section 3.3) from a host that a stranger may have named: one address of the open
// internet, one fixed path, no redirects, bounded in size and time.
import { request } from 'node:https'
import { BlockList, isIPv6 } from 'node:net'
import type { Resolve } from '@sekimori/dns/resolver'

const MOST_BYTES = 65_536
const TIME_MS = 10_000

/** For tests: another port, a certificate authority of their own, and addresses that are not public. */
export interface PolicyHostOptions {
  port?: number
  ca?: string
  isAllowed?: (address: string) => boolean
}

export type PolicyAnswer =
  | { kind: 'policy'; text: string; mediaType: string }
  | { kind: 'no-address' }
  | { kind: 'not-public'; address: string }
  | { kind: 'status'; status: number }
  | { kind: 'too-large' }
  | { kind: 'failed'; reason: string }

/** Asks `https://mta-sts.<domain>/.well-known/mta-sts.txt`. */
export async function fetchPolicy(
  domain: string,
  resolve: Resolve,
  options: PolicyHostOptions = {},
): Promise<PolicyAnswer> {
  const host = `mta-sts.${domain}`
  const address = (await addressesOf(host, resolve))[0]
  if (address === undefined) return { kind: 'no-address' }
  if (!(options.isAllowed ?? isPublic)(address)) return { kind: 'not-public', address }
  try {
    return await ask(host, address, options)
  } catch (error) {
    return { kind: 'failed', reason: reasonOf(error as NodeJS.ErrnoException) }
  }
}

async function addressesOf(host: string, resolve: Resolve): Promise<string[]> {
  const answers = await Promise.allSettled([resolve(host, 'A'), resolve(host, 'AAAA')])
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
}

function ask(host: string, address: string, { port = 443, ca }: PolicyHostOptions): Promise<PolicyAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<PolicyAnswer>()
  const client = request(
    {
      // The address is connected to as it was judged: a second lookup could give another one.
      host: address,
      port,
      servername: host,
      path: '/.well-known/mta-sts.txt',
      headers: { host, accept: 'text/plain' },
      agent: false,
      signal: AbortSignal.timeout(TIME_MS),
      ...(ca === undefined ? {} : { ca }),
    },
    (response) => {
      if (response.statusCode !== 200) {
        resolve({ kind: 'status', status: response.statusCode ?? 0 })
        return client.destroy()
      }
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        chunks.push(chunk)
        if (size <= MOST_BYTES) return
        resolve({ kind: 'too-large' })
        client.destroy()
      })
      response.on('error', reject)
      response.on('end', () => {
        const mediaType = (response.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase()
        resolve({ kind: 'policy', text: Buffer.concat(chunks).toString('utf8'), mediaType })
      })
    },
  )
  client.on('error', reject)
  client.end()
  return promise
}

/** What may be told: the kind of failure, nothing that the other side wrote. */
function reasonOf({ name, code }: NodeJS.ErrnoException): string {
  return name === 'TimeoutError' || code === 'ABORT_ERR' ? 'timeout' : (code ?? name)
}

const NOT_PUBLIC = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  NOT_PUBLIC.addSubnet(network, prefix, 'ipv4')

const GLOBAL_UNICAST = new BlockList()
GLOBAL_UNICAST.addSubnet('2000::', 3, 'ipv6')
const WITHIN_GLOBAL = new BlockList()
// Documentation, 6to4 and Teredo (which carry IPv4 addresses), benchmarking.
for (const [network, prefix] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  WITHIN_GLOBAL.addSubnet(network, prefix, 'ipv6')

/** Whether the address is one of the open internet (RFC 6890). */
export function isPublic(address: string): boolean {
  if (!isIPv6(address)) return !NOT_PUBLIC.check(address, 'ipv4')
  return GLOBAL_UNICAST.check(address, 'ipv6') && !WITHIN_GLOBAL.check(address, 'ipv6')
}
