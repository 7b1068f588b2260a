// Ports, probes and times of a workload against its service's settings.
import { findObject, type KubernetesObject, mainContainer, type Workload } from './kubernetes-object.ts'

/** The port that clients know, by the setting that names the container's. */
const PUBLIC_PORTS: Record<string, { port: number; isForEveryone: boolean }> = {
  SUBMISSION_PORT: { port: 587, isForEveryone: true },
  SMTPS_PORT: { port: 465, isForEveryone: true },
  MX_PORT: { port: 25, isForEveryone: true },
  POP3_PORT: { port: 110, isForEveryone: true },
  POP3S_PORT: { port: 995, isForEveryone: true },
  SETTINGS_API_PORT: { port: 8080, isForEveryone: false },
}
const NOT_FOR_CLIENTS = ['HEALTH_PORT', 'RELAY_PORT', 'MTA_STS_PORT']

export interface Service extends KubernetesObject {
  spec: {
    type?: string
    externalTrafficPolicy?: string
    selector: Record<string, string>
    ports: { name: string; port: number; targetPort: string | number }[]
  }
}

export type PortSettings = Record<string, unknown> & { HEALTH_PORT: number; DRAIN_TIMEOUT_MS: number }

/** Each port that the service listens on must be reachable under its public number, and no other. */
export function portFaults(workload: Workload, settings: PortSettings, objects: KubernetesObject[]): string[] {
  const faults: string[] = []
  const service = findObject<Service>(objects, 'Service', workload.metadata.name)
  const reachable = new Map(service?.spec.ports.map(({ port, targetPort }) => [port, numberOf(workload, targetPort)]))
  for (const name of Object.keys(settings).filter((key) => key.endsWith('_PORT') && !NOT_FOR_CLIENTS.includes(key))) {
    const known = PUBLIC_PORTS[name]
    if (known === undefined) {
      faults.push(`${name}: which port do clients use? Say so in k8s/checks/ports.ts`)
      continue
    }
    if (reachable.get(known.port) !== settings[name])
      faults.push(`Service: ${known.port} does not lead to ${name} (${settings[name]})`)
    reachable.delete(known.port)
    const showsClientAddress = service?.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local'
    if (known.isForEveryone && !showsClientAddress)
      faults.push(`Service: ${name} is not reachable with client addresses`)
  }
  for (const port of reachable.keys()) faults.push(`Service: nothing listens behind ${port}`)
  if (service !== undefined && !selects(service.spec.selector, workload)) faults.push('Service: selects other pods')
  return faults
}

/** Probes ask the health port, and the pod is given the time that a drain takes. */
export function lifeFaults(workload: Workload, settings: PortSettings): string[] {
  const faults: string[] = []
  const { livenessProbe, readinessProbe, lifecycle } = mainContainer(workload)
  for (const [probe, path] of [
    [livenessProbe, '/livez'],
    [readinessProbe, '/readyz'],
  ] as const) {
    const port = numberOf(workload, probe?.httpGet?.port)
    if (probe?.httpGet?.path !== path) faults.push(`no probe of ${path}`)
    else if (port !== settings.HEALTH_PORT) faults.push(`probe of ${path} asks ${port}, not HEALTH_PORT`)
  }
  const annotated = workload.spec.template.metadata.annotations?.['prometheus.io/port']
  if (annotated !== String(settings.HEALTH_PORT)) faults.push(`metrics are expected at ${annotated}, not HEALTH_PORT`)
  const graceMs = (workload.spec.template.spec.terminationGracePeriodSeconds ?? 30) * 1_000
  // A gateway may drain two listeners one after the other.
  const drainMs = (lifecycle?.preStop?.sleep?.seconds ?? 0) * 1_000 + 2 * settings.DRAIN_TIMEOUT_MS
  if (graceMs <= drainMs) faults.push(`is killed after ${graceMs} ms, while a drain may take ${drainMs} ms`)
  return faults
}

function numberOf(workload: Workload, port: string | number | undefined): number | undefined {
  if (typeof port !== 'string') return port
  return mainContainer(workload).ports?.find(({ name }) => name === port)?.containerPort
}

function selects(selector: Record<string, string>, workload: Workload): boolean {
  return Object.entries(selector).every(([key, value]) => workload.spec.template.metadata.labels[key] === value)
}
