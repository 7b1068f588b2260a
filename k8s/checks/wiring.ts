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

/** Claims of volumes that nobody makes. */
export function claimFaults({ spec }: Workload, objects: KubernetesObject[]): string[] {
  return (spec.template.spec.volumes ?? []).flatMap(({ persistentVolumeClaim }) => {
    const name = persistentVolumeClaim?.claimName
    const isMade = name === undefined || findObject(objects, 'PersistentVolumeClaim', name) !== undefined
    return isMade ? [] : [`PersistentVolumeClaim ${name} does not exist`]
  })
}

/** Addresses in settings that lead to no Service, or to a port that nothing listens on. */
export function addressFaults(settings: Record<string, unknown>, objects: KubernetesObject[]): string[] {
  return ['DATABASE_URL', 'AMQP_URL', 'CLAMD_ADDRESS'].flatMap((name) => {
    if (settings[name] === undefined) return []
    // Only of clamd there may be several.
    const addresses = name === 'CLAMD_ADDRESS' ? String(settings[name]).split(',') : [String(settings[name])]
    return addresses.flatMap((address) => addressFault(name, address.trim(), objects))
  })
}

function addressFault(name: string, address: string, objects: KubernetesObject[]): string[] {
  const { host, port } = parseAddress(address)
  const [first = '', parent] = host.split('.')
  const service = findObject<Selecting>(objects, 'Service', parent ?? first)
  const target = service?.spec.ports?.find((candidate) => candidate.port === port)
  // The address itself may hold a password.
  if (target === undefined) return [`${name} leads to no Service`]
  const server = workloadsOf(objects).find((w) => hasLabels(w, service?.spec.selector as Record<string, string>))
  const ports = server === undefined ? [] : (mainContainer(server).ports ?? [])
  const isOpen = ports.some((p) => target.targetPort === p.name || target.targetPort === p.containerPort)
  if (!isOpen) return [`${name} leads to a Service whose port ${port} nothing listens behind`]
  return parent === undefined || podNamesOf(server!).includes(first) ? [] : [`${name} leads to no pod of ${parent}`]
}

/** The names by which a StatefulSet's pods are found below its Service. */
export function podNamesOf({ kind, metadata, spec }: Workload): string[] {
  if (kind !== 'StatefulSet' || spec.serviceName === undefined) return []
  return Array.from({ length: spec.replicas ?? 1 }, (_, index) => `${metadata.name}-${index}`)
}

function parseAddress(text: string): { host: string; port: number } {
  const url = new URL(text.includes('://') ? text : `tcp://${text}`)
  return { host: url.hostname, port: Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 0) }
}

function hasLabels(workload: Workload, labels: Record<string, string>): boolean {
  return Object.entries(labels).every(([key, value]) => workload.spec.template.metadata.labels[key] === value)
}
