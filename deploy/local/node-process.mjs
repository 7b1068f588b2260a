// Runs a file of ours with the workspace's Node and becomes, to whoever started it, that process.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

/** What Node makes of our sources, kept for the next process: each of them starts in two thirds of the time. */
const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/node', import.meta.url))
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Runs the command to its end: signals are passed on, its exit status is the result. */
export function runProcess(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      stdio: 'inherit',
      ...options,
      env: {
        NODE_COMPILE_CACHE: COMPILE_CACHE,
        ...process.env,
        SEKIMORI_STARTED_BY: String(process.pid),
        ...options.env,
      },
    })
    const pass = Object.fromEntries(SIGNALS.map((signal) => [signal, () => child.kill(signal)]))
    for (const signal of SIGNALS) process.on(signal, pass[signal])
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      for (const name of SIGNALS) process.off(name, pass[name])
      resolve(code ?? 128 + constants.signals[signal])
    })
  })
}
