// The setting that names the load balancers: from their networks, and from nowhere else, a PROXY header is expected.
import { BlockList, isIP } from 'node:net'
import Type from 'typebox'
import { plainAddress } from './proxy-header.ts'

export const proxySettings = {
  PROXY_PROTOCOL_NETWORKS: Type.Refine(
    Type.String({
      default: '',
      description:
        'networks of load balancers, address/prefix[,…]: their connections begin with a PROXY header (version 1 or 2)',
    }),
    (text) => faultIn(text) === undefined,
    (text) => faultIn(text) ?? '',
  ),
}

/** Whether a peer is a load balancer of ours. */
export type IsBalancer = (peer: string | undefined) => boolean

/** Reads PROXY_PROTOCOL_NETWORKS. @throws TypeError that quotes what can't be read */
export function parseProxyNetworks(text: string): IsBalancer {
  const list = new BlockList()
  for (const network of text.split(',').map((part) => part.trim())) if (network !== '') addNetwork(list, network)
  return (peer) => {
    const address = plainAddress(peer ?? '')
    const version = isIP(address)
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefix, ...more] = network.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  const length = prefix === undefined ? most : Number(prefix)
  const isGood = version !== 0 && more.length === 0 && /^\d{1,3}$/.test(prefix ?? '0') && length <= most
  if (!isGood) throw new TypeError(`"${network}" is no network: give address/prefix, such as 10.0.0.0/8 or fd00::/8`)
  list.addSubnet(address, length, version === 4 ? 'ipv4' : 'ipv6')
}

function faultIn(text: string): string | undefined {
  try {
    parseProxyNetworks(text)
    return undefined
  } catch (error) {
    return (error as TypeError).message
  }
}
