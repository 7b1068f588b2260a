// A TCP proxy before a server, whose connections a test cuts, pauses or refuses on purpose.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** One way through the proxy: `up` is client to server, `down` is server to client. */
type Way = 'up' | 'down'

export interface CuttableProxy extends AsyncDisposable {
  port: number
  /** How many connections pass through now. */
  open(): number
  /** Resets every connection; new ones are taken unless `refuse` says otherwise. */
  cut(): void
  /** Takes no connections until `accept`; those that are open stay. */
  refuse(): void
  accept(): Promise<void>
  /** Holds all octets back that go this way, also on connections yet to come, until `resume`. */
  pause(way: Way): void
  resume(way: Way): void
  /** Lets nothing through the connections that are open now, for ever; new ones work. */
  freeze(): void
  /** Sends octets to every client as if the server had. */
  inject(octets: Buffer): void
}

interface Pair {
  client: Socket
  server: Socket
}

class TcpProxy implements CuttableProxy {
  port = 0
  #target: { host: string; port: number }
  #listener: Server | undefined
  #pairs = new Set<Pair>()
  #paused = new Set<Way>()

  constructor(target: { host: string; port: number }) {
    this.#target = target
  }

  open(): number {
    return this.#pairs.size
  }

  async accept(): Promise<void> {
    if (this.#listener !== undefined) return
    this.#listener = createServer({ noDelay: true }, (client) => this.#take(client))
    this.#listener.listen(this.port, '127.0.0.1')
    await once(this.#listener, 'listening')
    this.port = (this.#listener.address() as AddressInfo).port
  }

  refuse(): void {
    this.#listener?.close() // takes none from here on; ends when its connections do
    this.#listener = undefined
  }

  #take(client: Socket): void {
    const server = connect({ ...this.#target, noDelay: true })
    const pair = { client, server }
    this.#pairs.add(pair)
    for (const [from, to, way] of [
      [client, server, 'up'],
      [server, client, 'down'],
    ] as const) {
      from.on('data', (octets) => to.write(octets))
      from.on('end', () => to.end())
      from.on('error', () => to.destroy()) // what breaks on one side is broken on the other
      from.on('close', () => {
        to.destroy()
        this.#pairs.delete(pair)
      })
      if (this.#paused.has(way)) from.pause()
    }
  }

  cut(): void {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  pause(way: Way): void {
    this.#paused.add(way)
    for (const pair of this.#pairs) pair[way === 'up' ? 'client' : 'server'].pause()
  }

  resume(way: Way): void {
    this.#paused.delete(way)
    for (const pair of this.#pairs) pair[way === 'up' ? 'client' : 'server'].resume()
  }

  freeze(): void {
    for (const { client, server } of this.#pairs) {
      client.pause()
      server.pause()
    }
  }

  inject(octets: Buffer): void {
    for (const { client } of this.#pairs) client.write(octets)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.refuse()
    this.cut()
  }
}

/** Starts a proxy on a port of the system's choice before the server that `url` names. */
export async function openCuttableProxy(url: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(url)
  const proxy = new TcpProxy({ host: hostname, port: Number(port) })
  await proxy.accept()
  return proxy
}
