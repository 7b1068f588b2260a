// Structured logs (pino): one JSON line an event, with the queue id where there is one. Never content, subjects or credentials.
import { type Logger, pino } from 'pino'

export type Log = Logger

/** The log of one service, on standard output. */
export function createLog(service: string, level: string): Log {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  })
}
