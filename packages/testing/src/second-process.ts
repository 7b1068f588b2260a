// One more process of a service of a running system, as another replica would be, but with settings of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { eventually } from './eventually.ts'
import { freePorts } from './free-ports.ts'
import type { Endpoint } from './line-socket.ts'

export interface SecondProcess extends AsyncDisposable {
  endpoint: Endpoint
}

/** Starts what `pid` runs with changed settings; `portSetting` names the port on which it is to listen. Linux only. */
export async function startSecondProcess(
  pid: number,
  portSetting: string,
  settings: Record<string, string>,
): Promise<SecondProcess> {
  const [port, healthPort] = (await freePorts(2)) as [number, number]
  const [command, ...args] = stringsOf(`/proc/${pid}/cmdline`) as [string, ...string[]]
  const environment = Object.fromEntries(
    stringsOf(`/proc/${pid}/environ`).map((entry) => {
      const equals = entry.indexOf('=')
      return [entry.slice(0, equals), entry.slice(equals + 1)]
    }),
  )
  const child = spawn(command, args, {
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    env: { ...environment, HEALTH_PORT: String(healthPort), ...settings, [portSetting]: String(port) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(child, 'exit')
  const second = {
    endpoint: { host: '127.0.0.1', port },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
  try {
    await eventually(() => child.exitCode !== null || isListening(port), { withinMs: 60_000 })
    if (child.exitCode !== null) throw new Error(`the second process ended with ${child.exitCode}`)
    return second
  } catch (error) {
    await second[Symbol.asyncDispose]()
    throw error
  }
}

function stringsOf(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\0')
    .filter((text) => text !== '')
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
