// Finding and reaching a destination's servers (RFC 5321 section 5, RFC 7505) by mx-connect with our resolver.
import { isIPv4, type Socket } from 'node:net'
import type { Resolve } from '@sekimori/dns/resolver'
import mxConnect, { type Connection, type Options } from 'mx-connect'
import { routingFault } from './destination.ts'
import { deferred, type Failure, rejected } from './outcome.ts'
import type { Smarthost } from './smarthost.ts'
import { interruption } from './smtp-failure.ts'

/** A server that a socket is open to. */
export interface Reached {
  kind: 'reached'
  socket: Socket
  hostname: string
  address: string
}

/** exhausted: every address has been tried. */
export type Reach = Reached | { kind: 'exhausted' } | Failure

export interface Exchangers {
  /** Connects to the first server of the destination that answers, leaving out addresses tried before. */
  reach(domain: string, tried: string[], signal: AbortSignal): Promise<Reach>
  /** Connects to the same address once more. */
  reachAgain(server: Reached, signal: AbortSignal): Promise<Reach>
}

export interface ExchangerOptions {
  resolve: Resolve
  port: number
  connectTimeoutMs: number
  refusesPrivateAddresses: boolean
  smarthost?: Smarthost
}

/** Reaches the servers that MX records name (or addresses, where there are none), or the smarthost. */
export function openExchangers(options: ExchangerOptions): Exchangers {
  const { smarthost, port, connectTimeoutMs: maxConnectTime } = options
  const blockLocalAddresses = options.refusesPrivateAddresses && smarthost === undefined
  const common = { port: smarthost?.port ?? port, maxConnectTime }
  return {
    async reach(domain, tried, signal) {
      const fault = smarthost === undefined ? routingFault(domain) : undefined
      if (fault !== undefined) return fault
      const lookup = new Lookup(options.resolve, smarthost?.host)
      const exhausted = new Error('every address has been tried')
      try {
        return await connect(signal, {
          ...common,
          target: domain,
          ...(smarthost === undefined ? {} : { mx: [smarthost.host] }),
          ignoreMXHosts: tried,
          mxLastError: exhausted,
          dnsOptions: { blockLocalAddresses, resolveRecords: (name, type) => lookup.resolve(name, type) },
        })
      } catch (error) {
        if (signal.aborted) return interruption(signal)
        if (error === exhausted) return { kind: 'exhausted' }
        const failure = connectFailure(error as MxError, lookup.hasMx)
        return smarthost === undefined ? failure : smarthostFailure(failure)
      }
    },
    async reachAgain({ hostname, address }, signal) {
      const mx = [{ exchange: hostname, ...(isIPv4(address) ? { A: [address] } : { AAAA: [address] }) }]
      try {
        return await connect(signal, { ...common, target: hostname, mx, dnsOptions: { blockLocalAddresses } })
      } catch (error) {
        if (signal.aborted) return interruption(signal)
        return connectFailure(error as MxError, true)
      }
    },
  }
}

class Lookup {
  /** Whether the domain names mail servers. */
  hasMx = false
  readonly #resolve: Resolve
  readonly #smarthost: string | undefined

  constructor(resolve: Resolve, smarthost: string | undefined) {
    this.#resolve = resolve
    this.#smarthost = smarthost
  }

  async resolve(name: string, type: string): Promise<unknown[]> {
    // The operator's word for this machine is not asked of the DNS (RFC 6761 section 6.3).
    if (this.#smarthost === name && name === 'localhost') return type === 'A' ? ['127.0.0.1'] : ['::1']
    const records: unknown[] = await this.#resolve(name, type)
    if (type !== 'MX') return records
    this.hasMx = true
    return shuffled(records) // mx-connect's sort by preference keeps the order of equals; they must share the load
  }
}

function shuffled<T>(list: T[]): T[] {
  return list
    .map((value) => ({ value, chance: Math.random() }))
    .sort((one, other) => one.chance - other.chance)
    .map(({ value }) => value)
}

/** mx-connect can't be interrupted: when the signal aborts, a socket that opens later is closed. */
async function connect(signal: AbortSignal, options: Options): Promise<Reached> {
  const connectHook: Options['connectHook'] = (_delivery, _options, done) => done(signal.aborted ? signal.reason : null)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  const connecting = mxConnect({ ...options, connectHook })
  try {
    return asReached(await Promise.race([connecting, aborted]))
  } finally {
    signal.removeEventListener('abort', abort)
    if (signal.aborted) void connecting.then(({ socket }) => socket.destroy()).catch(() => {}) // nobody waits for it
  }
}

function asReached({ socket, hostname, host }: Connection): Reached {
  return { kind: 'reached', socket, hostname, address: host }
}

type MxError = Error & { code?: string; category?: string; temporary?: boolean }

/** That the smarthost is not found is our operator's to mend, not the sender's. */
function smarthostFailure(failure: Failure): Failure {
  return failure.kind === 'deferred' ? failure : deferred('4.4.4', failure.diagnostic)
}

/** What it means that no server was reached; `hasMx` tells a domain without servers from servers without an address. */
export function connectFailure(error: MxError, hasMx: boolean): Failure {
  if (error.category !== 'dns') return deferred('4.4.1', error.message)
  if (error.code === 'ENULLMX') return rejected('5.1.10', error.message)
  if (error.code === 'EBADNAME') return rejected('5.1.2', error.message)
  if (error.temporary) return deferred('4.4.3', error.message)
  return rejected(hasMx || error.code === 'InvalidIpAddress' ? '5.4.4' : '5.1.2', error.message)
}
