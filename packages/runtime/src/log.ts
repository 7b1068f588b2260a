// Structured logs (pino): one JSON line an event, with the queue id where there is one. Never content, subjects or credentials.
import { type DestinationStream, type Logger, pino } from 'pino'

export type Log = Logger

/** Lines of a moment are written together. */
const GATHERED_BYTES = 4_096
const GATHER_MS = 50
const WARN = pino.levels.values.warn!

/** The log of one service, on standard output. A line is there after a moment; a kill in it loses lines that tell of no trouble. */
export function createLog(service: string, level: string): Log {
  return pino(
    {
      level,
      base: { service, pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    level === 'silent' ? undefined : gatheringOutput(),
  )
}

/** Standard output, written to now and then; at once when something is wrong, and when the process ends. */
function gatheringOutput(): DestinationStream {
  const output = pino.destination({ minLength: GATHERED_BYTES, sync: false })
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    output.flush()
  }
  const stream = {
    [Symbol.for('pino.metadata')]: true, // tells the level of each line
    lastLevel: 0,
    write(line: string) {
      output.write(line)
      if (stream.lastLevel >= WARN) flush()
      else timer ??= setTimeout(flush, GATHER_MS).unref() // the end of the process writes what is left
    },
  }
  return stream
}
