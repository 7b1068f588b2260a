// The rua tag: where a domain wants its reports (RFC 9989 section 4.7, RFC 8460 section 3). A stranger's text.
import { domainOf, isAccountAddress } from '@sekimori/mail/address'

/** `host` is whom the destination belongs to; `maxBytes` the size limit that old records may have. */
export type ReportUri =
  | { kind: 'mail'; destination: string; address: string; host: string; maxBytes?: number }
  | { kind: 'post'; destination: string; url: URL; host: string; maxBytes?: number }

const LONGEST = 500
const SIZE = /!(\d{1,15})([kmgt]?)$/i
const UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** The destinations that can be read, in their order, each once. */
export function readReportUris(rua: string): ReportUri[] {
  const read = rua.split(',').flatMap((text) => readUri(text.trim()) ?? [])
  return [...new Map(read.map((uri) => [uri.destination, uri])).values()]
}

function readUri(text: string): ReportUri | undefined {
  if (text.length > LONGEST) return undefined
  const [size, digits, unit] = SIZE.exec(text) ?? []
  const uri = size === undefined ? text : text.slice(0, -size.length)
  const limit = size === undefined ? {} : { maxBytes: Number(digits) * UNITS[unit!.toLowerCase()]! }
  if (/^mailto:/i.test(uri)) return mailUri(uri, limit)
  if (!/^https:/i.test(uri) || !URL.canParse(uri)) return undefined
  const url = new URL(uri)
  if (url.username !== '' || url.password !== '' || url.port !== '') return undefined
  return { kind: 'post', destination: url.href, url, host: url.hostname, ...limit }
}

/** Header fields that the URI asks for (RFC 6068) are none of our business. */
function mailUri(uri: string, limit: { maxBytes?: number }): ReportUri | undefined {
  const address = decoded(uri.slice('mailto:'.length).replace(/\?.*$/, ''))
  if (address === undefined || !isAccountAddress(address)) return undefined
  return { kind: 'mail', destination: `mailto:${address}`, address, host: domainOf(address), ...limit }
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined // not percent-encoding
  }
}
