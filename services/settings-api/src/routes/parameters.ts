// Parameters that several routes take: times and queue ids.
import Type from 'typebox'
import { invalidValue } from '../invalid-value.ts'

/** An optional time in a query (RFC 3339). */
export const instant = (description: string) =>
  Type.Optional(
    Type.String({ format: 'date-time', description: `${description} (RFC 3339; encode a plus sign as %2B)` }),
  )

/** The time that was given as `parameter`, if one was. @throws Problem when there is no such time */
export function readInstant(text: string | undefined, parameter: string): Date | undefined {
  if (text === undefined) return undefined
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return time
  const wrong = { en: 'is not a time that can be used', ja: '使用できる日時ではありません' }
  throw invalidValue('bad-request', `/${parameter}`, wrong)
}

/** A queue id as replies, headers and logs show it. */
export const queueId = (description: string) =>
  Type.String({ pattern: '^[0-9A-Za-z._-]{1,100}$', description: `queue id ${description}` })

/** Text to search for. Postgres has no NUL in texts, so nothing could be found by it. */
export const searchText = (maxLength: number, description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength, pattern: '^[^\\u0000]*$', description }))
