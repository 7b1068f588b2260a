// The setting that names the DNS servers, for the schema of every service that looks anything up.
import Type from 'typebox'
import { parseServerAddress } from './server-address.ts'

export const dnsSettings = {
  DNS_SERVERS: Type.Refine(
    Type.String({ default: '', description: "DNS servers, host:port[,…]; empty: the machine's own" }),
    (text) => faultIn(text) === undefined,
    (text) => faultIn(text) ?? '',
  ),
}

/** Splits DNS_SERVERS into what createResolver takes; an empty text gives an empty list. */
export function parseDnsServers(text: string): string[] {
  const servers = text.split(',').map((server) => server.trim())
  return text.trim() === '' ? [] : servers
}

function faultIn(text: string): string | undefined {
  for (const server of parseDnsServers(text)) {
    try {
      parseServerAddress(server)
    } catch (error) {
      return (error as TypeError).message
    }
  }
  return undefined
}
