// The loop that plans and sends reports while operators want them sent. Each replica runs one; a lease in the database keeps
// two of them from making the same report.
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '@sekimori/runtime/log'
import type { ReportKey } from '@sekimori/store/report'
import type { ReportKind } from '@sekimori/store/report-plan'
import type { Reporting } from '@sekimori/store/reporting'
import { type SendReportPorts, type SentReport, sendReport } from './send-report.ts'

export interface ReportPorts extends SendReportPorts {
  reporting(): Promise<Reporting>
  /** Plans days that are over, and clears old results away. */
  plan(kinds: ReportKind[]): Promise<void>
  lease(kinds: ReportKind[]): Promise<ReportKey[]>
  settle(key: ReportKey, sent: SentReport): Promise<void>
  postpone(key: ReportKey, detail: string): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

/** Starts the loop. Disposing it, after `stopping`, waits for the reports in hand. */
export function startReportLoop(ports: ReportPorts, pollMs: number, stopping: AbortSignal): AsyncDisposable {
  const running = run(ports, pollMs, stopping)
  return { [Symbol.asyncDispose]: () => running }
}

async function run(ports: ReportPorts, pollMs: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await ports.whenUp(stopping)
    if (!stopping.aborted && (await sendDueReports(ports))) continue
    await wait(pollMs, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}

/** One round; resolves to whether there was anything to send. What fails is taken up again later. */
export async function sendDueReports(ports: ReportPorts): Promise<boolean> {
  try {
    const { dmarc, tls, senderDomain } = await ports.reporting()
    const kinds: ReportKind[] = [...(dmarc ? (['dmarc'] as const) : []), ...(tls ? (['tls'] as const) : [])]
    await ports.plan(senderDomain === undefined ? [] : kinds)
    if (kinds.length === 0 || senderDomain === undefined) return false
    const due = await ports.lease(kinds)
    await Promise.all(due.map((key) => send(key, senderDomain, ports)))
    return due.length > 0
  } catch (error) {
    ports.log.warn({ err: error }, 'reports could not be sent')
    return false
  }
}

async function send(key: ReportKey, senderDomain: string, ports: ReportPorts): Promise<void> {
  try {
    const sent = await sendReport(key, senderDomain, ports)
    await ports.settle(key, sent)
    ports.log.info({ ...key, ...sent }, 'report')
  } catch (error) {
    ports.log.warn({ ...key, err: error }, 'a report is put off')
    await ports.postpone(key, (error as Error).message.slice(0, 200))
  }
}
