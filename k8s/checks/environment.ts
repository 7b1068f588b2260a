// What a container will find: its environment, and the files that ConfigMaps and Secrets put into it.
import type { IContainer } from 'kubernetes-models/v1/Container'
import type { IPodSpec } from 'kubernetes-models/v1/PodSpec'
import type { IVolume } from 'kubernetes-models/v1/Volume'
import { findObject, type KubernetesObject } from './kubernetes-object.ts'

export interface ContainerEnvironment {
  variables: Record<string, string>
  /** Content by path. */
  files: Map<string, string>
  /** What refers to something that isn't there. */
  faults: string[]
}

type Kind = 'ConfigMap' | 'Secret'

/** Resolves every reference of the container to ConfigMaps and Secrets among the objects. */
export function environmentOf(pod: IPodSpec, container: IContainer, objects: KubernetesObject[]): ContainerEnvironment {
  const sources = new Sources(objects)
  const variables = variablesOf(container, sources)
  const files = new Map<string, string>()
  for (const { name, mountPath, subPath } of container.volumeMounts ?? []) {
    const volume = pod.volumes?.find((candidate) => candidate.name === name)
    for (const [path, content] of volume === undefined ? [] : filesOf(volume, sources)) {
      if (subPath === undefined) files.set(`${mountPath}/${path}`, content)
      else if (subPath === path) files.set(mountPath, content)
    }
  }
  return { variables, files, faults: [...sources.faults] }
}

function variablesOf(container: IContainer, sources: Sources): Record<string, string> {
  const variables: Record<string, string> = {}
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef) Object.assign(variables, sources.all('ConfigMap', configMapRef.name))
    if (secretRef) Object.assign(variables, sources.all('Secret', secretRef.name))
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (name in variables) sources.faults.add(`${name} is given twice`)
    const { configMapKeyRef, secretKeyRef } = valueFrom ?? {}
    if (configMapKeyRef) variables[name] = sources.one('ConfigMap', configMapKeyRef.name, configMapKeyRef.key)
    else if (secretKeyRef) variables[name] = sources.one('Secret', secretKeyRef.name, secretKeyRef.key)
    else variables[name] = value ?? ''
  }
  return variables
}

/** Path and content of what the volume brings; volumes of other kinds bring nothing that is known here. */
function filesOf({ configMap, secret, projected }: IVolume, sources: Sources): [string, string][] {
  const parts = projected?.sources ?? [{ configMap, secret: secret && { ...secret, name: secret.secretName } }]
  return parts.flatMap((part) => [
    ...filesFrom('ConfigMap', part.configMap, sources),
    ...filesFrom('Secret', part.secret, sources),
  ])
}

function filesFrom(
  kind: Kind,
  source: { name?: string; items?: { key: string; path: string }[] } | undefined,
  sources: Sources,
): [string, string][] {
  if (source === undefined) return []
  if (source.items === undefined) return Object.entries(sources.all(kind, source.name))
  return source.items.map(({ key, path }) => [path, sources.one(kind, source.name, key)])
}

/** The ConfigMaps and Secrets; notes what is asked of them and isn't there. */
class Sources {
  readonly faults = new Set<string>()
  #objects: KubernetesObject[]

  constructor(objects: KubernetesObject[]) {
    this.#objects = objects
  }

  all(kind: Kind, name: string | undefined): Record<string, string> {
    const object = findObject<KubernetesObject & Data>(this.#objects, kind, name)
    if (object === undefined) this.faults.add(`${kind} ${name} does not exist`)
    const data = Object.entries(object?.data ?? {}).map(([key, value]) => [key, decode(kind, value)])
    return { ...Object.fromEntries(data), ...object?.stringData }
  }

  one(kind: Kind, name: string | undefined, key: string): string {
    const value = this.all(kind, name)[key]
    if (value === undefined) this.faults.add(`${kind} ${name} has no ${key}`)
    return value ?? ''
  }
}

interface Data {
  data?: Record<string, string>
  stringData?: Record<string, string>
}

function decode(kind: Kind, value: string): string {
  return kind === 'Secret' ? Buffer.from(value, 'base64').toString('utf8') : value
}
