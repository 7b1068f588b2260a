// Virus signatures: one fetcher, clamds that only read, and scanners that know each clamd by its own name.
import type { IContainer } from 'kubernetes-models/v1/Container'
import { mainContainer, type Workload } from './kubernetes-object.ts'
import { podNamesOf } from './wiring.ts'

/** What lets two programs write the signatures, costs more than one download, or hides a clamd from the self-test. */
export function signatureFaults(workloads: Workload[], clamdAddresses: string[]): string[] {
  const fetchers = workloads.filter((workload) => runs(workload, 'freshclam'))
  const engines = workloads.filter((workload) => runs(workload, 'clamd'))
  if (fetchers.length !== 1 || engines.length === 0)
    return [`${fetchers.length} workloads run freshclam, ${engines.length} run clamd`]
  const [fetcher] = fetchers as [Workload]
  return [
    ...fetcherFaults(fetcher),
    ...engines.flatMap((engine) => engineFaults(engine, sharedClaim(fetcher), clamdAddresses)),
  ]
}

function fetcherFaults({ metadata, spec }: Workload): string[] {
  const faults: string[] = []
  if ((spec.replicas ?? 1) !== 1)
    faults.push(`${metadata.name} has ${spec.replicas} replicas that write the same files`)
  if (spec.strategy?.type !== 'Recreate') faults.push(`${metadata.name} runs twice during an update`)
  return faults
}

function engineFaults(engine: Workload, claim: string | undefined, clamdAddresses: string[]): string[] {
  const { name } = engine.metadata
  const faults: string[] = []
  if (runs(engine, 'freshclam')) faults.push(`${name} fetches signatures of its own`)
  if (claim === undefined || sharedClaim(engine) !== claim) faults.push(`${name} does not read what freshclam fetches`)
  for (const container of containersOf(engine))
    if (!mountOf(container)?.readOnly) faults.push(`${name}: container ${container.name} may write the signatures`)
  const hosts = clamdAddresses.map((address) => address.replace(/:\d+$/, ''))
  for (const pod of podNamesOf(engine)) {
    if (!hosts.includes(`${pod}.${engine.spec.serviceName}`)) faults.push(`CLAMD_ADDRESS does not name ${pod}`)
  }
  return faults
}

function runs(workload: Workload, program: string): boolean {
  return containersOf(workload).some(({ command }) => command?.[0] === program)
}

function containersOf({ spec }: Workload): IContainer[] {
  return [...(spec.template.spec.initContainers ?? []), ...spec.template.spec.containers]
}

function mountOf(container: IContainer) {
  return container.volumeMounts?.find(({ mountPath }) => mountPath === '/var/lib/clamav')
}

function sharedClaim(workload: Workload): string | undefined {
  const volume = mountOf(mainContainer(workload))?.name
  const found = workload.spec.template.spec.volumes?.find(({ name }) => name === volume)
  return found?.persistentVolumeClaim?.claimName
}
