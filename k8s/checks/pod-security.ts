// Every pod is confined: the "restricted" pod security standard, a read-only root, and nothing of the cluster inside.
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { Workload } from './kubernetes-object.ts'

/** What a workload's pods and containers could do beyond their duty. */
export function securityFaults(workload: Workload): string[] {
  const pod = workload.spec.template.spec
  const faults: string[] = []
  if (pod.securityContext?.runAsNonRoot !== true || !pod.securityContext.runAsUser) faults.push('may run as root')
  if (pod.securityContext?.seccompProfile?.type !== 'RuntimeDefault') faults.push('has no seccomp profile')
  if (pod.automountServiceAccountToken !== false) faults.push('holds a token of the cluster')
  if (pod.enableServiceLinks !== false) faults.push('finds the addresses of Services among its settings')
  if (pod.hostNetwork || pod.hostPID || pod.hostIPC) faults.push("shares the node's namespaces")
  for (const volume of pod.volumes ?? []) {
    if (volume.hostPath) faults.push(`volume ${volume.name} is the node's`)
  }
  const containers = [...(pod.initContainers ?? []), ...pod.containers]
  return [...faults, ...containers.flatMap((container) => containerFaults(container))]
}

function containerFaults({ name, securityContext, resources, image = '' }: IContainer): string[] {
  const faults: string[] = []
  if (securityContext?.allowPrivilegeEscalation !== false) faults.push('may gain privileges')
  if (securityContext?.privileged) faults.push('is privileged')
  if (securityContext?.readOnlyRootFilesystem !== true) faults.push('may write its root file system')
  const { drop, add } = securityContext?.capabilities ?? {}
  if (drop?.join() !== 'ALL' || add?.length) faults.push('has capabilities')
  if (!resources?.requests?.cpu || !resources.requests.memory) faults.push('requests no CPU or memory')
  if (!resources?.limits?.memory) faults.push('has no memory limit')
  if (!/:[\w.-]+$/.test(image) || image.endsWith(':latest')) faults.push(`image ${image} has no fixed tag`)
  return faults.map((fault) => `container ${name} ${fault}`)
}
