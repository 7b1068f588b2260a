// Where a DNS server listens, as settings and node:dns write it: host, host:port, [v6]:port or bare v6.
import { isIPv6 } from 'node:net'

export interface ServerAddress {
  host: string
  port: number
}

/**
 * Reads one server's address; the port is 53 unless given.
 * @throws TypeError that quotes the text and says which forms are possible.
 */
export function parseServerAddress(text: string): ServerAddress {
  if (isIPv6(text)) return { host: text, port: 53 }
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<name>[^\s:[\]]+))(?::(?<port>\d{1,5}))?$/.exec(text)
  const { v6, name, port = '53' } = match?.groups ?? {}
  const host = v6 ?? name
  const isUsable = host !== undefined && (v6 === undefined || isIPv6(v6)) && Number(port) >= 1 && Number(port) <= 65_535
  if (!isUsable) throw new TypeError(`"${text}" is no DNS server: give host, host:port or [IPv6]:port`)
  return { host, port: Number(port) }
}
