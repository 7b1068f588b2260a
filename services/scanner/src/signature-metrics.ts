// What Prometheus learns of the clamds that this scanner uses.
import { registry } from '@sekimori/runtime/metrics'
import type { EngineStatus } from '@sekimori/store/signature-status'
import { Gauge } from 'prom-client'

const usable = new Gauge({
  name: 'sekimori_clamd_usable',
  help: 'Whether this clamd passes the self-test: only then mail is given to it',
  labelNames: ['endpoint'],
  registers: [registry],
})

const info = new Gauge({
  name: 'sekimori_signature_info',
  help: 'Engine and signature version of each clamd, always 1',
  labelNames: ['endpoint', 'version'],
  registers: [registry],
})

const ages = new Gauge({
  name: 'sekimori_signature_age_seconds',
  help: 'Age of the official signatures of each clamd when it was last tested; absent where clamd does not say it',
  labelNames: ['endpoint'],
  registers: [registry],
})

const shownVersions = new Map<string, string>()

/** Brings the metrics of one clamd up to date. */
export function observeEndpoint({ endpoint, version, signaturesAt, fault }: EngineStatus): void {
  usable.set({ endpoint }, fault === undefined ? 1 : 0)
  const shown = shownVersions.get(endpoint)
  if (shown !== undefined && shown !== version) info.remove({ endpoint, version: shown })
  if (version !== undefined) {
    info.set({ endpoint, version }, 1)
    shownVersions.set(endpoint, version)
  }
  if (signaturesAt === undefined) ages.remove({ endpoint })
  else ages.set({ endpoint }, (Date.now() - signaturesAt.getTime()) / 1000)
}
