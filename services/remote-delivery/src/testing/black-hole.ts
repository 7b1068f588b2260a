// A dead host: an address where connections are neither taken nor refused. A listener that never accepts, and whose
// queue is full, has its kernel drop what comes.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'

const LISTENER = `
require('node:net').createServer().listen({ port: Number(process.argv[2]), host: process.argv[1], backlog: 1 }, () => {
  require('node:fs').writeSync(1, 'listening')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`
const CONNECTIONS_MOST = 50

/** Opens it at this address and port; disposing lets the address refuse connections again. */
export async function openBlackHole(host: string, port: number): Promise<AsyncDisposable> {
  const child = spawn(process.execPath, ['-e', LISTENER, host, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const sockets: Socket[] = []
  let isFull = false
  while (!isFull && sockets.length < CONNECTIONS_MOST) {
    const socket = connect(port, host).on('error', () => {})
    sockets.push(socket)
    await Promise.race([once(socket, 'connect'), wait(300)])
    await turn() // what happened while this process had no time is news to it now
    isFull = socket.connecting
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}
