// What Prometheus learns of scanning delivered mail again, from the scanner that does it.
import { registry } from '@sekimori/runtime/metrics'
import { Counter, Gauge } from 'prom-client'

export const rescannedMails = new Counter({
  name: 'sekimori_rescanned_mails_total',
  help: 'Delivered mails that were scanned again, by outcome',
  labelNames: ['outcome'],
  registers: [registry],
})

export const removedCopies = new Counter({
  name: 'sekimori_rescan_removed_total',
  help: 'Infected mails that were taken out of a maildrop after their delivery',
  registers: [registry],
})

export const waitingCopies = new Gauge({
  name: 'sekimori_rescan_waiting',
  help: 'Infected mails that still lie in a maildrop, because a session has it open',
  registers: [registry],
})
