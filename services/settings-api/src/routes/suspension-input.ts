// What the calls about warning suspensions share: their shape, and the scope, value and end as clients write them.
import type { NewSuspension, SuspensionEnd } from '@sekimori/store/warning-suspension-admin'
import Type, { type Static } from 'typebox'
import { invalidValue } from '../invalid-value.ts'
import { requireAddress, requireDomainName } from '../name-input.ts'
import { Problem } from '../problem.ts'

const time = Type.String({ format: 'date-time' })
const line = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, pattern: '^[^\\p{Cc}\\u2028\\u2029]*$', description })

const Scope = Type.Enum(['all', 'domain', 'address', 'sender', 'signature'], {
  description:
    'all warnings; those to the accounts of a domain; those to one address; those of mail that an address sent ' +
    '(reverse-path or account); those of one signature',
})

export const Suspension = Type.Object({
  id: Type.String(),
  scope: Scope,
  value: Type.Optional(Type.String()),
  reason: Type.String(),
  createdBy: Type.String(),
  createdAt: time,
  endsAt: Type.Optional(Type.String({ format: 'date-time', description: 'absent: until somebody ends it' })),
  isActive: Type.Boolean(),
  suppressed: Type.Integer({ description: 'warnings that it kept back, one for each infected mail and party' }),
})

export const NewSuspensionBody = Type.Object(
  {
    scope: Scope,
    value: Type.Optional(line(320, 'the domain, address or signature; absent for all')),
    reason: line(500, 'why warnings are kept back'),
    createdBy: line(200, 'who decided it'),
    endsAt: Type.Optional(Type.String({ format: 'date-time', description: 'absent: until somebody ends it' })),
  },
  { additionalProperties: false },
)

export const SuspensionChange = Type.Object(
  {
    endsAt: Type.Union([Type.Literal('now'), time, Type.Null()], {
      description: '"now", a time to come, or null: until somebody ends it',
    }),
  },
  { additionalProperties: false },
)

/** The suspension in the form that is stored. @throws Problem */
export function readNewSuspension(body: Static<typeof NewSuspensionBody>): NewSuspension {
  const { scope, reason, createdBy } = body
  const endsAt = body.endsAt === undefined ? undefined : requireFuture(body.endsAt)
  return { scope, value: requireValue(scope, body.value), reason, createdBy, endsAt }
}

/** The new end of a suspension. @throws Problem */
export function readEnd({ endsAt }: Static<typeof SuspensionChange>): SuspensionEnd {
  if (endsAt === 'now') return 'now'
  return endsAt === null ? undefined : requireFuture(endsAt)
}

function requireValue(scope: NewSuspension['scope'], value: string | undefined): string | undefined {
  if (scope === 'all') {
    if (value === undefined) return undefined
    throw invalidValue('invalid', '/value', { en: 'must be absent for all', ja: 'all では指定できません' })
  }
  if (value === undefined)
    throw invalidValue('invalid', '/value', { en: 'is required for this scope', ja: 'この範囲では必須です' })
  switch (scope) {
    case 'domain':
      return requireDomainName(value, '/value')
    case 'address':
    case 'sender':
      return requireAddress(value, '/value')
    case 'signature':
      return value
  }
}

function requireFuture(text: string): Date {
  const end = new Date(text)
  if (end.getTime() > Date.now()) return end
  throw invalidValue('invalid', '/endsAt', { en: 'is not a time to come', ja: '未来の日時ではありません' })
}

/** @throws Problem */
export function noSuchSuspension(id: string): never {
  throw new Problem('not-found', { en: `There is no warning suspension ${id}.`, ja: `警告の停止 ${id} はありません。` })
}

/** One that is over is not taken up again: what it counted stays as it is. */
export function suspensionOver(id: string): Problem {
  return new Problem('suspension-over', {
    en: `The warning suspension ${id} is over; make a new one with POST /v1/warning-suspensions.`,
    ja: `警告の停止 ${id} は既に終了しています。POST /v1/warning-suspensions で新しく作成してください。`,
  })
}
