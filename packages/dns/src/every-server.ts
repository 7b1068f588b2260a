// Asks each DNS server for itself and anew, for questions where what only one of them shows does not count.
import { getServers } from 'node:dns'
import { createResolver, type Resolve } from './resolver.ts'

/** Gives what `ask` finds with each of the servers (empty: the machine's own), nothing of it from a cache. */
export async function askEveryServer<T>(servers: string[], ask: (resolve: Resolve) => Promise<T>): Promise<T[]> {
  const each = servers.length > 0 ? servers : getServers()
  return Promise.all(
    each.map(async (server) => {
      await using resolver = createResolver({ servers: [server] })
      return await ask(resolver.resolve)
    }),
  )
}
