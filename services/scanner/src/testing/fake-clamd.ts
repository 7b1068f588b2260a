// A clamd that answers as a test scripts it, on a Unix socket of its own; it reads INSTREAM as the real one does.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Asked {
  command: string
  /** The content, when all of it has come. */
  content: Buffer
}

/** What to do with a connection once its command, and for INSTREAM its content, is there. */
export type Script = (asked: Asked, socket: Socket) => void

export interface FakeClamd extends AsyncDisposable {
  address: string
  script: Script
  asked: Asked[]
  /** Called at the first octets of a connection, before anything is complete. */
  onStart: (socket: Socket) => void
}

const EICAR = ['EICAR', 'STANDARD', 'ANTIVIRUS'].join('-')

/** Finds EICAR, in the clear or in base64, as a healthy clamd does. */
export const healthy: Script = ({ command, content }, socket) => {
  if (command === 'VERSION') return void socket.end('ClamAV 1.4.6/27000/Mon Nov 16 2026\0')
  const text = content.toString('latin1')
  const last = /base64\r\n\r\n([\w+/=]+)/.exec(text)?.[1] ?? ''
  const isFound = `${text}${Buffer.from(last, 'base64')}`.includes(EICAR)
  socket.end(isFound ? 'stream: Eicar-Test-Signature FOUND\0' : 'stream: OK\0')
}

export async function startFakeClamd(script: Script = healthy): Promise<FakeClamd> {
  const dir = mkdtempSync(join(tmpdir(), 'fake-clamd-'))
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {}) // the scanner goes away as it likes
    socket.once('data', () => fake.onStart(socket))
    readRequest(socket, (asked) => {
      fake.asked.push(asked)
      fake.script(asked, socket)
    })
  })
  const fake: FakeClamd = {
    address: join(dir, 's'),
    script,
    asked: [],
    onStart: () => {},
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await rm(dir, { recursive: true })
    },
  }
  await new Promise<void>((resolve) => server.listen(fake.address, resolve))
  return fake
}

/** The null-terminated command, then for INSTREAM the chunks up to the empty one. */
function readRequest(socket: Socket, done: (asked: Asked) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  let command: string | undefined
  const parts: Buffer[] = []
  socket.on('data', (octets: Buffer) => {
    rest = Buffer.concat([rest, octets])
    const end = rest.indexOf(0)
    if (command === undefined && end >= 0) {
      command = rest.toString('latin1', 1, end)
      rest = rest.subarray(end + 1)
      if (command !== 'INSTREAM') return done({ command, content: Buffer.alloc(0) })
    }
    while (command === 'INSTREAM' && rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE()) {
      const size = rest.readUInt32BE()
      if (size === 0) return done({ command, content: Buffer.concat(parts) })
      parts.push(rest.subarray(4, 4 + size))
      rest = rest.subarray(4 + size)
    }
  })
}
