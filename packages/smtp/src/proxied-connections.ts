// Connections that come through a load balancer begin with its header, before TLS and before the greeting.
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { type ProxyReading, readProxyHeader } from './proxy-header.ts'
import type { IsBalancer } from './proxy-networks.ts'
import type { EdgeServer } from './server.ts'

type Header = Extract<ProxyReading, { kind: 'header' }>

/** The library reads version 1 only, and knows balancers by single addresses; its two methods give way to ours. */
export function expectProxyHeaders(server: EdgeServer, isBalancer: IsBalancer): void {
  const handleOthers = server._handleProxy.bind(server)
  // The library drops a connection that does not get past its header within the session's time limit.
  server._expectsProxyHeader = (socket) => isBalancer(socket.remoteAddress)
  server._handleProxy = (socket, callback) => {
    if (!isBalancer(socket.remoteAddress)) return handleOthers(socket, callback)
    takeHeader(socket).then(
      ({ source }) => {
        if (source !== undefined) server.noteClient(socket, source.address)
        const id = randomBytes(10).toString('hex')
        callback(null, source === undefined ? { id } : { id, remoteAddress: source.address, remotePort: source.port })
      },
      (error: Error) => {
        socket.on('error', () => {}) // it is given up; what else happens to it is of no interest
        socket.destroy()
        callback(error)
      },
    )
  }
}

/** Takes the header off the connection; what follows it stays to be read. Rejects when there is none. */
export function takeHeader(socket: Socket): Promise<Header> {
  const { promise, resolve, reject } = Promise.withResolvers<Header>()
  let received: Buffer = Buffer.alloc(0)
  // Before the rest is put back: another reader must be the one to hear of it.
  const letGo = () => void socket.off('readable', read).off('error', end).off('close', end).off('end', end)
  const end = () => {
    letGo()
    reject(new Error('the connection ended before its PROXY header'))
  }
  const read = () => {
    for (let chunk: Buffer | null = socket.read(); chunk !== null; chunk = socket.read()) {
      received = Buffer.concat([received, chunk])
      const reading = readProxyHeader(received)
      if (reading.kind === 'incomplete') continue
      letGo()
      if (reading.kind === 'invalid') return reject(new Error('no PROXY header from a load balancer'))
      if (received.length > reading.sizeBytes) socket.unshift(received.subarray(reading.sizeBytes))
      return resolve(reading)
    }
  }
  socket.on('readable', read).on('error', end).on('close', end).on('end', end)
  return promise
}
