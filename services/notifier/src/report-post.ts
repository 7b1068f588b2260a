// Hands a TLS report to the HTTPS address that a domain names (RFC 8460 section 5.4): a stranger's choice, so it must be on the
// open internet, is not redirected, and is bounded in time; nothing of the answer counts but its status.
import { request } from 'node:https'
import { isPublic } from '@sekimori/dns/public-address'
import type { Resolve } from '@sekimori/dns/resolver'

const TIME_MS = 30_000

/** For tests: another port, an authority of their own, and addresses that are not public. */
export interface PostOptions {
  port?: number
  ca?: string
  isAllowed?: (address: string) => boolean
}

/** Resolves when the other side has the report. @throws Error that says why it has not */
export async function postReport(
  url: URL,
  bytes: Buffer,
  resolve: Resolve,
  { port = 443, ca, isAllowed = isPublic }: PostOptions = {},
): Promise<void> {
  const answers = await Promise.allSettled([resolve(url.hostname, 'A'), resolve(url.hostname, 'AAAA')])
  const address = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))[0]
  if (address === undefined) throw new Error('the host has no address')
  if (!isAllowed(address)) throw new Error('the host is not on the open internet')
  const { promise, resolve: done, reject } = Promise.withResolvers<void>()
  const posting = request({
    // The address is connected to as it was judged: a second lookup could give another one.
    host: address,
    port,
    servername: url.hostname,
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'content-type': 'application/tlsrpt+gzip', 'content-length': bytes.length },
    agent: false,
    signal: AbortSignal.timeout(TIME_MS),
    ...(ca === undefined ? {} : { ca }),
  })
  posting.on('error', reject)
  posting.on('response', ({ statusCode = 0 }) => {
    if (statusCode >= 200 && statusCode < 300) done()
    else reject(new Error(`the host answered ${statusCode}`))
    posting.destroy()
  })
  posting.end(bytes)
  return promise
}
