// Finding and reaching a destination's servers: by its MX records, or the smarthost. mx-connect opens the sockets and
// refuses addresses that no stranger's record may lead to.
import { isIPv4, type Socket } from 'node:net'
import mxConnect, { type Connection, type Options } from 'mx-connect'
import { routingFault } from './destination.ts'
import { deferred, type Failure, rejected } from './outcome.ts'
import { findRoute, type ResolveValidated, type Route, route } from './route.ts'
import { type Server, ServerAddresses } from './server-address.ts'
import type { Smarthost } from './smarthost.ts'
import { interruption } from './smtp-failure.ts'

/** A server that a socket is open to. */
export interface Reached {
  kind: 'reached'
  socket: Socket
  hostname: string
  address: string
}

export interface Exchangers {
  /** Where the domain's mail goes. */
  route(domain: string): Promise<Route | Failure>
  /** The servers in the order in which they are to be tried, and what kept some from being found. */
  servers(route: Route): AsyncIterable<Server | Failure>
  connect(server: Server, signal: AbortSignal): Promise<Reached | Failure>
  /** Connects to a host that a stranger names, at another port than that of mail. */
  reachHost(host: string, port: number, signal: AbortSignal): Promise<Reached | Failure>
}

export interface ExchangerOptions {
  resolve: ResolveValidated
  /** Our own name. */
  hostname: string
  port: number
  connectTimeoutMs: number
  refusesPrivateAddresses: boolean
  smarthost?: Smarthost
}

/** Reaches the servers that MX records name (or addresses, where there are none), or the smarthost. */
export function openExchangers(options: ExchangerOptions): Exchangers {
  const { smarthost, resolve, hostname } = options
  const addresses = new ServerAddresses(resolve)
  return {
    async route(domain) {
      if (smarthost !== undefined) return route(domain, [{ host: smarthost.host, preference: 0 }], true, false)
      return routingFault(domain) ?? findRoute(domain, resolve, hostname)
    },
    async *servers(route) {
      for await (const found of addresses.of(route))
        yield found.kind === 'server' || smarthost === undefined ? found : smarthostFailure(found)
    },
    async reachHost(host, port, signal) {
      let last: Failure = deferred('4.4.3', `${host} was not found`)
      for await (const server of addresses.of(route(host, [{ host, preference: 0 }], true, false))) {
        const reach = server.kind === 'server' ? await connect(server, port, options, signal) : server
        if (reach.kind === 'reached') return reach
        last = reach
      }
      return last
    },
    async connect(server, signal) {
      const reach = await connect(server, smarthost?.port ?? options.port, options, signal)
      if (reach.kind === 'reached') addresses.noteReached(server.address)
      else if (!signal.aborted) addresses.noteUnreachable(server.address)
      return reach
    },
  }
}

async function connect(
  server: Server,
  port: number,
  options: ExchangerOptions,
  signal: AbortSignal,
): Promise<Reached | Failure> {
  const { host, address } = server
  const { smarthost, connectTimeoutMs: maxConnectTime } = options
  const mx = [{ exchange: host, ...(isIPv4(address) ? { A: [address] } : { AAAA: [address] }) }]
  const blockLocalAddresses = options.refusesPrivateAddresses && smarthost === undefined
  try {
    return await open(signal, { target: host, mx, port, maxConnectTime, dnsOptions: { blockLocalAddresses } })
  } catch (error) {
    if (signal.aborted) return interruption(signal)
    return connectFailure(error as MxError, `${host}[${address}]`)
  }
}

/** mx-connect can't be interrupted: when the signal aborts, a socket that opens later is closed. */
async function open(signal: AbortSignal, options: Options): Promise<Reached> {
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

type MxError = Error & { category?: string }

/** That the smarthost is not found is our operator's to mend, not the sender's. */
function smarthostFailure(failure: Failure): Failure {
  return failure.kind === 'deferred' ? failure : deferred('4.4.4', failure.diagnostic)
}

/** An address that mail may not go to at all, or a server that was not reached now. */
function connectFailure({ category, message }: MxError, server: string): Failure {
  return category === 'dns' ? rejected('5.4.4', message) : deferred('4.4.1', `${server}: ${message}`)
}
