// The parts of Kubernetes objects that the checks look at.
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'

export interface KubernetesObject {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; labels?: Record<string, string> }
}

/** A Deployment or StatefulSet. */
export interface Workload extends KubernetesObject {
  spec: {
    replicas?: number
    serviceName?: string
    strategy?: { type?: string }
    selector: { matchLabels: Record<string, string> }
    template: { metadata: { labels: Record<string, string>; annotations?: Record<string, string> }; spec: IPodSpec }
    volumeClaimTemplates?: { metadata: { name: string } }[]
  }
}

/** The objects that run containers. */
export function workloadsOf(objects: KubernetesObject[]): Workload[] {
  return objects.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet') as Workload[]
}

/** The workloads that run one of Sekimori's own services. */
export function serviceWorkloadsOf(objects: KubernetesObject[]): Workload[] {
  return workloadsOf(objects).filter((workload) => serviceNameOf(workload) !== undefined)
}

/** The service whose image the workload runs; undefined for the servers beside them. */
export function serviceNameOf(workload: Workload): string | undefined {
  return /^sekimori\/([a-z0-9-]+)/.exec(mainContainer(workload).image ?? '')?.[1]
}

/** The container that the workload is there for. */
export function mainContainer(workload: Workload): IContainer {
  return workload.spec.template.spec.containers[0]!
}

/** The object of that kind and name. */
export function findObject<T extends KubernetesObject>(
  objects: KubernetesObject[],
  kind: string,
  name: string | undefined,
): T | undefined {
  return objects.find((object) => object.kind === kind && object.metadata.name === name) as T | undefined
}
