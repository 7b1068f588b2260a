// Who gives way when a listener is full: of the network that holds most places for nothing, the one that has held its place
// longest. So whoever fills a listener makes room by his own places first, and a client with one place keeps it longest.

/** A place that is held: by a connection in its handshake, or by a session that nobody has logged in to. */
export interface Holder {
  network: string
  /** For how long it has brought nothing. */
  idleMs: number
}

/** The one that gives way; undefined when nobody has been idle for so long. */
export function whoGivesWay<T extends Holder>(holders: Iterable<T>, leastIdleMs: number): T | undefined {
  const byNetwork = new Map<string, { count: number; longest: T }>()
  for (const holder of holders) {
    if (holder.idleMs < leastIdleMs) continue
    const known = byNetwork.get(holder.network)
    if (known === undefined) byNetwork.set(holder.network, { count: 1, longest: holder })
    else {
      known.count += 1
      if (holder.idleMs > known.longest.idleMs) known.longest = holder
    }
  }
  let most: { count: number; longest: T } | undefined
  for (const one of byNetwork.values()) {
    const isMore = most === undefined || one.count > most.count
    if (isMore || (one.count === most!.count && one.longest.idleMs > most!.longest.idleMs)) most = one
  }
  return most?.longest
}
