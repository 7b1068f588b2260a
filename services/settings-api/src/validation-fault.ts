// What a schema found wrong, as faults in both languages. They name places and rules, never the values that were sent.
import type { FastifySchemaValidationError } from 'fastify'
import type { TLocalizedValidationError } from 'typebox/error'
import { Locale } from 'typebox/system'
import type { Fault } from './problem.ts'

/** Faults in the order in which the schema has them, one for each place. */
export function faultsOf(errors: FastifySchemaValidationError[]): Fault[] {
  const faults = new Map<string, Fault>()
  for (const error of errors) {
    for (const fault of faultsOfOne(error)) if (!faults.has(fault.pointer)) faults.set(fault.pointer, fault)
  }
  return [...faults.values()]
}

function faultsOfOne(error: FastifySchemaValidationError): Fault[] {
  const { keyword, instancePath, params } = error
  switch (keyword) {
    case 'boolean':
      return [] // an unknown property, which `additionalProperties` names as well
    case 'additionalProperties':
      return at(instancePath, params.additionalProperties, 'is not known here', 'この項目は指定できません')
    case 'required':
      return at(instancePath, params.requiredProperties, 'is required', 'この項目は必須です')
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).join(', ')
      return [
        {
          pointer: instancePath,
          detail: `must be one of ${allowed}`,
          detailJa: `${allowed} のいずれかを指定してください`,
        },
      ]
    }
    default: {
      const found = error as unknown as TLocalizedValidationError
      return [{ pointer: instancePath, detail: Locale.en_US(found), detailJa: Locale.ja_JP(found) }]
    }
  }
}

function at(path: string, properties: unknown, detail: string, detailJa: string): Fault[] {
  return (properties as string[]).map((property) => ({ pointer: `${path}/${property}`, detail, detailJa }))
}
