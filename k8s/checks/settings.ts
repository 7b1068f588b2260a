// A container's environment against the settings of the service in it, by the service's own schema.
import { ConfigError, readConfig } from '@sekimori/config/config'
import type { Static, TObject } from 'typebox'
import type { ContainerEnvironment } from './environment.ts'

/** Settings whose default is right for one process on one machine only. */
const NEVER_BY_DEFAULT = ['MAIL_HOSTNAME']
const FILE = /_FILE$/

/** The settings as the service will read them, or what is wrong with them. */
export function readSettings<T extends TObject>(
  schema: T,
  { variables, files }: ContainerEnvironment,
): { settings: Static<T>; faults: [] } | { settings: undefined; faults: string[] } {
  const faults: string[] = []
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(variables)) {
    const setting = name.replace(FILE, '')
    if (name in schema.properties) given[name] = value
    else if (FILE.test(name) && isSecret(schema, setting)) given[setting] = files.get(value) ?? ''
    else if (!name.startsWith('OTEL_')) faults.push(`${name} is no setting of the service`)
    if (FILE.test(name) && !files.has(value)) faults.push(`${name}: no volume brings ${value}`)
    if (isSecret(schema, name)) faults.push(`${name} is a secret: give it as a file, in ${name}_FILE`)
  }
  for (const name of NEVER_BY_DEFAULT) {
    if (name in schema.properties && !given[name]) faults.push(`${name} must be given, the same to every service`)
  }
  try {
    const settings = readConfig(schema, given)
    if (faults.length === 0) return { settings, faults: [] }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    faults.push(error.message)
  }
  return { settings: undefined, faults }
}

function isSecret(schema: TObject, name: string): boolean {
  return (schema.properties[name] as { secret?: boolean } | undefined)?.secret === true
}
