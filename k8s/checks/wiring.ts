// What objects say of one another: selectors, volumes, and the addresses by which services find their servers.
import { findObject, type KubernetesObject, mainContainer, type Workload, workloadsOf } from './kubernetes-object.ts'

interface Selecting extends KubernetesObject {
  spec: { selector?: Record<string, unknown>; podSelector?: Record<string, unknown>; ports?: ServicePort[] }
}

interface ServicePort {
  port: number
  targetPort?: string | number
}

const DEFAULT_PORTS: Record<string, number> = { 'postgres:': 5432, 'amqp:': 5672 }

/** Selectors that find no pod. */
export function selectorFaults(objects: KubernetesObject[]): string[] {
  const workloads = workloadsOf(objects)
  return (objects as Selecting[]).flatMap(({ kind, metadata, spec }) => {
    const selector = spec?.podSelector ?? spec?.selector
    if (selector === undefined) return []
    const labels = (selector.matchLabels ?? selector) as Record<string, string>
    const isOwn = kind === 'Deployment' || kind === 'StatefulSet'
    const found = workloads.filter(
      (workload) => hasLabels(workload, labels) && (!isOwn || workload.metadata.name === metadata.name),
    )
    return found.length > 0 ? [] : [`${kind} ${metadata.name} selects no pod`]
  })
}

/** Mounts without a volume, and volumes that nobody mounts. */
export function volumeFaults({ spec }: Workload): string[] {
  const pod = spec.template.spec
  const mounted = new Set(
    [...(pod.initContainers ?? []), ...pod.containers].flatMap((c) => (c.volumeMounts ?? []).map(({ name }) => name)),
  )
  const volumes = new Set([
    ...(pod.volumes ?? []).map(({ name }) => name),
    ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name),
  ])
  return [
    ...[...mounted.difference(volumes)].map((name) => `mounts ${name}, which is no volume`),
    ...[...volumes.difference(mounted)].map((name) => `volume ${name} is mounted nowhere`),
  ]
}

/** Addresses in settings that lead to no Service, or to a port that nothing listens on. */
export function addressFaults(settings: Record<string, unknown>, objects: KubernetesObject[]): string[] {
  return ['DATABASE_URL', 'AMQP_URL', 'CLAMD_ADDRESS'].flatMap((name) => {
    if (settings[name] === undefined) return []
    const { host, port } = parseAddress(String(settings[name]))
    const service = findObject<Selecting>(objects, 'Service', host)
    const target = service?.spec.ports?.find((candidate) => candidate.port === port)
    // The address itself may hold a password.
    if (target === undefined) return [`${name} leads to no Service`]
    const server = workloadsOf(objects).find((w) => hasLabels(w, service?.spec.selector as Record<string, string>))
    const ports = server === undefined ? [] : (mainContainer(server).ports ?? [])
    const isOpen = ports.some((p) => target.targetPort === p.name || target.targetPort === p.containerPort)
    return isOpen ? [] : [`${name} leads to a Service whose port ${port} nothing listens behind`]
  })
}

function parseAddress(text: string): { host: string; port: number } {
  const url = new URL(text.includes('://') ? text : `tcp://${text}`)
  return { host: url.hostname, port: Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 0) }
}

function hasLabels(workload: Workload, labels: Record<string, string>): boolean {
  return Object.entries(labels).every(([key, value]) => workload.spec.template.metadata.labels[key] === value)
}
