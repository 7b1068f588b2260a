// Ctrl-C and SIGTERM for programs that start a whole system: it is stopped before they end.
import { constants } from 'node:os'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Disposes the resource when this process is told to end, and ends then. A second signal ends it at once. */
export function stopOnSignal(resource: AsyncDisposable): void {
  for (const signal of SIGNALS) process.once(signal, () => void stop(resource, 128 + constants.signals[signal]))
}

async function stop(resource: AsyncDisposable, status: number): Promise<void> {
  for (const signal of SIGNALS) process.removeAllListeners(signal)
  // What the program was about fails now, for want of what is being stopped.
  process.on('uncaughtException', () => {})
  try {
    await resource[Symbol.asyncDispose]()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  }
  process.exit(status)
}
