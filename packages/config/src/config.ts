// Reads a service's settings from the environment: one schema, one reader, all faults reported together.
import { readFileSync } from 'node:fs'
import type { Static, TObject, TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** The settings are wrong; `message` names every fault and is meant for the operator. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

interface SettingSchema {
  secret?: boolean
  description?: string
}

type Environment = Record<string, string | undefined>

/**
 * Reads the settings of `schema` from the environment. A setting marked `secret` may also be given as a file's
 * path in `<NAME>_FILE`. An empty variable counts as not set.
 * @throws ConfigError that lists every fault at once.
 */
export function readConfig<T extends TObject>(schema: T, environment: Environment = process.env): Static<T> {
  const faults: string[] = []
  const given: Record<string, string> = {}
  for (const [name, setting] of Object.entries(schema.properties)) {
    const value = readSetting(name, setting, environment, faults)
    if (value !== undefined) given[name] = value
  }
  const settings = Value.Default(schema, Value.Convert(schema, given))
  if (!Value.Check(schema, settings)) faults.push(...describeFaults(schema, settings))
  if (faults.length > 0)
    throw new ConfigError(`The settings are not usable:\n${faults.map((f) => `  ${f}`).join('\n')}`)
  return settings as Static<T>
}

function readSetting(name: string, setting: TSchema, environment: Environment, faults: string[]): string | undefined {
  const { secret } = setting as SettingSchema
  const path = secret === true ? environment[`${name}_FILE`] : undefined
  if (path === undefined || path === '') return environment[name] || undefined
  if (environment[name]) {
    faults.push(`${name}: set either ${name} or ${name}_FILE, not both`)
    return undefined
  }
  try {
    return readFileSync(path, 'utf8').trimEnd() || undefined
  } catch (error) {
    faults.push(`${name}_FILE: ${path} can't be read (${(error as NodeJS.ErrnoException).code})`)
    return undefined
  }
}

function describeFaults(schema: TObject, settings: unknown): string[] {
  const faults = new Map<string, string>()
  for (const error of Value.Errors(schema, settings)) {
    for (const name of faultyNames(error)) {
      const setting = schema.properties[name] as SettingSchema | undefined
      const hint = setting?.description ? ` (${setting.description})` : ''
      faults.set(
        name,
        error.keyword === 'required' ? `${name}: is required${hint}` : `${name}: ${error.message}${hint}`,
      )
    }
  }
  return [...faults.values()]
}

function faultyNames(error: { keyword: string; instancePath: string; params: object }): string[] {
  if (error.keyword === 'required') return (error.params as { requiredProperties: string[] }).requiredProperties
  return [error.instancePath.split('/')[1] ?? '']
}
