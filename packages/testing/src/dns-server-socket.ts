// UDP and TCP listeners of a test DNS server on one port of 127.0.0.1 (RFC 1035 section 4.2): datagrams and framed
// messages in, whatever bytes the test wants out.
import dgram from 'node:dgram'
import { once } from 'node:events'
import net from 'node:net'

export type Via = 'udp' | 'tcp'

/** Gives the messages to send back; they may be no DNS messages at all. */
export type Responder = (query: Buffer, via: Via) => Buffer[]

export interface DnsSockets {
  /** `127.0.0.1:port`, for UDP and TCP. */
  readonly address: string
  [Symbol.asyncDispose](): Promise<void>
}

/** Opens both listeners and answers every message by `respond`. */
export async function serveDns(respond: Responder, port = 0): Promise<DnsSockets> {
  const connections = new Set<net.Socket>()
  for (let attempt = 1; ; attempt++) {
    const udp = dgram.createSocket('udp4')
    const tcp = net.createServer()
    // From the first moment: a question that nobody listens to is lost, and whoever asked waits out his time.
    udp.on('message', (query, from) => {
      for (const response of respond(query, 'udp')) udp.send(response, from.port, from.address)
    })
    tcp.on('connection', (socket) => {
      connections.add(socket)
      socket.on('close', () => connections.delete(socket))
      socket.on('error', () => socket.destroy())
      converse(socket, respond)
    })
    try {
      udp.bind(port, '127.0.0.1')
      await once(udp, 'listening')
      tcp.listen(udp.address().port, '127.0.0.1')
      await once(tcp, 'listening')
      return listening(udp, tcp, connections)
    } catch (error) {
      udp.close()
      if (port !== 0 || attempt === 20) throw error
    }
  }
}

function listening(udp: dgram.Socket, tcp: net.Server, connections: Set<net.Socket>): DnsSockets {
  return {
    address: `127.0.0.1:${udp.address().port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      const closed = [once(udp, 'close'), once(tcp, 'close')]
      udp.close()
      tcp.close()
      await Promise.all(closed)
    },
  }
}

function converse(socket: net.Socket, respond: Responder): void {
  let received = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      for (const response of respond(received.subarray(2, end), 'tcp')) socket.write(framed(response))
      received = received.subarray(end)
    }
  })
}

function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
