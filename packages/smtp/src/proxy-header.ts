// The header that a load balancer puts before a connection to say whose it is: PROXY protocol, version 1 and 2.
import { isIPv4, isIPv6, SocketAddress } from 'node:net'

/** The client at the other side of the balancer; undefined for a connection of the balancer's own (its health checks). */
export interface ProxySource {
  address: string
  port: number
}

/** `sizeBytes` is where the client's own octets begin. */
export type ProxyReading =
  | { kind: 'incomplete' }
  | { kind: 'invalid' }
  | { kind: 'header'; sizeBytes: number; source: ProxySource | undefined }

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const VERSION_1 = Buffer.from('PROXY ')
/** With its CRLF. */
const VERSION_1_MOST_BYTES = 107
const VERSION_2_HEAD_BYTES = 16
/** Addresses and extensions (TLVs) after the head; real ones take less than 600. */
const VERSION_2_MOST_BYTES = 4_096
const LOCAL = 0x20
const PROXY = 0x21
const TCP_IPV4 = 0x11
const TCP_IPV6 = 0x21

const incomplete: ProxyReading = { kind: 'incomplete' }
const invalid: ProxyReading = { kind: 'invalid' }

/** Reads the header at the start of a connection. Never throws, whatever the octets are. */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  if (beginsLike(bytes, SIGNATURE)) return bytes.length < VERSION_2_HEAD_BYTES ? incomplete : readVersion2(bytes)
  return beginsLike(bytes, VERSION_1) ? readVersion1(bytes) : invalid
}

/** Whether the octets that are there are those of the beginning. */
function beginsLike(bytes: Buffer, beginning: Buffer): boolean {
  const length = Math.min(bytes.length, beginning.length)
  return bytes.subarray(0, length).equals(beginning.subarray(0, length))
}

function readVersion1(bytes: Buffer): ProxyReading {
  const end = bytes.subarray(0, VERSION_1_MOST_BYTES).indexOf('\r\n')
  if (end < 0) return bytes.length < VERSION_1_MOST_BYTES ? incomplete : invalid
  const sizeBytes = end + 2
  const line = bytes.toString('latin1', 0, end)
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return { kind: 'header', sizeBytes, source: undefined }
  const [, family, address = '', destination = '', port, destinationPort] =
    /^PROXY TCP([46]) (\S+) (\S+) (\d{1,5}) (\d{1,5})$/.exec(line) ?? []
  const isAddress = family === '4' ? isIPv4 : isIPv6
  const areGood = isAddress(address) && isAddress(destination) && Number(destinationPort) <= 65_535
  return areGood && Number(port) <= 65_535 ? headerFrom(sizeBytes, address, Number(port)) : invalid
}

function readVersion2(bytes: Buffer): ProxyReading {
  const command = bytes[12]!
  const dataBytes = bytes.readUInt16BE(14)
  if ((command !== LOCAL && command !== PROXY) || dataBytes > VERSION_2_MOST_BYTES) return invalid
  const sizeBytes = VERSION_2_HEAD_BYTES + dataBytes
  if (bytes.length < sizeBytes) return incomplete
  if (command === LOCAL) return { kind: 'header', sizeBytes, source: undefined }
  const data = bytes.subarray(VERSION_2_HEAD_BYTES, sizeBytes)
  switch (bytes[13]) {
    case TCP_IPV4:
      return data.length < 12 ? invalid : headerFrom(sizeBytes, data.subarray(0, 4).join('.'), data.readUInt16BE(8))
    case TCP_IPV6:
      return data.length < 36 ? invalid : headerFrom(sizeBytes, textOf(data.subarray(0, 16)), data.readUInt16BE(32))
    default:
      return invalid // no client of ours comes over anything else
  }
}

function headerFrom(sizeBytes: number, address: string, port: number): ProxyReading {
  return { kind: 'header', sizeBytes, source: { address: plainAddress(address), port } }
}

function textOf(address: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => address.readUInt16BE(index * 2).toString(16))
  return groups.join(':')
}

/** An IP address in its usual text; one of IPv4 in IPv6 form (RFC 4291 section 2.5.5.2) as the IPv4 address that it is. */
export function plainAddress(address: string): string {
  if (!isIPv6(address)) return address
  const bare = address.replace(/%.*$/, '')
  const { address: text } = new SocketAddress({ address: bare, family: 'ipv6' })
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  const [first, second] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [first >> 8, first & 255, second >> 8, second & 255].join('.')
}
