// What operators see of each dialogue: a line in the log and a count.
import type { Log } from '@sekimori/runtime/log'
import { registry } from '@sekimori/runtime/metrics'
import { Counter } from 'prom-client'
import { describeFailure, describeSent, type Outcome } from './outcome.ts'

const recipients = new Counter({
  name: 'sekimori_remote_recipients_total',
  help: 'Recipients of outbound mail by the outcome of an attempt',
  labelNames: ['outcome'],
  registers: [registry],
})

/** Reports one attempt at a destination. */
export function reportDelivery(
  log: Log,
  queueId: string,
  destination: string,
  outcomes: ReadonlyMap<string, Outcome>,
  ms: number,
): void {
  const all = [...outcomes].map(([recipient, outcome]) => {
    recipients.inc({ outcome: outcome.kind })
    const reply = outcome.kind === 'sent' ? describeSent(outcome) : describeFailure(outcome)
    return { recipient, outcome: outcome.kind, reply }
  })
  log.info({ queueId, destination, recipients: all, ms: Math.round(ms) }, 'delivery')
}
