// Objects against the OpenAPI schemas of Kubernetes, strictly: a field that no schema knows is a fault.
import type { KubernetesObject } from './kubernetes-object.ts'

interface Validator {
  (data: unknown): boolean
  errors?: { instancePath: string; keyword: string; params: object }[] | null
}

/** What the API server would refuse, or drop without a word. */
export async function schemaFaults(object: KubernetesObject): Promise<string[]> {
  const validate = await findValidator(object)
  if (validate === undefined) return [`${titleOf(object)}: no schema`]
  const read = new Set<string>()
  const isValid = validate(observed(object, '', read))
  const faults = isValid ? [] : (validate.errors ?? []).map((e) => `${e.instancePath}: ${e.keyword} ${say(e.params)}`)
  const unknown = fieldsOf(object, '').filter((path) => !read.has(path))
  return [...faults, ...unknown.map((path) => `${path}: unknown field`)].map((fault) => `${titleOf(object)}${fault}`)
}

async function findValidator({ apiVersion, kind }: KubernetesObject): Promise<Validator | undefined> {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['core', apiVersion]
  const name = ['IoK8sApi', capitalized(group!.split('.')[0]!), capitalized(version!), kind].join('')
  try {
    return ((await import(`kubernetes-models/_schemas/${name}`)) as { validate: Validator }).validate
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** The value as it is; what is read of it is noted. A validator reads each field that its schema has, and no other. */
function observed<T>(value: T, path: string, read: Set<string>): T {
  if (typeof value !== 'object' || value === null) return value
  return new Proxy(value, {
    get(target, key) {
      const field = `${path}/${String(key)}`
      read.add(field)
      return observed(Reflect.get(target, key), field, read)
    },
  })
}

function fieldsOf(value: unknown, path: string): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [`${path}/${key}`, ...fieldsOf(inner, `${path}/${key}`)])
}

function titleOf({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata?.name ?? '?'} `
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

function say(params: object): string {
  return JSON.stringify(params)
}
