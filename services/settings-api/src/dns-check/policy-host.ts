// Fetches an MTA-STS policy (RFC 8461 section 3.3) from a host that a stranger may have named: one address of the open
// internet, one fixed path, no redirects, bounded in size and time.
import { request } from 'node:https'
import { isPublic } from '@sekimori/dns/public-address'
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
