// The network that a client's address belongs to: what is counted and remembered in its place.
import { isIPv4, isIPv6 } from 'node:net'

/** An IPv4 address itself; of an IPv6 address the /64, as one customer has at least that many addresses (RFC 6177). */
export function networkOf(clientAddress: string): string {
  const address = clientAddress.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(address) || !isIPv6(address)) return address
  const groups = groupsOf(address).slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}

/** The network around it: the /24 of an IPv4 address, the /48 of an IPv6 address. */
export function widerNetworkOf(clientAddress: string): string {
  const network = networkOf(clientAddress)
  if (isIPv4(network)) return `${network.split('.').slice(0, 3).join('.')}.0/24`
  return network.endsWith('::/64') ? `${network.split(':').slice(0, 3).join(':')}::/48` : network
}

/** The eight groups of an IPv6 address; a dotted quad at its end counts as two. */
function groupsOf(address: string): string[] {
  const [head = '', tail] = address.replace(/\d+\.\d+\.\d+\.\d+$/, '0:0').split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  return [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
}
